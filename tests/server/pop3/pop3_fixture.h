// Pop3Server and Pop3Client: real POP3 sessions over socket pairs on the memory backend, in this process, with IMAP on
// the same accounts for what POP3 cannot do (ImapServer).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/pop3/session.h"
#include "tests/server/imap/imap_fixture.h"

namespace postkeep::test {

class Pop3Client {
 public:
  explicit Pop3Client(ImapClient lines) : lines_(std::move(lines)) {}

  void send(std::string_view bytes) { lines_.send(bytes); }
  std::string line() { return lines_.read(); }
  // One command, the first line of its reply.
  std::string ask(const std::string& command) {
    send(command + "\r\n");
    return line();
  }
  // The lines of a listing up to its end, which is not among them; the dots of stuffing stay.
  Lines rest() {
    Lines lines;
    for (;;) {
      lines.push_back(line());
      if (lines.back() == ".") {
        lines.pop_back();
        return lines;
      }
      if (lines.back().empty() && at_end()) return lines;
    }
  }
  Lines list(const std::string& command) {
    const std::string first = ask(command);
    CHECK_MESSAGE(first.starts_with("+OK"), first);
    return first.starts_with("+OK") ? rest() : Lines{first};
  }
  // A message as the client stores it.
  std::string message(const std::string& command) {
    std::string text;
    for (const std::string& line : list(command)) text += line.substr(line.starts_with('.') ? 1 : 0) + "\r\n";
    return text;
  }
  bool at_end() { return lines_.at_end(); }
  void hang_up() { lines_.hang_up(); }
  void half_close() { lines_.half_close(); }

 private:
  ImapClient lines_;
};

class Pop3Server : public ImapServer {
 public:
  explicit Pop3Server(const Settings& settings = test_settings()) : ImapServer(settings) {}

  // The greeting is read.
  Pop3Client connect_pop3(From from = From::loopback) {
    static const server::Protocol protocol{"pop3", pop3::run_session, server::TlsMode::plain, pop3::refusal};
    Pop3Client client(connect_to(protocol, from));
    CHECK(greeting() == "+OK Postkeep ready");
    return client;
  }
  Pop3Client login_pop3(const std::string& user = "alice") {
    Pop3Client client = connect_pop3();
    REQUIRE(client.ask("USER " + user).starts_with("+OK"));
    REQUIRE(client.ask("PASS secret").starts_with("+OK"));
    return client;
  }
};

}  // namespace postkeep::test
