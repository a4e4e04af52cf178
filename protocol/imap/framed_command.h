// FramedCommand: the bytes of one command, cut into text and literals and not yet understood.
// RFC 9051 §4.3. Made by Framer, read by Cursor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace postkeep::imap {

enum class LiteralKind {
  literal,   // {n}, {n+}: octets other than NUL
  literal8,  // ~{n}, ~{n+}: any octets
};

// One literal of a command.
struct Literal {
  LiteralKind kind = LiteralKind::literal;
  std::uint64_t size = 0;  // octets, as announced
  std::string bytes;
};

// A value. texts[0] literals[0] texts[1] ... texts.back(): one text more than literals, the literals'
// "{n}" and all line ends removed. Texts hold whatever bytes came: NUL, bare CR, 8-bit.
struct FramedCommand {
  std::vector<std::string> texts;
  std::vector<Literal> literals;

  static FramedCommand of_line(std::string line) {
    FramedCommand command;
    command.texts.push_back(std::move(line));
    return command;
  }
};

}  // namespace postkeep::imap
