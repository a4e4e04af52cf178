#include "server/admin/near_side.h"

#include <doctest/doctest.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <string>
#include <thread>

using namespace postkeep;
using namespace postkeep::admin;

namespace {

// A terminal at which somebody types; what it shows can be read.
class Terminal {
 public:
  Terminal() { REQUIRE(openpty(&person_, &program_, nullptr, nullptr, nullptr) == 0); }
  ~Terminal() {
    close(person_);
    close(program_);
  }
  int program() const { return program_; }
  // Answers every prompt that ends in ": " with the next text.
  std::string type(const std::vector<std::string>& texts) {
    std::string shown;
    std::size_t next = 0;
    char part[256];
    while (next < texts.size() || shown.find_last_of('\n') != shown.size() - 1) {
      const ssize_t n = read(person_, part, sizeof part);
      if (n <= 0) break;
      shown.append(part, static_cast<std::size_t>(n));
      if (shown.ends_with(": ") && next < texts.size()) {
        REQUIRE(write(person_, texts[next].data(), texts[next].size()) == static_cast<ssize_t>(texts[next].size()));
        ++next;
      }
    }
    return shown;
  }
  bool echoes() const {
    termios state{};
    REQUIRE(tcgetattr(program_, &state) == 0);
    return (state.c_lflag & ECHO) != 0;
  }

 private:
  int person_ = -1, program_ = -1;
};

// Asks at the terminal while `texts` are typed; returns what was shown.
std::string ask(Terminal& terminal, const std::vector<std::string>& texts, Result<Secret>& answer) {
  std::string shown;
  std::thread person([&] { shown = terminal.type(texts); });
  answer = ask_for_password(terminal.program(), "alice");
  person.join();
  return shown;
}

}  // namespace

TEST_CASE("a password is asked for twice, never shown, and the terminal echoes again afterwards") {
  Terminal terminal;
  Result<Secret> answer = Secret();
  const std::string shown = ask(terminal, {"hunter2\n", "hunter2\n"}, answer);
  REQUIRE(answer.has_value());
  CHECK(answer->reveal() == "hunter2");
  CHECK(shown.find("Password for alice: ") != std::string::npos);
  CHECK(shown.find("hunter2") == std::string::npos);
  CHECK(terminal.echoes());
}

TEST_CASE("two different passwords are refused") {
  Terminal terminal;
  Result<Secret> answer = Secret();
  ask(terminal, {"one\n", "two\n"}, answer);
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().kind == ErrorKind::bad_syntax);
  CHECK(terminal.echoes());
}

TEST_CASE("the end of input at the prompt is no password") {
  Terminal terminal;
  Result<Secret> answer = Secret();
  ask(terminal, {"\x04"}, answer);
  CHECK_FALSE(answer.has_value());
  CHECK(terminal.echoes());
}
