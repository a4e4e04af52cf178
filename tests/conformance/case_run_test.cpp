#include "conformance/runner/case_run.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "tests/support/results.h"

using namespace postkeep;
using namespace postkeep::conformance;
using namespace postkeep::test;

namespace {

// A server that says what the test tells it to, for answers that ours would not give.
class PuppetServer {
 public:
  // What it sends for a command; a nullopt hangs up.
  using Says = std::function<std::optional<std::string>(const std::string& tag, const std::string& command)>;

  explicit PuppetServer(Says says) : says_(std::move(says)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 8) == 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~PuppetServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (std::thread& session : sessions_) session.join();
    ::close(listener_);
  }
  PuppetServer(const PuppetServer&) = delete;
  PuppetServer& operator=(const PuppetServer&) = delete;
  std::string port() const { return std::to_string(port_); }

 private:
  void accept_all() {
    for (int descriptor = ::accept(listener_, nullptr, nullptr); descriptor >= 0;
         descriptor = ::accept(listener_, nullptr, nullptr)) {
      sessions_.emplace_back([this, descriptor] { serve(descriptor); });
    }
  }
  void serve(int descriptor) const {
    const auto send = [descriptor](const std::string& text) {
      (void)::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL);
    };
    send("* OK hello\r\n");
    std::string read;
    char octet = 0;
    while (::recv(descriptor, &octet, 1, 0) == 1) {
      read += octet;
      if (!read.ends_with("\r\n")) continue;
      const std::string line = std::exchange(read, "");
      const std::size_t space = line.find(' ');
      const std::optional<std::string> reply =
          says_(line.substr(0, space), line.substr(space + 1, line.size() - space - 3));
      if (!reply) break;
      send(*reply);
    }
    ::close(descriptor);
  }

  Says says_;
  int listener_;
  int port_ = 0;
  std::thread acceptor_;
  std::vector<std::thread> sessions_;
};

CaseResult run_at(PuppetServer::Says says, const std::string& steps) {
  const Script script = must(parse_script("s", "script t\ncase c\n" + steps));
  const PuppetServer server([&says](const std::string& tag, const std::string& command) -> std::optional<std::string> {
    const std::optional<std::string> own = says(tag, command);
    return own == "" ? tag + " OK done\r\n" : own == "-" ? "" : own;
  });
  Target target;
  target.imap = {"127.0.0.1", server.port()};
  target.accounts[0] = {"one", "a\"b"};
  const Fixtures fixtures = {{"plain", "A: b\r\n\r\n"}};
  Housekeeper housekeeper(target, fixtures);
  return CaseRun(target, fixtures, housekeeper, Mode::rev1, 1).run(script.cases[0]);
}

using Verdict = CaseResult::Verdict;

}  // namespace

TEST_CASE("replies in another order than the commands are each for its own") {
  const auto says = [](const std::string&, const std::string& command) -> std::optional<std::string> {
    if (command == "FIRST") return "-";
    if (command == "SECOND") return "* 2 EXISTS\r\na2 OK second\r\n* 1 EXISTS\r\na1 OK first\r\n";
    return "";
  };
  const std::string sends = "  A send t1: FIRST\n  A send t2: SECOND\n";
  const std::string first = "  A await t1\n    * 1 EXISTS\n    nothing else\n    OK\n";
  const std::string second = "  A await t2\n    * 2 EXISTS\n    nothing else\n    OK\n";
  CHECK(run_at(says, sends + first + second).reason == "");
  CHECK(run_at(says, sends + second + first).reason == "");
}

TEST_CASE("what a connection was told before its literal is not another's") {
  const auto says = [](const std::string&, const std::string& command) -> std::optional<std::string> {
    if (command == "X {1}") return "* 5 EXISTS\r\n+ go on\r\n";
    if (command == "END") return "a1 OK done\r\n";  // "x END": the literal and what follows it
    return "";
  };
  CHECK(run_at(says,
               "  A send t1: X {{\"x\"}} END\n  B: NOOP\n    nothing else\n    OK\n"
               "  A await t1\n    * 5 EXISTS\n    OK\n")
            .reason == "");
}

