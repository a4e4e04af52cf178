// The shape of files: lengths that may only shrink, headers that introduce themselves, no marks of unfinished work,
// seeds for every fuzz harness.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>

#include "tests/support/source_tree.h"

namespace postkeep::test {
namespace {

constexpr std::size_t function_lines_max = 70;
constexpr std::size_t file_lines_max = 700;

// Longer than allowed when the rule came: they may shrink and leave, nothing may join. "path: function".
const std::map<std::string, std::size_t> longer_functions = {
    {"tests/protocol/imap/commands/search_test.cpp: show", 85},  // one case a key
};

struct Function {
  std::string head;
  std::size_t first_line = 0;
  std::size_t lines = 0;
};

std::string trimmed(std::string text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\t'; };
  while (!text.empty() && is_space(text.back())) text.pop_back();
  text.erase(0, text.find_first_not_of(" \n\t"));
  return text;
}

// What stands before a brace at the level of a namespace or a class: a function if it has a parameter list and is
// neither a type nor an initialiser.
bool is_function_head(const std::string& head) {
  static const std::regex scope(
      R"(^(template\s*<[\s\S]*>\s*)?(inline\s+)?(namespace|struct|class|enum|union|extern)\b)");
  static const std::regex initialiser(R"([^=!<>]=(?!=)\s*$)");
  if (head.find('(') == std::string::npos) return false;
  return !std::regex_search(head, scope) && !std::regex_search(head, initialiser);
}

std::vector<Function> functions_of(const SourceFile& file) {
  enum class Level { scope, function, inner };
  std::vector<Function> found;
  std::vector<Level> levels;
  std::size_t head_start = 0;
  std::size_t function_start = 0;
  std::string function_head;
  for (std::size_t i = 0; i < file.code.size(); ++i) {
    const char c = file.code[i];
    if (c == '{') {
      const bool in_scope = levels.empty() || levels.back() == Level::scope;
      const std::string head = trimmed(file.code.substr(head_start, i - head_start));
      if (!in_scope) {
        levels.push_back(Level::inner);
      } else if (is_function_head(head)) {
        levels.push_back(Level::function);
        function_start = i;
        function_head = head;
      } else {
        const bool is_value = head.ends_with("=") || head.empty() || head.starts_with(",");
        levels.push_back(is_value ? Level::inner : Level::scope);
      }
    } else if (c == '}' && !levels.empty()) {
      if (levels.back() == Level::function) {
        const std::size_t first = line_of(file.code, function_start);
        found.push_back({function_head, first, line_of(file.code, i) - first + 1});
      }
      levels.pop_back();
    }
    if (c == '{' || c == '}' || c == ';') head_start = i + 1;
    if (c == '#') {  // a preprocessor line is no head
      head_start = i = std::min(file.code.find('\n', i), file.code.size() - 1);
    }
  }
  return found;
}

std::string name_of(const Function& function) {
  const std::string until = function.head.substr(0, function.head.find('('));
  const std::size_t space = trimmed(until).find_last_of(" \n");
  return space == std::string::npos ? trimmed(until) : trimmed(until).substr(space + 1);
}

Findings long_functions(const SourceFile& file) {
  Findings findings;
  for (const Function& function : functions_of(file)) {
    const auto allowed = longer_functions.find(file.path + ": " + name_of(function));
    const std::size_t max = allowed == longer_functions.end() ? function_lines_max : allowed->second;
    if (function.lines <= max) continue;
    findings.push_back(
        {file.path, function.first_line,
         name_of(function) + " has " + std::to_string(function.lines) + " lines, above " + std::to_string(max)});
  }
  return findings;
}

Findings long_files(const SourceFile& file) {
  const auto lines = static_cast<std::size_t>(std::count(file.text.begin(), file.text.end(), '\n'));
  if (lines <= file_lines_max) return {};
  return {{file.path, 1, "has " + std::to_string(lines) + " lines, above " + std::to_string(file_lines_max)}};
}

Findings unfinished(const SourceFile& file) {
  static const std::regex mark(
      "\\b(TO"
      "DO|FIX"
      "ME|X"
      "XX|HA"
      "CK)\\b");
  Findings findings;
  for (std::sregex_iterator at(file.text.begin(), file.text.end(), mark), end; at != end; ++at) {
    findings.push_back({file.path, line_of(file.text, static_cast<std::size_t>(at->position(0))),
                        "a mark of unfinished work: finish it, or write an issue"});
  }
  return findings;
}

Findings silent_headers(const SourceFile& file) {
  if (!file.path.ends_with(".h")) return {};
  Findings findings;
  if (!file.text.starts_with("// ")) findings.push_back({file.path, 1, "a header begins by saying what it is"});
  const std::size_t pragma = file.text.find("#pragma once\n");
  if (pragma == std::string::npos || trimmed(file.code.substr(0, pragma)) != "") {
    findings.push_back({file.path, 1, "#pragma once comes before all code"});
  }
  return findings;
}

TEST_CASE("No function is longer than a screen") { CHECK(to_text(over_project(long_functions)) == ""); }

TEST_CASE("No file is longer than 700 lines") { CHECK(to_text(over_project(long_files)) == ""); }

TEST_CASE("No mark of unfinished work is left in the code") { CHECK(to_text(over_project(unfinished)) == ""); }

TEST_CASE("Every header begins with a comment and has #pragma once") {
  CHECK(to_text(over_project(silent_headers)) == "");
}

TEST_CASE("Every fuzz harness has seeds, and all seeds have a harness") {
  namespace fs = std::filesystem;
  const fs::path fuzz = fs::path(POSTKEEP_SOURCE_DIR) / "tests/fuzz";
  std::set<std::string> harnesses;
  for (const auto& entry : fs::directory_iterator(fuzz)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with("_fuzz.cpp")) harnesses.insert(name.substr(0, name.size() - 9));
  }
  std::set<std::string> corpora;
  for (const auto& entry : fs::directory_iterator(fuzz / "corpus")) {
    if (entry.is_directory() && !fs::is_empty(entry.path())) corpora.insert(entry.path().filename().string());
  }
  CHECK(!harnesses.empty());
  CHECK(harnesses == corpora);
}

TEST_CASE("The project's sources are really read") {
  CHECK(project_sources().size() > 100);
  std::size_t functions = 0;
  for (const SourceFile& file : project_sources()) functions += functions_of(file).size();
  CHECK(functions > 500);
}

TEST_CASE("The ratchet of function lengths counts from brace to brace, in namespaces and classes") {
  const std::string body = [] {
    std::string lines;
    for (int i = 0; i < 69; ++i) lines += "  if (x) { f({1}); }\n";
    return lines;
  }();
  const auto findings = [&](const std::string& text) { return long_functions(make_source("server/a.cpp", text)); };
  CHECK(findings("namespace a {\nvoid g() {\n" + body + "}\n}\n").size() == 1);  // 71
  CHECK(findings("namespace a {\nvoid g() {\n" + body.substr(body.find('\n') + 1) + "}\n}\n").empty());
  CHECK(findings("class A : public B {\n public:\n  int g(int x) const noexcept {\n" + body + "  }\n};\n").size() == 1);
  CHECK(findings("A::A(int x) : x_(x), y_(2) {\n" + body + "}\n").size() == 1);
  CHECK(findings("TEST_CASE(\"x\") {\n" + body + "}\n").size() == 1);
  CHECK(findings("const std::vector<int> table = {\n" + body + "};\n").empty());
  CHECK(findings("namespace a {\nvoid g() {\n" + body + "}\n}\n").front().what == "g has 71 lines, above 70");
}

TEST_CASE("The other rules of shape can fail") {
  CHECK(long_files(make_source("a.cpp", std::string(701, '\n'))).size() == 1);
  CHECK(long_files(make_source("a.cpp", std::string(700, '\n'))).empty());
  CHECK(unfinished(make_source("a.cpp",
                               "// TO"
                               "DO later\n"))
            .size() == 1);
  CHECK(unfinished(make_source("a.cpp",
                               "int x;  // FIX"
                               "ME\n"))
            .front()
            .line == 1);
  CHECK(unfinished(make_source("a.cpp", "// a mastodon's todo\n")).empty());
  CHECK(silent_headers(make_source("a.h", "#pragma once\n")).size() == 1);
  CHECK(silent_headers(make_source("a.h", "// A.\n#include <x>\n#pragma once\n")).size() == 1);
  CHECK(silent_headers(make_source("a.h", "// A.\nint x;\n")).size() == 1);
  CHECK(silent_headers(make_source("a.h", "// A.\n#pragma once\n")).empty());
}

TEST_CASE("Comments and literals are blanked, and lines stay where they are") {
  const SourceFile file = make_source("a.cpp", "a /* { \n } */ b \"{\\\"}\" c '{' 1'000 // }\nR\"x({)\")x\" d\n");
  CHECK(file.code.size() == file.text.size());
  CHECK(file.code.find_first_of("{}") == std::string::npos);
  CHECK(std::count(file.code.begin(), file.code.end(), '\n') == std::count(file.text.begin(), file.text.end(), '\n'));
  CHECK(file.code.find("1'000") != std::string::npos);
  CHECK(file.code.find(" d\n") != std::string::npos);
}

}  // namespace
}  // namespace postkeep::test
