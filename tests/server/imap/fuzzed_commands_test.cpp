// Keeps the commands and states that tests/fuzz/session_fuzz.cpp goes by to the server's own.
#include <doctest/doctest.h>

#include <iterator>
#include <string>

#include "server/imap/extensions.h"
#include "tests/fuzz/session_commands.h"

using namespace postkeep;

namespace {

std::string letters_of(const imap::States& states) {
  std::string letters;
  if (states.has(imap::State::not_authenticated)) letters += 'n';
  if (states.has(imap::State::authenticated)) letters += 'a';
  if (states.has(imap::State::selected)) letters += 's';
  return letters;
}

}  // namespace

TEST_CASE("the fuzzed session knows every command, with its states, and no other") {
  CHECK(imap::commands().size() == std::size(fuzz::session_commands));
  for (const imap::CommandRow& row : imap::commands()) {
    CAPTURE(row.name);
    const fuzz::SessionCommand* fuzzed = fuzz::find_session_command(row.name, row.uid);
    REQUIRE(fuzzed != nullptr);  // a new command: add it in session_commands.h, and its parser in session_fuzz.cpp
    CHECK(std::string(fuzzed->states) == letters_of(row.states));
    CHECK(fuzzed->is_barrier == (row.pipelining == imap::Pipelining::barrier));
  }
}
