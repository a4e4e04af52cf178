#include "protocol/imap/cursor.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/base/ensure.h"
#include "protocol/base/seeded_fault.h"
#include "protocol/imap/limits.h"
#include "protocol/text/utf8.h"

namespace postkeep::imap {
namespace {

bool is_set_char(char c) { return ascii::is_digit(c) || c == ':' || c == ',' || c == '*' || c == '$'; }
bool is_date_char(char c) { return ascii::is_alnum(c) || c == '-'; }

constexpr std::uint64_t number64_max = 0x7FFF'FFFF'FFFF'FFFF;

}  // namespace

Cursor::Cursor(const FramedCommand& command, QuotedOctets quoted_octets)
    : command_(command), quoted_octets_(quoted_octets) {
  ENSURE(!command.texts.empty(), "a framed command has a text");
}

Error Cursor::error(std::string text) const {
  return Error(ErrorKind::bad_syntax, std::move(text),
               "in text " + std::to_string(text_index_) + " at octet " + std::to_string(position_));
}

bool Cursor::at_word(std::string_view word) const {
  const std::string_view rest = text().substr(position_);
  return ascii::istarts_with(rest, word) && (rest.size() == word.size() || !ascii::is_atom_char(rest[word.size()]));
}

Outcome Cursor::sp() {
  if (accept(' ')) {
    while (seeded(Fault::spaces_run_together) && accept(' ')) continue;
    return {};
  }
  return fail(at_end() ? "Missing argument" : "Expected a space");
}

Outcome Cursor::expect(char c) {
  if (accept(c)) return {};
  return fail(std::string("Expected \"") + c + '"');
}

bool Cursor::accept(char c) {
  if (position_ >= text().size() || text()[position_] != c) return false;
  ++position_;
  return true;
}

bool Cursor::accept_word(std::string_view word) {
  if (!at_word(word)) return false;
  position_ += word.size();
  return true;
}

bool Cursor::accept_sp_word(std::string_view word) {
  const std::size_t start = position_;
  if (accept(' ') && accept_word(word)) return true;
  position_ = start;
  return false;
}

Outcome Cursor::end() {
  const std::size_t start = position_;
  while (accept(' ')) continue;
  if (at_end()) return {};
  position_ = start;
  return fail("Unexpected argument at the end of the command");
}

Result<std::string> Cursor::tag() {
  std::string tag = take_while(ascii::is_tag_char);
  if (tag.empty() || tag.size() > limits::tag_bytes_max) return fail("Invalid tag");
  return tag;
}

Result<std::string> Cursor::atom() {
  std::string atom = take_while(ascii::is_atom_char);
  if (atom.empty()) return fail(at_end() ? "Missing argument" : "Expected an atom");
  if (atom.size() > limits::atom_bytes_max) return fail("Atom is too long");
  return atom;
}

Result<std::string> Cursor::keyword() {
  std::string word = TRY(atom());
  return seeded(Fault::capitals_only) ? word : ascii::to_upper(word);
}

Result<std::string> Cursor::quoted() {
  TRY(expect('"'));
  std::string value;
  while (position_ < text().size()) {
    char c = text()[position_++];
    if (c == '"') {
      if (quoted_octets_ == QuotedOctets::utf8 && !text::is_valid_utf8(value)) return fail("Invalid UTF-8");
      return value;
    }
    if (c == '\0' || c == '\r') return fail("Invalid character in quoted string");
    if (c == '\\') {
      c = peek();
      if (c != '"' && c != '\\') return fail("Invalid escape in quoted string");
      ++position_;
    }
    value += c;
  }
  return fail("Unterminated quoted string");
}

Result<const Literal*> Cursor::literal() {
  if (!at_literal()) return fail("Expected a literal");
  const Literal* literal = &command_.literals[text_index_];
  ++text_index_;
  position_ = 0;
  return literal;
}

Result<std::string> Cursor::take_literal_bytes() {
  const Literal* value = TRY(literal());
  if (value->kind == LiteralKind::literal8) return fail("literal8 is not allowed here");
  if (value->bytes.find('\0') != std::string::npos) return fail("NUL in literal");
  return value->bytes;
}

Result<std::string> Cursor::string() {
  if (at_literal()) return take_literal_bytes();
  if (peek() == '"') return quoted();
  return fail(at_end() ? "Missing argument" : "Expected a string");
}

Result<std::string> Cursor::astring() {
  if (at_literal() || peek() == '"') return string();
  std::string value = take_while(ascii::is_astring_char);
  if (value.empty()) return fail(at_end() ? "Missing argument" : "Expected an atom or string");
  return value;
}

Result<std::optional<std::string>> Cursor::nstring() {
  if (accept_word("NIL")) return std::optional<std::string>();
  return std::optional<std::string>(TRY(string()));
}

Result<std::string> Cursor::mailbox() { return astring(); }

Result<std::string> Cursor::list_mailbox() {
  if (at_literal() || peek() == '"') return string();
  std::string value = take_while(ascii::is_list_char);
  if (value.empty()) return fail(at_end() ? "Missing argument" : "Expected a mailbox pattern");
  return value;
}

Result<Secret> Cursor::password() { return Secret(TRY(astring())); }

Result<std::uint64_t> Cursor::digits(std::uint64_t max, const char* what) {
  std::uint64_t value = 0;
  const std::size_t start = position_;
  while (ascii::is_digit(peek())) {
    const auto digit = static_cast<std::uint64_t>(peek() - '0');
    if (value > (max - digit) / 10) return fail(std::string(what) + " is out of range");
    value = value * 10 + digit;
    ++position_;
  }
  if (position_ == start) return fail(std::string("Expected a ") + what);
  return value;
}

Result<std::uint32_t> Cursor::number() {
  return static_cast<std::uint32_t>(TRY(digits(std::numeric_limits<std::uint32_t>::max(), "number")));
}

Result<std::uint32_t> Cursor::nz_number() {
  if (peek() == '0') return fail("Expected a number from 1 on");
  return number();
}

Result<std::uint64_t> Cursor::number64() { return digits(number64_max, "number"); }

Result<std::uint64_t> Cursor::nz_number64() {
  if (peek() == '0') return fail("Expected a number from 1 on");
  return number64();
}

Result<SequenceSet> Cursor::sequence_set() {
  const std::string set = take_while(is_set_char);
  if (set.empty()) return fail(at_end() ? "Missing message set" : "Expected a message set");
  return SequenceSet::parse(set);
}

Result<Day> Cursor::date() {
  const std::size_t start = position_;
  const bool quoted = accept('"');
  Result<Day> day = parse_imap_date(take_while(is_date_char));
  if (!day) position_ = start;  // where the error is told to be
  if (day && quoted) TRY(expect('"'));
  return day;
}

Result<ZonedTime> Cursor::date_time() { return parse_imap_date_time(TRY(quoted())); }

Result<Flags> Cursor::flags_bare() {
  Flags flags;
  do {
    const std::string backslash = accept('\\') ? "\\" : "";
    const std::string flag = backslash + TRY(atom());
    TRY(flags.add_from_wire(flag));
  } while (!end() && accept(' '));
  return flags;
}

Result<Flags> Cursor::flag_list() {
  TRY(expect('('));
  if (accept(')')) return Flags();
  Flags flags = TRY(flags_bare());
  TRY(expect(')'));
  return flags;
}

Outcome Cursor::skip_value() {
  std::size_t depth = 0;
  while (true) {
    if (accept('(')) {
      if (++depth > limits::nesting_max) return fail("Nested too deeply");
      if (peek() != ')') continue;
    } else if (at_literal() || peek() == '"') {
      TRY(string());
    } else if (take_while([](char c) { return ascii::is_list_char(c); }).empty()) {
      return fail("Expected a value");
    }
    while (depth > 0 && accept(')')) --depth;
    if (depth == 0) return {};
    TRY(sp());
  }
}

}  // namespace postkeep::imap
