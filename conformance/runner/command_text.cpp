// See command_text.h.
#include "conformance/runner/command_text.h"

#include <algorithm>
#include <optional>

#include "protocol/base/ascii.h"

namespace postkeep::conformance {

namespace {

// "{{name}}" and the like, cut out of a command.
struct Literal {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool synchronising = true;
  std::string_view name;  // what stands between the braces, without "+"

  bool is_text() const { return name.size() > 1 && name.starts_with('"') && name.ends_with('"'); }
  bool is_size() const { return !name.empty() && ascii::all(name, ascii::is_digit); }
  bool is_fixture() const { return !is_text() && !is_size() && !name.starts_with('$'); }
};

std::optional<Literal> first_literal(std::string_view text) {
  Literal literal;
  literal.begin = text.find("{{");
  if (literal.begin == std::string_view::npos) return std::nullopt;
  const std::size_t close = text.find("}}", literal.begin);
  literal.end = std::min(close, text.size());
  literal.name = text.substr(literal.begin + 2, literal.end - literal.begin - 2);
  if (close != std::string_view::npos) literal.end += 2;
  if (literal.name.starts_with('+')) {
    literal.synchronising = false;
    literal.name.remove_prefix(1);
  }
  return literal;
}

std::string message_of_size(std::size_t size) {
  std::string message = "Subject: of a size\r\n\r\n";
  while (message.size() + 72 <= size) message += std::string(70, 'x') + "\r\n";
  message.resize(std::max(message.size(), size), 'x');
  return message;
}

Result<std::string> octets_of(const Literal& literal, const Fixtures& fixtures, const Variables& variables) {
  const std::string name(literal.name);
  if (literal.is_text()) return substituted(unescaped(name.substr(1, name.size() - 2)), variables);
  if (literal.is_size()) return message_of_size(std::stoul(name));
  if (!literal.is_fixture()) return substituted(name, variables);
  const auto fixture = fixtures.find(name);
  if (fixture == fixtures.end()) return failure(ErrorKind::bad_syntax, "no fixture " + name);
  return fixture->second;
}

}  // namespace

Result<std::vector<Piece>> pieces_of(std::string_view command, const Fixtures& fixtures, const Variables& variables) {
  std::vector<Piece> pieces(1);
  while (const std::optional<Literal> literal = first_literal(command)) {
    if (!command.substr(0, literal->end).ends_with("}}")) return failure(ErrorKind::bad_syntax, "{{ is not closed");
    const std::string octets = TRY(octets_of(*literal, fixtures, variables));
    Piece& piece = pieces.back();
    piece.octets += substituted(command.substr(0, literal->begin), variables);
    piece.octets += "{" + std::to_string(octets.size()) + (literal->synchronising ? "}\r\n" : "+}\r\n");
    command.remove_prefix(literal->end);
    if (literal->synchronising) {
      piece.waits = true;
      pieces.emplace_back();
    }
    pieces.back().octets += octets;
  }
  pieces.back().octets += substituted(command, variables) + "\r\n";
  return pieces;
}

std::vector<std::string> fixtures_in(std::string_view command) {
  std::vector<std::string> names;
  while (const std::optional<Literal> literal = first_literal(command)) {
    if (literal->is_fixture()) names.emplace_back(literal->name);
    command.remove_prefix(literal->end);
  }
  return names;
}

}  // namespace postkeep::conformance
