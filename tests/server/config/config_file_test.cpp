#include "server/config/config_file.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "auth/mechanisms.h"
#include "server/config/settings_table.h"
#include "tests/support/temporary_directory.h"

using namespace postkeep;
using namespace postkeep::config;

namespace {

// The problems of a text, "2: limits.x: ..." each.
std::vector<std::string> problems(std::string_view text) {
  const auto parsed = parse(text);
  std::vector<std::string> found;
  if (parsed) return found;
  for (const Problem& problem : parsed.error()) found.push_back(std::to_string(problem.line) + ": " + problem.text);
  return found;
}

bool begins(const std::string& text, std::string_view with) { return text.starts_with(with); }

}  // namespace

TEST_CASE("an empty file gives the defaults and the machine's name") {
  const Settings settings = parse("").value();
  CHECK(settings.data_dir == "/var/lib/postkeep");
  CHECK_FALSE(settings.hostname.empty());
  CHECK(settings.auth.allow_plaintext == AllowPlaintext::loopback);
  CHECK(settings.limits.connections_per_user == 100);
  CHECK(settings.listen.imap.empty());
  CHECK(settings.mailbox.special_use.size() == 5);
}

TEST_CASE("a listener may be marked for the PROXY protocol, and then somebody is trusted") {
  const auto parsed = parse(R"(
[listen]
imaps = ["*:993", "10.0.0.7:1993 proxy"]
pop3 = "unix:/run/pop3 proxy"
[proxy]
trusted = ["10.0.0.0/24", "2001:db8::/32"]
)");
  REQUIRE(parsed);
  REQUIRE(parsed->listen.imaps.size() == 2);
  CHECK_FALSE(parsed->listen.imaps[0].proxy);
  CHECK(parsed->listen.imaps[1].proxy);
  CHECK(parsed->listen.imaps[1].port == 1993);
  CHECK(parsed->listen.pop3[0].path == "/run/pop3");
  CHECK(parsed->proxy.trusted.size() == 2);
  CHECK(show(*parsed).find("\"10.0.0.7:1993 proxy\"") != std::string::npos);
  CHECK(parse("[listen]\npop3 = \"unix:/run/pop3 proxy\"").has_value());
  CHECK(problems("[listen]\nimap = \"*:143 proxy\"") ==
        std::vector<std::string>{"0: proxy.trusted: name who may connect to \"*:143 proxy\""});
  CHECK(problems("[metrics]\nlisten = \"127.0.0.1:9095 proxy\"").size() == 1);
  CHECK(begins(problems("[proxy]\ntrusted = \"10.0.0.1/8\"").at(0), "2: proxy.trusted: must be a list of networks"));
}

