#include "auth/certificate_names.h"

#include <doctest/doctest.h>

#include <fstream>

#include "storage/posix_file_system.h"
#include "tests/support/temporary_directory.h"

using namespace postkeep;
using namespace postkeep::auth;

namespace {

using Names = std::vector<std::string>;

CertificateNames alices() {
  CertificateNames names;
  names.subject = "CN=Alice Smith,O=Example";
  names.fingerprint = std::string(64, 'a');
  names.common_names = {"Alice Smith"};
  names.emails = {"alice@example.org", "a.smith@example.net"};
  return names;
}

CertificateRule rule(std::string_view text) { return certificate_rule_from_text(text).value(); }

CertificateRule map_of(std::string_view lines) {
  CertificateRule made = rule("file:/x");
  made.map = read_certificate_map(lines).value();
  return made;
}

std::string problem(std::string_view lines) {
  const auto map = read_certificate_map(lines);
  return map ? "" : map.error().text;
}

}  // namespace

TEST_CASE("a certificate stands for the users that the rules name, in their order") {
  CHECK(users_of(alices(), {}).empty());
  CHECK(users_of(alices(), {rule("email")}) == Names{"alice@example.org", "a.smith@example.net"});
  CHECK(users_of(alices(), {rule("cn")}) == Names{"Alice Smith"});
  CHECK(users_of(alices(), {rule("cn"), rule("email")}) ==
        Names{"Alice Smith", "alice@example.org", "a.smith@example.net"});
}

TEST_CASE("a map finds certificates by address, common name, subject and fingerprint, whole each") {
  const CertificateRule map = map_of(
      "# comment\n"
      "\n"
      "one email:ALICE@example.org\r\n"
      "two   cn:Alice Smith  \n"
      "three\tsubject:CN=Alice Smith,O=Example\n"
      "four sha256:" +
      std::string(64, 'A') +
      "\n"
      "five cn:Alice\nsix cn:alice smith\nseven subject:CN=Alice Smith\neight email:example.org\ntwo cn:Alice Smith");
  CHECK(users_of(alices(), {map}) == Names{"one", "two", "three", "four"});
}

TEST_CASE("fingerprints are taken with colons, as openssl prints them") {
  std::string with_colons = "AA";
  for (int i = 1; i < 32; ++i) with_colons += ":AA";
  CHECK(users_of(alices(), {map_of("x sha256:" + with_colons)}) == Names{"x"});
}

TEST_CASE("a malformed map is refused whole, with the number of the line") {
  CHECK(problem("a cn:x\nb\n").starts_with("line 2: "));
  CHECK(problem("a x:y").starts_with("line 1: "));
  CHECK(problem("a/b cn:x").starts_with("line 1: "));
  CHECK(problem("a cn:").starts_with("line 1: "));
  CHECK(problem("#\n#\na sha256:12").starts_with("line 3: "));
  CHECK(problem("a sha256:" + std::string(63, 'a') + "g").starts_with("line 1: "));
}

TEST_CASE("rules are email, cn or a file, and files are read when they are loaded") {
  for (const char* bad : {"", "Email", "file:", "file:relative", "/etc/map"})
    CHECK_FALSE(certificate_rule_from_text(bad));
  const test::TemporaryDirectory directory;
  const auto files = storage::posix_file_system();
  std::ofstream(directory / "map") << "alice cn:Alice Smith\n";
  const auto loaded = load_certificate_rules(*files, {"cn", "file:" + (directory / "map")}).value();
  CHECK(users_of(alices(), loaded) == Names{"Alice Smith", "alice"});
  CHECK_FALSE(load_certificate_rules(*files, {"file:" + (directory / "none")}).has_value());
  std::ofstream(directory / "map") << "alice\n";
  const auto broken = load_certificate_rules(*files, {"file:" + (directory / "map")});
  REQUIRE_FALSE(broken.has_value());
  CHECK(broken.error().detail.find("line 1") != std::string::npos);
}
