#include "server/admin/command_line.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>

#include "auth/user_database.h"
#include "server/admin/local_host.h"
#include "storage/posix_file_system.h"
#include "tests/support/temporary_directory.h"

using namespace postkeep;
using namespace postkeep::admin;
using Json = nlohmann::json;

namespace {

std::string served_with;  // what the last `serve` was given
int fake_serve(Settings settings, const std::string& config_file) {
  served_with = settings.data_dir + "|" + config_file;
  return 0;
}

struct Ran {
  int code = 0;
  std::string out, err;
};

struct CommandLineFixture {
  test::TemporaryDirectory directory;
  std::string config = directory / "postkeep.toml";
  std::string data = directory / "deep/data";

  CommandLineFixture() {
    std::ofstream(config) << "data_dir = \"" << data << "\"\n[auth]\nargon2_memory = \"64K\"\nargon2_iterations = 1\n";
  }
  Ran run(std::vector<std::string> arguments, const std::string& input = "", bool with_config = true) {
    std::vector<const char*> argv = {"postkeep"};
    if (with_config) arguments.insert(arguments.end(), {"--config", config});
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    std::istringstream in(input);
    std::ostringstream out, err;
    Ran ran;
    ran.code = run_command_line(static_cast<int>(argv.size()), argv.data(), NearSide{in, out, err, fake_serve});
    ran.out = out.str();
    ran.err = err.str();
    return ran;
  }
  std::vector<std::string> schemes(const std::string& user) {
    return Json::parse(run({"user", "show", user, "--json"}).out)["schemes"];
  }
};

}  // namespace

TEST_CASE_FIXTURE(CommandLineFixture, "a user is added with a password from standard input, wherever --config stands") {
  CHECK(run({"user", "add", "a", "--password-stdin"}, "secret\n").code == 0);
  CHECK(run({"--config", config, "user", "add", "b", "--password-stdin"}, "secret\n", false).code == 0);
  CHECK(run({"user", "--config", config, "add", "c", "--password-stdin"}, "secret", false).code == 0);
  CHECK(run({"user", "add", "d", "--password-stdin", "--scheme", "PLAIN", "-c", config}, "secret\r\n", false).code ==
        0);
  CHECK(run({"user", "list"}).out == "a\nb\nc\nd\n");
  CHECK(schemes("a") == std::vector<std::string>{"ARGON2ID", "SCRAM-SHA-256", "SCRAM-SHA-1"});
  CHECK(schemes("d") == std::vector<std::string>{"PLAIN"});
}

TEST_CASE_FIXTURE(CommandLineFixture, "the password that was typed is the one that fits, without its line end") {
  REQUIRE(run({"user", "add", "a", "--password-stdin"}, " two words \r\nnext line\n").code == 0);
  const auto files = storage::posix_file_system();
  auto users = auth::UserDatabase::open(*files, auth::user_database_path(data)).value();
  const auto verifiers = users->verifiers("a").value();
  CHECK(auth::verify_password(Secret(" two words "), verifiers.at(0)).value());
  CHECK_FALSE(auth::verify_password(Secret("two words"), verifiers.at(0)).value());
}

TEST_CASE_FIXTURE(CommandLineFixture, "ready-made hashes are taken, several of them, and bad ones are not") {
  CHECK(run({"user", "add", "a", "--hash", "{PLAIN}word"}).code == 0);
  CHECK(schemes("a") == std::vector<std::string>{"PLAIN"});
  CHECK(run({"user", "passwd", "a", "--hash", "{PLAIN}x", "--hash",
             "{SCRAM-SHA-256}$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
             "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="})
            .code == 0);
  CHECK(schemes("a") == std::vector<std::string>{"PLAIN", "SCRAM-SHA-256"});
  CHECK(run({"user", "passwd", "a", "--hash", "word"}).code == 1);
  CHECK(run({"user", "passwd", "a", "--hash", "{PLAIN}x", "--scheme", "PLAIN"}).code == 2);
}