TEST_CASE("a connection that is closed is not silent, and a reply that does not come is missed") {
  const auto says = [](const std::string&, const std::string& command) -> std::optional<std::string> {
    if (command == "HANG") return std::nullopt;
    if (command == "BABBLE") return "a1 OK\r\n";
    return "";
  };
  CHECK(run_at(says, "  A: HANG\n    closed\n").reason == "");
  CHECK(run_at(says, "  A: HANG\n    closed\n  A sees nothing\n").reason == "the connection was closed");
  CHECK(run_at(says, "  A: HANG\n    not * _ EXISTS\n").reason == "the connection was closed");
  CHECK(run_at(says, "  A: NOOP\n    OK\n  A sees nothing\n").reason == "");
  CHECK(run_at(says, "  A: BABBLE\n    OK\n").reason.starts_with("what came is no IMAP response"));
}

TEST_CASE("a capability is needed as it is, or with any value") {
  const auto says = [](const std::string& tag, const std::string& command) -> std::optional<std::string> {
    return (command == "CAPABILITY" ? "* CAPABILITY IMAP4rev1 LIMIT=5 LIMITS\r\n" : "") + tag + " OK done\r\n";
  };
  CHECK(run_at(says, "  needs LIMIT=\n  A: NOOP\n    OK\n").verdict == Verdict::passed);
  CHECK(run_at(says, "  needs LIMIT=5\n  A: NOOP\n    OK\n").verdict == Verdict::passed);
  CHECK(run_at(says, "  needs LIMIT\n  A: NOOP\n    OK\n").reason == "needs LIMIT");
  CHECK(run_at(says, "  needs LIMITS=\n  A: NOOP\n    OK\n").reason == "needs LIMITS=");
  CHECK(run_at(says, "  needs OTHER|LIMIT=\n  A: NOOP\n    OK\n").reason == "");
}

TEST_CASE("what the case needs and the server has not skips it; what cannot be set up fails it") {
  const auto says = [](const std::string& tag, const std::string& command) -> std::optional<std::string> {
    if (command.starts_with("CREATE")) return tag + " NO not here\r\n";
    return "";
  };
  const CaseResult failed = run_at(says, "  given $box: plain\n  A: NOOP\n    OK\n");
  CHECK(failed.verdict == Verdict::failed);
  CHECK(failed.reason == "could not be set up: CREATE: not here");
  CHECK(failed.line == 2);
  CHECK_FALSE(failed.exchange.empty());
  CHECK(run_at(says, "  needs MOVE\n  A: NOOP\n    OK\n").verdict == Verdict::skipped);
  CHECK(run_at(says, "  A as user2: NOOP\n    OK\n").reason == "needs a second user");
  CHECK(run_at(says, "  deliver user1: plain\n").reason == "needs delivery by LMTP");
}

TEST_CASE("a reply that may end the case skips what is left of it, and no other does") {
  std::string reply;
  const auto says = [&reply](const std::string& tag, const std::string& command) -> std::optional<std::string> {
    if (command == "RENAME") return tag + " " + reply + "\r\n";
    return command == "NOOP" ? tag + " BAD no\r\n" : "";
  };
  const std::string steps = "  A: RENAME\n    OK|NO [CANNOT]\n    optional NO\n  A: NOOP\n    OK\n";
  reply = "NO I do not";
  CHECK(run_at(says, steps).verdict == Verdict::skipped);
  CHECK(run_at(says, "  A: RENAME\n    OK\n    optional NO\n    not /I do/\n").verdict == Verdict::failed);
  reply = "NO [CANNOT] I do not";
  CHECK(run_at(says, steps).line == 7);
  reply = "OK done";
  CHECK(run_at(says, steps).verdict == Verdict::failed);
  CHECK(run_at(says, steps).line == 7);
  reply = "BAD what";
  CHECK(run_at(says, steps).verdict == Verdict::failed);
  CHECK(run_at(says, steps).line == 4);
}

TEST_CASE("the password is quoted") {
  const auto says = [](const std::string& tag, const std::string& command) -> std::optional<std::string> {
    if (command.starts_with("LOGIN"))
      return tag + (command == R"(LOGIN "one" "a\"b")" ? " OK in\r\n" : " NO wrong\r\n");
    return "";
  };
  CHECK(run_at(says, "  A: NOOP\n    OK\n").reason == "");
}