TEST_CASE("every kind of value is read") {
  const Settings settings = parse(R"(
data_dir = "/srv/mail/"
hostname = "Mail.Example.ORG"
domains = ["example.org", "EXAMPLE.net"]
[listen]
imap = ["127.0.0.1:143", "[::1]:143", "*:1143", "unix:/run/imap.sock"]
lmtp = "unix:/run/lmtp.sock"
pop3 = "*:110"
pop3s = []
[tls]
certificate = "/etc/cert.pem"
private_key = "/etc/key.pem"
min_version = "1.3"
[auth]
allow_plaintext = "never"
argon2_memory = "64M"
[log]
level = "debug"
format = "json"
[limits]
connections_per_user = 0
message_size = "50M"
line_length = 10000
idle_timeout = "29m"
time_to_authenticate = 10
[mailbox]
separator = "."
special_use = ["Gesendet=sent", "Alt/Archiv=archive"]
[storage]
allow_network_file_system = true
)")
                                .value();
  CHECK(settings.data_dir == "/srv/mail");
  CHECK(settings.hostname == "mail.example.org");
  CHECK(own_domains(settings) ==
        std::vector<std::string>{"example.net", "example.org", "localhost", "mail.example.org"});
  REQUIRE(settings.listen.imap.size() == 4);
  CHECK(settings.listen.imap[1].host == "::1");
  CHECK(settings.listen.imap[1].port == 143);
  CHECK(settings.listen.imap[2].host.empty());
  CHECK(settings.listen.imap[3].kind == ListenAddress::Kind::unix_socket);
  CHECK(settings.listen.imap[3].path == "/run/imap.sock");
  CHECK(settings.listen.lmtp.size() == 1);
  CHECK(settings.tls.min_version == TlsVersion::tls_1_3);
  CHECK(settings.auth.allow_plaintext == AllowPlaintext::never);
  CHECK(settings.auth.argon2_memory == 64ULL * 1024 * 1024);
  CHECK(settings.log.level == LogLevel::debug);
  CHECK(settings.log.format == LogFormat::json);
  CHECK(settings.limits.connections_per_user == 0);
  CHECK(settings.limits.message_size == 50ULL * 1024 * 1024);
  CHECK(settings.limits.line_length == 10000);
  CHECK(settings.limits.idle_timeout == std::chrono::minutes(29));
  CHECK(settings.limits.time_to_authenticate == std::chrono::seconds(10));
  CHECK(settings.mailbox.separator == '.');
  CHECK(settings.mailbox.special_use ==
        std::vector<SpecialUseMailbox>{{"Gesendet", SpecialUse::sent}, {"Alt/Archiv", SpecialUse::archive}});
  CHECK(settings.storage.allow_network_file_system);
}

TEST_CASE("a sample explains every key, and means the same as the settings that it was made of") {
  CHECK(show(parse(sample(parse("").value())).value()) == show(parse("").value()));
  const Settings own =
      parse("domains = [\"a.example\"]\n[listen]\nimaps = [\"*:993\"]\n[log]\nlevel = \"debug\"\n").value();
  const std::string text = sample(own);
  CHECK(show(parse(text).value()) == show(own));
  CHECK(text.find("\n# Default: []\nimaps = [\"*:993\"]\n") != std::string::npos);
  CHECK(text.find("\n#imap = []\n") != std::string::npos);
  // With the comment marks of the defaults taken away it is still a configuration, and every key is there.
  std::string all;
  std::size_t keys = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::string line = text.substr(at, text.find('\n', at) - at);
    at += line.size() + 1;
    const bool is_default = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    if (is_default || (!line.empty() && line[0] != '#' && line[0] != '[')) ++keys;
    all += (is_default ? line.substr(1) : line) + "\n";
  }
  CHECK(keys == settings_table().size());
  CHECK(parse(all).has_value());
}

TEST_CASE("the package's settings are right") {
  CHECK(load(std::string(POSTKEEP_SOURCE_DIR) + "/packaging/package.toml").has_value());
}

TEST_CASE("figures are served on loopback, and elsewhere only if the file says so") {
  CHECK(
      parse("[metrics]\nlisten = [\"127.0.0.1:1\", \"[::1]:1\", \"localhost:1\", \"unix:/run/figures\"]").has_value());
  CHECK(parse("[metrics]\nlisten = [\"*:9095\"]\nallow_remote = true").has_value());
}

TEST_CASE("all unknown and wrong keys are told at once, with their lines") {
  const auto found = problems(
      "nonsense = 1\n"
      "\n"
      "[limits]\n"
      "connections_per_user = \"many\"\n"
      "bad_commands = -1\n"
      "conections = 5\n"
      "[wrong]\n"
      "a = 1\n"
      "[auth]\n"
      "allow_plaintext = \"sometimes\"\n");
  REQUIRE(found.size() == 6);
  CHECK(begins(found[0], "1: nonsense: there is no such key"));
  CHECK(found[1] == "4: limits.connections_per_user: must be a whole number from 0 to 1000000");
  CHECK(begins(found[2], "5: limits.bad_commands: must be"));
  CHECK(found[3] == "6: limits.conections: there is no such key; did you mean limits.connections?");
  CHECK(begins(found[4], "7: wrong: there is no such key"));
  CHECK(found[5] == "10: auth.allow_plaintext: must be one of \"never\", \"loopback\", \"always\"");
}