TEST_CASE_FIXTURE(CommandLineFixture, "exit codes tell what went wrong, and the error goes to standard error") {
  CHECK(run({"user", "add", "a", "--password-stdin"}, "x\n").code == 0);
  const Ran again = run({"user", "add", "a", "--password-stdin"}, "x\n");
  CHECK(again.code == 4);
  CHECK(again.out.empty());
  CHECK(again.err == "postkeep: There is already a user of that name\n");
  CHECK(run({"user", "show", "nobody"}).code == 3);
  CHECK(run({"mailbox", "list", "nobody"}).code == 3);
  CHECK(run({"user", "add", "b", "--password-stdin"}, "").code == 2);
  CHECK(run({"user", "add", "b", "--password-stdin"}, "\n").code == 2);
  CHECK(run({"user", "add", "b", "--password-stdin"}, std::string(5000, 'x') + "\n").code == 1);
  CHECK(run({"user", "add", "b", "--password-stdin", "--scheme", "ROT13"}, "x\n").code == 2);
  CHECK(run({"user", "add", "no/way", "--password-stdin"}, "x\n").code == 1);
  CHECK(run({"user", "list"}).out == "a\n");
}

TEST_CASE_FIXTURE(CommandLineFixture, "a user may be called like a command") {
  for (const std::string name : {"add", "list", "mailbox", "serve", "user", "version"}) {
    CHECK(run({"user", "add", name, "--password-stdin", "--scheme", "PLAIN"}, "x\n").code == 0);
  }
  CHECK(run({"user", "list"}).out == "add\nlist\nmailbox\nserve\nuser\nversion\n");
}

TEST_CASE_FIXTURE(CommandLineFixture, "a password on the command line is not understood") {
  CHECK(run({"user", "add", "a", "secret"}).code == 2);
  CHECK(run({"user", "add", "a", "--password", "secret"}).code == 2);
}

TEST_CASE_FIXTURE(CommandLineFixture, "what is no command is wrong usage, and help is none") {
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{{},
                                                                                     {"nonsense"},
                                                                                     {"user"},
                                                                                     {"user", "nonsense"},
                                                                                     {"user", "show"},
                                                                                     {"user", "list", "extra"},
                                                                                     {"--nonsense"}}) {
    CHECK(run(wrong).code == 2);
  }
  const Ran help = run({"--help"});
  CHECK(help.code == 0);
  CHECK(help.out.find("mailbox") != std::string::npos);
  const Ran verb_help = run({"user", "add", "--help"});
  CHECK(verb_help.code == 0);
  CHECK(verb_help.out.find("--password-stdin") != std::string::npos);
}

TEST_CASE_FIXTURE(CommandLineFixture, "errors are JSON where results are") {
  const Ran ran = run({"user", "show", "nobody", "--json"});
  CHECK(ran.code == 3);
  CHECK(Json::parse(ran.err)["error"]["kind"] == "not_found");
}

TEST_CASE_FIXTURE(CommandLineFixture, "version and serve need no data, and serve gets the settings and their file") {
  CHECK(run({"version"}, "", false).out.starts_with("postkeep "));
  CHECK(Json::parse(run({"version", "--json"}, "", false).out)["name"] == "postkeep");
  CHECK(run({"serve"}).code == 0);
  CHECK(served_with == data + "|" + config);
}

TEST_CASE_FIXTURE(CommandLineFixture, "the configuration is checked and shown, and a bad one stops every command") {
  CHECK(run({"config", "check"}).code == 0);
  CHECK(run({"config", "show"}).out.find("allow_plaintext = \"loopback\"") != std::string::npos);
  const Json shown = Json::parse(run({"config", "show", "--json"}).out);
  CHECK(shown["data_dir"] == data);
  CHECK(shown["limits"]["connections_per_user"] == 100);
  std::ofstream(config) << "nonsense = 1\n[limits]\nconnections_per_user = \"many\"\n";
  served_with.clear();
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"config", "check"}, {"config", "show"}, {"serve"}, {"user", "list"}}) {
    const Ran ran = run(command);
    CHECK(ran.code == 6);
    CHECK(ran.err.find(config + ":1: nonsense") != std::string::npos);
    CHECK(ran.err.find(config + ":3: limits.connections_per_user") != std::string::npos);
  }
  CHECK(served_with.empty());
  config = directory / "missing.toml";
  CHECK(run({"config", "check"}).code == 6);
}

