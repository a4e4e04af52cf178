// Folder dependencies: protocol <- storage <- auth <- server; which outside headers may be used where; who may print.
#include <doctest/doctest.h>

#include <map>
#include <regex>

#include "tests/support/source_tree.h"

namespace postkeep::test {
namespace {

// Which folders a folder may include from.
const std::map<std::string, std::string> may_include = {
    {"protocol", "protocol"},
    {"storage", "protocol storage"},
    {"auth", "protocol storage auth"},
    {"server", "protocol storage auth server cmake"},
    {"conformance", "protocol conformance"},
    {"tests", "protocol storage auth server conformance tests cmake"},
};

bool has_word(const std::string& words, const std::string& word) {
  return (" " + words + " ").find(" " + word + " ") != std::string::npos;
}

bool starts_with_one_of(const std::string& path, const std::vector<std::string>& prefixes) {
  for (const std::string& prefix : prefixes) {
    if (path.starts_with(prefix)) return true;
  }
  return false;
}

// An outside header, by the start of its name, and the files that may use it. Nobody else may.
struct OutsideHeader {
  std::string name;
  std::vector<std::string> users;
  std::string reason;
};
const std::vector<OutsideHeader> outside_headers = {
    {"sqlite3.h", {"storage/index/database.cpp", "tests/support/simulated"}, "one thin wrapper calls SQLite"},
    {"asio", {"server/", "tests/server/", "tests/support/", "tests/bench/", "cmake/"}, "sockets live in server/ alone"},
    {"openssl/ssl.h", {"server/", "tests/server/", "tests/bench/", "conformance/"}, "TLS lives in server/ alone"},
    {"openssl/",
     {"storage/digest.cpp", "auth/", "server/", "tests/"},
     "protocol/ and storage/ use no cryptography but hashes"},
    {"unicode/", {"protocol/text/", "tests/protocol/text/"}, "ICU lives in protocol/text alone"},
    {"spdlog", {"server/", "tests/server/"}, "only server/ logs"},
    {"fmt/", {"server/", "tests/server/", "conformance/"}, "only server/ prints"},
    {"syslog.h", {"server/"}, "only server/ logs"},
    {"iostream", {"server/", "tests/", "conformance/"}, "only server/ prints"},
    {"nlohmann/", {"server/", "tests/", "conformance/"}, "JSON is an outer matter"},
    {"toml++", {"server/", "tests/server/"}, "configuration is an outer matter"},
    {"fstream", {"tests/", "server/", "conformance/"}, "storage/ touches files through FileSystem only"},
    {"filesystem", {"tests/", "server/", "conformance/"}, "storage/ touches files through FileSystem only"},
    {"dirent.h",
     {"storage/posix_file_system.cpp", "server/", "tests/"},
     "storage/ touches files through FileSystem only"},
    {"fcntl.h",
     {"storage/posix_file_system.cpp", "auth/", "server/", "tests/"},
     "storage/ touches files through FileSystem only"},
};

// What protocol/ must not even see: it is a function from bytes to values.
const std::vector<std::string> not_in_protocol = {"thread",  "mutex",    "condition_variable",
                                                  "future",  "unistd.h", "sys/",
                                                  "fcntl.h", "ctime",    "time.h",
                                                  "cerrno",  "errno.h",  "random",
                                                  "atomic"};

Findings wrong_includes(const SourceFile& file) {
  static const std::regex include(R"(^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"])", std::regex::multiline);
  Findings findings;
  const std::string folder = top_folder(file.path);
  const auto add = [&](const std::smatch& match, const std::string& what) {
    findings.push_back({file.path, line_of(file.text, static_cast<std::size_t>(match.position(0))), what});
  };
  for (std::sregex_iterator at(file.text.begin(), file.text.end(), include), end; at != end; ++at) {
    const std::string name = (*at)[2];
    if ((*at)[1] == "\"") {
      const std::string from = top_folder(name);
      if (name.find('/') == std::string::npos || may_include.count(from) == 0) {
        if (from != "cmake") add(*at, "\"" + name + "\" is not a path from the root");
      } else if (!has_word(may_include.at(folder), from)) {
        add(*at, folder + "/ must not include from " + from + "/");
      }
      continue;
    }
    for (const OutsideHeader& header : outside_headers) {
      if (!name.starts_with(header.name)) continue;
      if (!starts_with_one_of(file.path, header.users)) add(*at, "<" + name + ">: " + header.reason);
      break;
    }
    if (folder == "protocol" && starts_with_one_of(name, not_in_protocol)) {
      add(*at, "<" + name + ">: protocol/ has no I/O, no clock, no threads");
    }
  }
  return findings;
}

// Lower layers return what happened; the server decides what to say.
Findings printing(const SourceFile& file) {
  static const std::regex print(R"(\bstd::(cout|cerr|clog)\b|\b(printf|fprintf|puts|syslog|perror|vprintf)[ \t]*\()");
  Findings findings;
  if (!starts_with_one_of(file.path, {"protocol/", "storage/", "auth/"})) return findings;
  for (std::sregex_iterator at(file.code.begin(), file.code.end(), print), end; at != end; ++at) {
    findings.push_back(
        {file.path, line_of(file.code, static_cast<std::size_t>(at->position(0))), "only server/ prints"});
  }
  return findings;
}

TEST_CASE("Folders include only from those to their left, and outside headers only where they belong") {
  CHECK(to_text(over_project(wrong_includes)) == "");
}

TEST_CASE("Nothing below the server prints or logs") { CHECK(to_text(over_project(printing)) == ""); }

TEST_CASE("The rule of includes sees each kind of breach") {
  const auto breaks = [](const char* path, const char* include) {
    return wrong_includes(make_source(path, std::string("#pragma once\n  #include ") + include + "\n")).size() == 1;
  };
  CHECK(breaks("protocol/a.h", "\"storage/types.h\""));
  CHECK(breaks("storage/a.cpp", "\"auth/x.h\""));
  CHECK(breaks("storage/a.cpp", "\"server/x.h\""));
  CHECK(breaks("auth/a.cpp", "\"server/x.h\""));
  CHECK(breaks("conformance/runner.cpp", "\"storage/types.h\""));
  CHECK(breaks("server/a.cpp", "\"tests/support/random.h\""));
  CHECK(breaks("storage/a.cpp", "\"types.h\""));
  CHECK(breaks("storage/a.cpp", "<sqlite3.h>"));
  CHECK(breaks("auth/user_database.cpp", "<sqlite3.h>"));
  CHECK(breaks("storage/a.cpp", "<asio.hpp>"));
  CHECK(breaks("auth/a.cpp", "<asio/io_context.hpp>"));
  CHECK(breaks("auth/a.cpp", "<openssl/ssl.h>"));
  CHECK(breaks("storage/spool.cpp", "<openssl/evp.h>"));
  CHECK(breaks("storage/a.cpp", "<unicode/ucnv.h>"));
  CHECK(breaks("auth/a.cpp", "<spdlog/spdlog.h>"));
  CHECK(breaks("storage/a.cpp", "<fstream>"));
  CHECK(breaks("protocol/a.cpp", "<thread>"));
  CHECK(breaks("protocol/a.cpp", "<sys/stat.h>"));
  CHECK_FALSE(breaks("server/a.cpp", "<asio.hpp>"));
  CHECK_FALSE(breaks("server/a.cpp", "\"storage/types.h\""));
  CHECK_FALSE(breaks("storage/index/database.cpp", "<sqlite3.h>"));
  CHECK_FALSE(breaks("auth/scram.cpp", "<openssl/evp.h>"));
}

TEST_CASE("The rule of printing sees a print, and not the word in a comment or a literal") {
  CHECK(printing(make_source("storage/a.cpp", "void f() { std::cerr << 1; }")).size() == 1);
  CHECK(printing(make_source("auth/a.cpp", "void f() { printf(\"x\"); }")).size() == 1);
  CHECK(printing(make_source("auth/a.cpp", "// printf(1)\nconst char* s = \"std::cout\";")).empty());
  CHECK(printing(make_source("protocol/a.cpp", "int n = std::snprintf(b, 1, s);")).empty());
  CHECK(printing(make_source("server/a.cpp", "std::cout << 1;")).empty());
}

}  // namespace
}  // namespace postkeep::test