TEST_CASE("a key in the wrong section is shown its place") {
  CHECK(problems("connections_per_user = 3\n").at(0) ==
        "1: connections_per_user: there is no such key; did you mean limits.connections_per_user?");
}

TEST_CASE("values that are not of the key's kind are refused with what is wanted") {
  const std::pair<const char*, const char*> table[] = {
      {"data_dir = \"\"", "1: data_dir: must not be empty"},
      {"data_dir = 3", "1: data_dir: must be a text in quotes"},
      {"data_dir = 1.5", "1: data_dir: must be a text"},
      {"hostname = \"two words\"", "1: hostname: must be a domain name"},
      {"domains = [1, 2]", "1: domains: must be a list of texts"},
      {"listen = 3", "1: listen: is a section"},
      {"[listen]\nimap = [\"143\"]", "2: listen.imap: must be \"host:port\""},
      {"[listen]\nimap = [\"::1:143\"]", "2: listen.imap: must be"},
      {"[listen]\nimap = [\"a:99999\"]", "2: listen.imap: must be"},
      {"[listen]\nimap = [\"unix:\"]", "2: listen.imap: must be \"unix:path\""},
      {"[tls]\nmin_version = \"1.1\"", "2: tls.min_version: must be one of \"1.2\", \"1.3\""},
      {"[limits]\nmessage_size = \"5X\"", "2: limits.message_size: must be a size from 1K to"},
      {"[limits]\nmessage_size = \"99999999999999999999G\"", "2: limits.message_size: must be a size"},
      {"[limits]\nidle_timeout = \"-1s\"", "2: limits.idle_timeout: must be a time from 1s to 7d"},
      {"[limits]\nidle_timeout = \"soon\"", "2: limits.idle_timeout: must be a time"},
      {"[mailbox]\nseparator = \"|\"", "2: mailbox.separator: must be \"/\" or \".\""},
      {"[mailbox]\nspecial_use = [\"Sent\"]", "2: mailbox.special_use: must be a list of \"Name=role\""},
      {"[mailbox]\nspecial_use = [\"INBOX=sent\"]", "2: mailbox.special_use: must be"},
      {"[mailbox]\nspecial_use = [\"A=sent\", \"B=sent\"]", "2: mailbox.special_use: must be a list in which nothing"},
      {"[imap]\nquota_admins = 1", "2: imap.quota_admins: must be a list of texts"},
      {"[imap]\nquota_admins = [\"root\", \"user/one\"]",
       "2: imap.quota_admins: must be a list of names of users: A user"},
      {"[imap]\nquota_admins = [\"\"]",
       "2: imap.quota_admins: must be a list of names of users: A user name cannot be"},
      {"[storage]\nallow_network_file_system = 1", "2: storage.allow_network_file_system: must be true or false"},
      {"[tls]\ncertificate = \"x\"", "1: tls: certificate and private_key are set both or neither"},
      {"[service]\ngroup = \"mail\"", "1: service: group is set, user not"},
      {"[metrics]\nlisten = [\"*:9095\"]", "1: metrics.listen: *:9095 is not on loopback"},
      {"[metrics]\nlisten = [\"192.0.2.1:9095\"]", "1: metrics.listen: 192.0.2.1:9095 is not on loopback"},
      {"[metrics]\nlisten = [\"[2001:db8::1]:9095\"]", "1: metrics.listen: [2001:db8::1]:9095 is not on loopback"},
      {"[metrics]\nlisten = [\"figures.example.org:9095\"]", "1: metrics.listen: figures.example.org:9095 is not"},
  };
  for (const auto& row : table) {
    CAPTURE(row.first);
    const auto found = problems(row.first);
    REQUIRE(found.size() == 1);
    CHECK_MESSAGE(begins(found[0], row.second), found[0]);
  }
}