TEST_CASE_FIXTURE(CommandLineFixture, "the data folder is made for its owner alone") {
  REQUIRE(run({"user", "list"}).code == 0);
  struct stat info {};
  REQUIRE(stat(data.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
}

TEST_CASE_FIXTURE(CommandLineFixture, "while another process holds the data, a command waits for it") {
  REQUIRE(run({"user", "list"}).code == 0);
  const auto files = storage::posix_file_system();
  auto lock = files->lock(lock_path(data)).value();
  std::thread other([&lock] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    lock.reset();
  });
  CHECK(run({"user", "list"}).code == 0);
  other.join();
}

TEST_CASE_FIXTURE(CommandLineFixture, "pw hash makes what user add --hash and pw check take") {
  for (const char* scheme : {"ARGON2ID", "SCRAM-SHA-256", "CRYPT", "ssha512"}) {
    CAPTURE(scheme);
    const Ran made = run({"pw", "hash", "--password-stdin", "--scheme", scheme}, "secret\n");
    REQUIRE(made.code == 0);
    const std::string hash = made.out.substr(0, made.out.find('\n'));
    CHECK(run({"pw", "check", "--password-stdin", "--hash", hash}, "secret\n").code == 0);
    CHECK(run({"pw", "check", "--password-stdin"}, "secret\n" + hash + "\r\n").code == 0);
    CHECK(run({"pw", "check", "--password-stdin"}, "wrong\n" + hash + "\n").code == 1);
    CHECK(run({"user", "add", scheme, "--hash", hash}).code == 0);
  }
  CHECK(
      Json::parse(run({"pw", "hash", "--password-stdin", "--json"}, "x\n").out)["hash"].get<std::string>().starts_with(
          "{ARGON2ID}$argon2id$v=19$m=64,t=1,p=1$"));
}

TEST_CASE_FIXTURE(CommandLineFixture, "pw says what is missing or wrong, and never the hash") {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"hash"}, {"hash", "--password-stdin", "--scheme", "ROT13"}, {"check"}, {"check", "--hash", "{PLAIN}x"}}) {
    std::vector<std::string> all = {"pw"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Ran ran = run(all, arguments.size() > 2 ? "x\n" : "");
    CHECK(ran.code == 2);
    CHECK_FALSE(ran.err.empty());
  }
  const Ran refused = run({"pw", "hash", "--password-stdin", "--scheme", "MD5-CRYPT"}, "x\n");
  CHECK(refused.code == 1);
  CHECK(refused.err.find("SHA512-CRYPT") != std::string::npos);
  const Ran malformed = run({"pw", "check", "--password-stdin", "--hash", "{CRYPT}s3cret"}, "x\n");
  CHECK(malformed.code == 1);
  CHECK(malformed.err.find("s3cret") == std::string::npos);
}

TEST_CASE_FIXTURE(CommandLineFixture, "pw schemes lists the table") {
  const Ran listed = run({"pw", "schemes"});
  CHECK(listed.code == 0);
  CHECK(listed.out.find("ARGON2ID") == 0);
  CHECK(Json::parse(run({"pw", "schemes", "--json"}).out).size() ==
        static_cast<std::size_t>(std::ranges::count(listed.out, '\n')));
}

TEST_CASE_FIXTURE(CommandLineFixture,
                  "users of a passwd-file are shown and not changed, and an unknown backend is told") {
  const std::string users = directory / "users";
  std::ofstream(users) << "file:{PLAIN}x\n";
  std::ofstream(config, std::ios::app) << "backends = [\"passwd-file:" + users + "\", \"database\"]\n";
  CHECK(run({"user", "list"}).out == "file\n");
  CHECK(schemes("file") == std::vector<std::string>{"PLAIN"});
  const Ran refused = run({"user", "delete", "file"});
  CHECK(refused.code == 1);
  CHECK(refused.err.find(users) != std::string::npos);
  CHECK(run({"user", "add", "FILE", "--hash", "{PLAIN}x"}).code == 4);
  CHECK(run({"user", "add", "other", "--hash", "{PLAIN}x"}).code == 0);
  CHECK(run({"user", "list"}).out == "file\nother\n");
  std::ofstream(config) << "[auth]\nbackends = [\"ldap\"]\n";
  const Ran unknown = run({"config", "check"});
  CHECK(unknown.code == 6);
  CHECK(unknown.err.find("passwd-file") != std::string::npos);
}
