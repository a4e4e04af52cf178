#include "protocol/imap/client/response_parser.h"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/imap/cursor.h"
#include "protocol/imap/writer.h"

namespace postkeep::imap::client {
namespace {

constexpr std::size_t value_nesting_max = 200;  // BODYSTRUCTURE nests as deep as its message

constexpr std::array<std::string_view, 5> conditions = {"OK", "NO", "BAD", "BYE", "PREAUTH"};
constexpr std::array<std::string_view, 3> tagged_conditions = {"OK", "NO", "BAD"};

template <class Names>
bool is_one_of(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

tl::unexpected<Error> bad(const Cursor& cursor, std::string text) {
  return tl::unexpected<Error>(cursor.error(std::move(text)));
}

// Atoms that a section follows; behind any other a "[" is an ordinary ATOM-CHAR, as in "[Gmail]".
constexpr std::array<std::string_view, 3> names_with_section = {"BODY", "BINARY", "BINARY.SIZE"};

bool is_value_char(char c) { return ascii::is_list_char(c) && c != '[' && c != ']'; }

Result<Value> parse_value(Cursor& cursor, std::size_t depth);

// "1*address", "1*body", the lists of NAMESPACE and the threads of THREAD stand side by side without a space.
bool is_adjacent(const std::vector<Value>& before, const Cursor& cursor) {
  return !before.empty() && before.back().kind == Value::Kind::list && cursor.peek() == '(';
}

Result<Value> parse_list(Cursor& cursor, std::size_t depth) {
  Value list;
  list.kind = Value::Kind::list;
  TRY(cursor.expect('('));
  if (cursor.accept(')')) return list;
  while (true) {
    list.items.push_back(TRY(parse_value(cursor, depth + 1)));
    if (cursor.accept(')')) return list;
    if (!is_adjacent(list.items, cursor)) TRY(cursor.sp());
  }
}

Result<Value> parse_string(Cursor& cursor) {
  Value value;
  value.kind = Value::Kind::string;
  if (cursor.peek() == '"') {
    value.text = TRY(cursor.quoted());
    return value;
  }
  const Literal* literal = TRY(cursor.literal());
  if (literal->kind == LiteralKind::literal && literal->bytes.find('\0') != std::string::npos) {
    return bad(cursor, "NUL in a literal");
  }
  value.text = literal->bytes;
  return value;
}

// "[HEADER.FIELDS (From "X Y")]<0>": part of the atom in front of it, spaces and strings included.
Outcome append_section(Cursor& cursor, std::string& atom) {
  TRY(cursor.expect('['));
  atom += '[';
  while (!cursor.accept(']')) {
    if (cursor.at_end()) return bad(cursor, "Unterminated section");
    if (cursor.peek() == '"' || cursor.at_literal()) {
      Writer(atom).string(TRY(parse_string(cursor)).text);
      continue;
    }
    const std::string run =
        cursor.take_while([](char c) { return is_value_char(c) || c == ' ' || c == '(' || c == ')'; });
    if (run.empty()) return bad(cursor, "Invalid character in a section");
    atom += run;
  }
  atom += ']';
  return {};
}

Result<Value> parse_atom(Cursor& cursor) {
  Value value;
  value.kind = Value::Kind::atom;
  if (cursor.accept('\\')) value.text = "\\";
  value.text += cursor.take_while(is_value_char);
  if (cursor.peek() == '[' && is_one_of(names_with_section, ascii::to_upper(value.text))) {
    TRY(append_section(cursor, value.text));
  }
  value.text += cursor.take_while(ascii::is_list_char);
  if (value.text.empty() || value.text == "\\") return bad(cursor, "Expected a value");
  if (ascii::iequals(value.text, "NIL")) return Value();
  return value;
}

Result<Value> parse_value(Cursor& cursor, std::size_t depth) {
  if (depth > value_nesting_max) return bad(cursor, "Nested too deeply");
  if (cursor.peek() == '(') return parse_list(cursor, depth);
  if (cursor.peek() == '"' || cursor.at_literal()) return parse_string(cursor);
  return parse_atom(cursor);
}

// resp-text: ["[" resp-text-code "]" SP] [text].
Outcome parse_resp_text(Cursor& cursor, Response& response) {
  TRY(cursor.sp());
  if (cursor.accept('[')) {
    response.code = cursor.take_while([](char c) { return c != ']' && c != '\r' && c != '\0'; });
    TRY(cursor.expect(']'));
    TRY(cursor.sp());
  }
  response.text = cursor.take_while([](char c) { return c != '\r' && c != '\0'; });
  return {};
}

Result<std::string> parse_name(Cursor& cursor) {
  std::string name = ascii::to_upper(cursor.take_while([](char c) { return ascii::is_alnum(c) || c == '-'; }));
  if (name.empty()) return bad(cursor, "Expected the name of a response");
  return name;
}

Result<Response> parse_untagged(Cursor& cursor) {
  Response response;
  TRY(cursor.sp());
  if (ascii::is_digit(cursor.peek())) {
    response.number = TRY(cursor.number());
    TRY(cursor.sp());
  }
  response.name = TRY(parse_name(cursor));
  if (is_one_of(conditions, response.name) && !response.number) {
    TRY(parse_resp_text(cursor, response));
  } else {
    while (!cursor.at_end()) {
      if (!is_adjacent(response.data, cursor)) TRY(cursor.sp());
      response.data.push_back(TRY(parse_value(cursor, 0)));
    }
  }
  return response;
}

Result<Response> parse_response(const FramedCommand& framed) {
  Cursor cursor(framed);
  Response response;
  if (cursor.accept('+')) {
    response.kind = Response::Kind::continuation;
    TRY(cursor.sp());
    response.text = cursor.take_while([](char c) { return c != '\r' && c != '\0'; });
  } else if (cursor.accept('*')) {
    response = TRY(parse_untagged(cursor));
  } else {
    response.kind = Response::Kind::tagged;
    response.tag = TRY(cursor.tag());
    TRY(cursor.sp());
    response.name = TRY(parse_name(cursor));
    if (!is_one_of(tagged_conditions, response.name)) return bad(cursor, "A tagged response is OK, NO or BAD");
    TRY(parse_resp_text(cursor, response));
  }
  if (!cursor.at_end()) return bad(cursor, "Unexpected octets at the end of a response");
  return response;
}

}  // namespace

std::string show(const Value& value) {
  std::string out;
  switch (value.kind) {
    case Value::Kind::atom:
      return value.text;
    case Value::Kind::nil:
      return "NIL";
    case Value::Kind::string:
      Writer(out, Utf8::yes).string(value.text);
      return out;
    case Value::Kind::list:
      break;
  }
  for (const Value& item : value.items) out += (out.empty() ? "" : " ") + show(item);
  return '(' + out + ')';
}

const Value* Response::item(std::string_view item_name) const {
  const bool listed = !data.empty() && data.back().kind == Value::Kind::list;
  const std::vector<Value>& items = listed ? data.back().items : data;
  for (std::size_t i = 0; i + 1 < items.size(); ++i) {
    if (items[i].kind == Value::Kind::atom && ascii::iequals(items[i].text, item_name)) return &items[i + 1];
  }
  return nullptr;
}

FramerLimits ResponseParser::default_limits() {
  FramerLimits limits;
  limits.command_text_bytes_max = 16UL * 1024 * 1024;
  limits.literal_bytes_max = 256ULL * 1024 * 1024;
  limits.command_literal_bytes_max = 512ULL * 1024 * 1024;
  limits.command_literals_max = 100'000;
  return limits;
}

Result<std::optional<Response>> ResponseParser::next() {
  while (true) {
    switch (framer_.next()) {
      case Framer::Event::need_more:
      case Framer::Event::streaming:
        return std::optional<Response>();
      case Framer::Event::literal_due:
        // RFC 9051 §4.3: a server sends no non-synchronising literals.
        if (framer_.literal().synchronising) {
          framer_.buffer_literal();
        } else {
          framer_.refuse_literal(Error(ErrorKind::bad_syntax, "Non-synchronising literal from a server"));
        }
        break;
      case Framer::Event::refused:
        return tl::unexpected<Error>(framer_.take_refusal().error);
      case Framer::Event::command:
        return std::optional<Response>(TRY(parse_response(framer_.take_command())));
    }
  }
}

}  // namespace postkeep::imap::client