TEST_CASE("bad TOML is told with its line, and an unreadable file as a whole") {
  CHECK(begins(problems("a = 1\nb = = 2\n").at(0), "2: not TOML"));
  CHECK(begins(problems("a = \"\xFF\"\n").at(0), "1: not TOML"));
  const auto missing = load("/nonexistent/postkeep.toml");
  REQUIRE_FALSE(missing.has_value());
  CHECK(to_text(missing.error(), "f") == "f: the file cannot be read\n");
  const test::TemporaryDirectory directory;
  CHECK_FALSE(load(directory.path()).has_value());  // a directory is no file
}

TEST_CASE("what is shown is read back as the same settings") {
  const Settings first = parse(R"(
hostname = "a.example"
domains = ["b.example"]
[listen]
imap = ["*:143"]
[log]
file = "/tmp/\"odd\\name\u0001\t"
[limits]
message_size = 1234567
idle_timeout = 61
[imap]
quota_admins = ["ann", "bob@example.org"]
[mailbox]
special_use = []
)")
                             .value();
  const Settings second = parse(show(first)).value();
  CHECK(show(second) == show(first));
  for (const Setting& setting : settings_table()) {
    CAPTURE(setting.path());
    CHECK(setting.get(first) == setting.get(second));
  }
  CHECK(second.log.file == "/tmp/\"odd\\name\x01\t");
  CHECK(second.mailbox.special_use.empty());
  CHECK(second.imap.quota_admins == std::vector<std::string>{"ann", "bob@example.org"});
}

TEST_CASE("every row of the table stands once, is documented, and accepts its own default") {
  std::set<std::string> paths;
  Settings settings = parse("").value();
  for (const Setting& setting : settings_table()) {
    CAPTURE(setting.path());
    CHECK(paths.insert(setting.path()).second);
    CHECK(setting.doc.ends_with('.'));
    CHECK(setting.set(settings, setting.get(settings)).has_value());
  }
}

TEST_CASE("docs/configuration.md is what the table says") {
  std::ifstream file(POSTKEEP_SOURCE_DIR "/docs/configuration.md");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  // If this fails: ./dev docs
  CHECK(text == reference());
}

TEST_CASE("the usual mechanisms are offered unless the file names others, which must exist") {
  const Settings usual = parse("").value();
  CHECK(auth::mechanism_set(usual.auth.mechanisms) == auth::usual_mechanisms());
  CHECK(offers_scram_sha_1(usual));
  const Settings some = parse("[auth]\nmechanisms = [\"plain\", \"cram-md5\"]").value();
  CHECK(some.auth.mechanisms == std::vector<std::string>{"PLAIN", "CRAM-MD5"});
  CHECK_FALSE(offers_scram_sha_1(some));
  CHECK(problems("[auth]\nmechanisms = [\"GSSAPI\"]").size() == 1);
}

TEST_CASE("who may act as whom is checked when it is read") {
  const Settings settings = parse(R"(
[auth]
masters = ["admin", "root@Example.ORG"]
delegates = ["alice as bob", "alice as *@Example.net"]
master_separator = "*"
certificate_users = ["email", "cn"]
anonymous_user = "guest"
)")
                                .value();
  CHECK(settings.auth.masters == std::vector<std::string>{"admin", "root@example.org"});
  CHECK(settings.auth.delegates == std::vector<std::string>{"alice as bob", "alice as *@example.net"});
  CHECK(settings.auth.master_separator == "*");
  CHECK(parse("").value().auth.masters.empty());
  for (const char* bad : {"masters = [\"a b\"]", "delegates = [\"alice bob\"]", "master_separator = \"a\"",
                          "master_separator = \"**\"", "certificate_users = [\"uid\"]", "anonymous_user = \"a/b\""}) {
    CAPTURE(bad);
    CHECK(problems(std::string("[auth]\n") + bad).size() == 1);
  }
}
