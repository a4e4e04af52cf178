#include "conformance/runner/pop3_case_run.h"

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

// A POP3 server that says what the test tells it to, and an IMAP server that agrees to everything, for the housekeeper.
class LinePuppet {
 public:
  // What it sends for a line; a nullopt hangs up.
  using Says = std::function<std::optional<std::string>(const std::string& line)>;

  LinePuppet(std::string greeting, Says says)
      : greeting_(std::move(greeting)), says_(std::move(says)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
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
  ~LinePuppet() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (std::thread& session : sessions_) session.join();
    ::close(listener_);
  }
  LinePuppet(const LinePuppet&) = delete;
  LinePuppet& operator=(const LinePuppet&) = delete;
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
    send(greeting_);
    std::string read;
    char octet = 0;
    while (::recv(descriptor, &octet, 1, 0) == 1) {
      read += octet;
      if (!read.ends_with("\r\n")) continue;
      const std::optional<std::string> reply = says_(read.substr(0, read.size() - 2));
      read.clear();
      if (!reply) break;
      send(*reply);
    }
    ::close(descriptor);
  }

  std::string greeting_;
  Says says_;
  int listener_;
  int port_ = 0;
  std::thread acceptor_;
  std::vector<std::thread> sessions_;
};

// `says` may leave commands of logins to it: "".
CaseResult run_at(LinePuppet::Says says, const std::string& steps, const std::set<std::string>& capabilities = {}) {
  const Script script = must(parse_script("s", "script t\nprotocol pop3\ncase c\n" + steps));
  const LinePuppet imap("* OK hello\r\n", [](const std::string& line) -> std::optional<std::string> {
    return line.substr(0, line.find(' ')) + " OK done\r\n";
  });
  const LinePuppet pop3("+OK hello\r\n", [&says](const std::string& line) -> std::optional<std::string> {
    const std::optional<std::string> own = says(line);
    return own == "" ? "+OK\r\n" : own;
  });
  Target target;
  target.imap = {"127.0.0.1", imap.port()};
  target.pop3 = {"127.0.0.1", pop3.port()};
  target.accounts[0] = {"one", "secret"};
  const Fixtures fixtures = {{"plain", "A: b\r\n\r\n.c\r\n"}};
  Housekeeper housekeeper(target, fixtures);
  return Pop3CaseRun(target, fixtures, housekeeper, capabilities).run(script.cases[0]);
}

using Verdict = CaseResult::Verdict;

std::optional<std::string> agree(const std::string&) { return ""; }

}  // namespace

TEST_CASE("an answer in several lines is read to its end, and stuffing is removed") {
  const auto says = [](const std::string& line) -> std::optional<std::string> {
    if (line == "RETR 1") return "+OK\r\nA: b\r\n\r\n..c\r\n.\r\n";
    if (line == "LIST") return "+OK\r\n1 12\r\n.\r\n";
    if (line == "LIST 1") return "+OK 1 12\r\n";
    return "";
  };
  CHECK(run_at(says,
               "  A: LIST\n    OK\n    line 1 $s\n    lines 1\n  A: LIST 1\n    OK 1 $s\n  A: RETR 1\n    OK\n    "
               "message plain\n")
            .reason == "");
  const CaseResult wrong = run_at(says, "  A: RETR 1\n    OK\n    size 13\n");
  CHECK(wrong.verdict == Verdict::failed);
  CHECK(wrong.line == 6);
  CHECK_FALSE(wrong.exchange.empty());
}

TEST_CASE("the greeting, and nothing behind it") {
  CHECK(run_at(agree, "  A unauthenticated sees:\n    OK hello\n  A sees nothing\n").reason == "");
  CHECK(run_at(agree, "  A unauthenticated sees:\n    OK bye\n").verdict == Verdict::failed);
}

TEST_CASE("commands that are sent ahead are answered in their order, whichever is asked for first") {
  const auto says = [](const std::string& line) -> std::optional<std::string> {
    if (line == "FIRST") return "-ERR first\r\n";
    if (line == "LIST") return "+OK\r\n1 2\r\n.\r\n";
    return "";
  };
  const std::string sends = "  A send f: FIRST\n  A send l: LIST\n";
  CHECK(run_at(says, sends + "  A await f\n    ERR first\n  A await l\n    lines 1\n").reason == "");
  CHECK(run_at(says, sends + "  A await l\n    lines 1\n  A await f\n    ERR first\n").reason == "");
  CHECK(run_at(says, sends + "  A await l\n    ERR\n").verdict == Verdict::failed);
}

TEST_CASE("challenges, raw octets and the end of a connection") {
  const auto says = [](const std::string& line) -> std::optional<std::string> {
    if (line == "AUTH X") return "+ \r\n";
    if (line == "answer") return "+OK in\r\n";
    if (line == "QUIT") return std::nullopt;
    return "";
  };
  CHECK(run_at(says, "  A: AUTH X\n    +\n  A+ answer\n    OK in\n").reason == "");
  CHECK(run_at(says, "  A raw: \"A\\r\\nB\\r\\n\"\n    line +OK\n    then line +OK\n    not /ERR/\n").reason == "");
  CHECK(run_at(says, "  A: QUIT\n    closed\n").reason == "");
  CHECK(run_at(says, "  A: QUIT\n    OK\n").verdict == Verdict::failed);
  CHECK(run_at(says, "  A: NOOP\n    OK\n  A sees nothing\n").reason == "");
}

TEST_CASE("a case is skipped for what is not there, and where the server had the choice") {
  CHECK(run_at(agree, "  needs TOP\n  A: NOOP\n    OK\n").verdict == Verdict::skipped);
  CHECK(run_at(agree, "  needs TOP\n  A: NOOP\n    OK\n", {"TOP"}).verdict == Verdict::passed);
  CHECK(run_at(agree, "  A as user2: NOOP\n    OK\n").reason == "needs a second user");
  const CaseResult refused = run_at(agree, "  A: NOOP\n    ERR\n    optional OK\n  A: XYZ\n    ERR\n");
  CHECK(refused.verdict == Verdict::skipped);
  CHECK(refused.reason == "refused, as it may be: line 4");
}
