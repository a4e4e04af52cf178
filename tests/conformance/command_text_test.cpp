#include "conformance/runner/command_text.h"

#include <doctest/doctest.h>

#include "tests/support/results.h"

using namespace postkeep;
using namespace postkeep::conformance;
using namespace postkeep::test;

namespace {

// Pieces, each behind a "|" if the server has to ask for it.
std::string pieces(const std::string& command) {
  static const Fixtures fixtures = {{"plain", "A: b\r\n\r\n"}};
  static const Variables variables = {{"box", "conf-1-box"}};
  std::string out;
  for (const Piece& piece : must(pieces_of(command, fixtures, variables))) {
    out += piece.octets + (piece.waits ? "|" : "");
  }
  return out;
}

}  // namespace

TEST_CASE("a command ends its line, with its variables filled in") {
  CHECK(pieces("a1 SELECT $box") == "a1 SELECT conf-1-box\r\n");
  CHECK(pieces("a1 STORE 1 FLAGS ($Junk)") == "a1 STORE 1 FLAGS ($Junk)\r\n");
}

TEST_CASE("a literal waits for the server unless it is a non-synchronising one") {
  CHECK(pieces("a1 APPEND $box {{plain}}") == "a1 APPEND conf-1-box {8}\r\n|A: b\r\n\r\n\r\n");
  CHECK(pieces("a1 APPEND $box ~{{+plain}}") == "a1 APPEND conf-1-box ~{8+}\r\nA: b\r\n\r\n\r\n");
  CHECK(pieces(R"(a1 LOGIN {{"a\r"}} {{+"$box"}} x)") == "a1 LOGIN {2}\r\n|a\r {10+}\r\nconf-1-box x\r\n");
  CHECK(pieces("a1 SELECT {{$box}}") == "a1 SELECT {10}\r\n|conf-1-box\r\n");
  CHECK(pieces("a1 X {{30}}").size() == std::string("a1 X {30}\r\n|\r\n").size() + 30);
}

TEST_CASE("what is no literal is said") {
  CHECK(kind_of(pieces_of("X {{none}}", {}, {})) == ErrorKind::bad_syntax);
  CHECK(kind_of(pieces_of("X {{plain", {}, {})) == ErrorKind::bad_syntax);
}

TEST_CASE("fixtures are named") {
  CHECK(fixtures_in(R"(X {{plain}} {{+html}} {{"text"}} {{12}} {{$box}} ~{{large)") ==
        std::vector<std::string>{"plain", "html", "large"});
}
