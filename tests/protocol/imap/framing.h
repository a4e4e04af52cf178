// For the tests of IMAP's parsers: frames a command in every way in which it may arrive.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "protocol/imap/command.h"
#include "protocol/imap/framer.h"
#include "tests/support/split_feed.h"

namespace postkeep::imap {

// Runs a framer over pieces, buffering every literal; the commands that come out.
inline std::vector<FramedCommand> frame(const std::vector<std::string_view>& pieces) {
  Framer framer;
  std::vector<FramedCommand> commands;
  for (const std::string_view piece : pieces) {
    framer.feed(piece);
    for (Framer::Event event = framer.next(); event != Framer::Event::need_more; event = framer.next()) {
      REQUIRE(event != Framer::Event::refused);
      if (event == Framer::Event::literal_due) framer.buffer_literal();
      if (event == Framer::Event::command) commands.push_back(framer.take_command());
    }
  }
  return commands;
}

// The one command in `bytes` (to which CRLF is added). Checks that it comes out the same at every split, and
// only when all of it is there.
inline FramedCommand framed(const std::string& bytes) {
  const std::string line = bytes + "\r\n";
  FramedCommand whole;
  for (const test::Split& split : test::every_split(line)) {
    INFO(split.name);
    std::vector<FramedCommand> commands = frame(split.pieces);
    REQUIRE(commands.size() == 1);
    REQUIRE(frame({std::string_view(line).substr(0, line.size() - 1)}).empty());
    if (split.name == "whole") whole = commands.front();
    REQUIRE(commands.front().texts == whole.texts);
    for (std::size_t i = 0; i < whole.literals.size(); ++i) {
      REQUIRE(commands.front().literals.at(i).bytes == whole.literals[i].bytes);
      REQUIRE(commands.front().literals.at(i).kind == whole.literals[i].kind);
    }
  }
  return whole;
}

// The arguments of "a " + `command`, read by `parse` behind the verb.
template <class Parse>
auto parsed(const std::string& command, Parse parse) {
  const FramedCommand whole = framed("a " + command);
  Cursor cursor(whole);
  REQUIRE(parse_command_head(cursor));
  return parse(cursor);
}

// All of these are BAD, for a reason that can be told.
template <class Parse>
void check_bad(std::initializer_list<const char*> commands, Parse parse) {
  for (const char* command : commands) {
    CAPTURE(command);
    const auto result = parsed(command, parse);
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::bad_syntax);
    CHECK_FALSE(result.error().text.empty());
  }
}

}  // namespace postkeep::imap
