// See pattern.h.
#include <algorithm>
#include <utility>

#include "conformance/runner/pattern.h"

namespace postkeep::conformance {

namespace {

using PatternKind = Pattern::Kind;

class PatternParser {
 public:
  explicit PatternParser(std::string_view text) : rest_(text) {}

  Result<std::vector<Pattern>> parse_all() {
    std::vector<Pattern> patterns = TRY(parse_items('\0'));
    if (!rest_.empty()) return bad("unexpected " + std::string(rest_.substr(0, 10)));
    return patterns;
  }

 private:
  static tl::unexpected<Error> bad(std::string what) {
    return tl::unexpected<Error>(Error(ErrorKind::bad_syntax, "pattern: " + std::move(what)));
  }
  bool accept(std::string_view what) {
    if (!rest_.starts_with(what)) return false;
    rest_.remove_prefix(what.size());
    return true;
  }
  void skip_spaces() {
    while (accept(" ")) {
    }
  }

  Result<std::vector<Pattern>> parse_items(char close) {
    std::vector<Pattern> items;
    for (skip_spaces(); !rest_.empty() && rest_[0] != close; skip_spaces()) items.push_back(TRY(parse_choice()));
    return items;
  }

  Result<Pattern> parse_choice() {
    Pattern first = TRY(parse_one());
    if (!rest_.starts_with("|")) return first;
    Pattern choice;
    choice.kind = PatternKind::choice;
    const bool only = first.kind == PatternKind::only;
    choice.items.push_back(std::move(first));
    while (accept("|")) {
      Pattern next = TRY(parse_one());
      if (only && next.kind == PatternKind::list) next.kind = PatternKind::only;
      choice.items.push_back(std::move(next));
    }
    return choice;
  }

  Result<Pattern> parse_one() {
    if (accept("only ")) {
      Pattern pattern = TRY(parse_one());
      if (pattern.kind != PatternKind::list) return bad("only stands before a list");
      pattern.kind = PatternKind::only;
      return pattern;
    }
    if (accept("octets ")) return of(PatternKind::octets, take_atom());
    if (accept("{{") || accept("~{{")) return parse_fixture();
    if (accept("(")) return parse_nested(PatternKind::list, ')');
    if (accept("{")) return parse_nested(PatternKind::set, '}');
    if (accept("...")) return of(PatternKind::rest, "");
    if (accept("\"")) return parse_quoted();
    if (accept("/")) return parse_regex();
    if (accept("set:")) return of(PatternKind::number_set, take_atom());
    for (const std::string_view sign : {"<=", ">=", "<", ">"}) {
      if (accept(sign)) return comparison(sign, take_atom());
    }
    if (variable_length(rest_) > 0) return parse_variable();
    return bare_word(take_atom());
  }

  static Pattern of(PatternKind kind, std::string text) {
    Pattern pattern;
    pattern.kind = kind;
    pattern.text = std::move(text);
    return pattern;
  }
  static Pattern comparison(std::string_view sign, std::string operand) {
    Pattern pattern = of(PatternKind::compare, std::string(sign));
    pattern.operand = std::move(operand);
    return pattern;
  }
  Result<Pattern> bare_word(std::string word) {
    if (word.empty()) return bad("nothing at " + std::string(rest_.substr(0, 10)));
    if (word == "_") return of(PatternKind::any, "");
    if (word == "NIL") return of(PatternKind::nil, "");
    return of(PatternKind::atom, std::move(word));
  }
  Result<Pattern> parse_variable() {
    const std::size_t length = variable_length(rest_);
    const std::string_view behind = rest_.substr(1 + length);
    if (behind.starts_with("...")) {
      std::string name(rest_.substr(1, length));
      rest_ = behind.substr(3);
      return of(PatternKind::rest, std::move(name));
    }
    // "$box@@a" and the like are composed text.
    const bool alone = behind.empty() || std::string_view(" )}|").find(behind[0]) != std::string_view::npos;
    if (!alone) return of(PatternKind::atom, take_atom());
    std::string name(rest_.substr(1, length));
    rest_ = behind;
    return of(PatternKind::variable, std::move(name));
  }
  // To the next delimiter; what is between brackets belongs to it ("BODY[HEADER.FIELDS (From)]<0>").
  std::string take_atom() {
    std::string atom;
    std::size_t depth = 0;
    while (!rest_.empty()) {
      const char c = rest_[0];
      if (c == '[') ++depth;
      if (c == ']' && depth > 0) --depth;
      if (depth == 0 && std::string_view(" ()|{}").find(c) != std::string_view::npos) break;
      atom += c;
      rest_.remove_prefix(1);
    }
    return atom;
  }
  Result<Pattern> parse_nested(PatternKind kind, char close) {
    Pattern pattern = of(kind, "");
    pattern.items = TRY(parse_items(close));
    if (!accept(std::string_view(&close, 1))) return bad("a bracket is not closed");
    return pattern;
  }
  // Behind the quote, with its escapes.
  std::string take_quoted() {
    std::string raw;
    while (!rest_.empty() && rest_[0] != '"') {
      const std::size_t count = rest_[0] == '\\' && rest_.size() > 1 ? 2 : 1;
      raw += rest_.substr(0, count);
      rest_.remove_prefix(count);
    }
    accept("\"");
    return raw;
  }
  Result<Pattern> parse_quoted() { return of(PatternKind::string, unescaped(take_quoted())); }
  Result<Pattern> parse_fixture() {
    Pattern pattern = of(PatternKind::fixture, "");
    if (accept("\"")) {
      pattern = of(PatternKind::string, unescaped(take_quoted()));
    } else {
      const std::size_t end = std::min(rest_.find("}}"), rest_.size());
      pattern.text = rest_.substr(0, end);
      rest_.remove_prefix(end);
    }
    if (!accept("}}")) return bad("{{ is not closed");
    return pattern;
  }
  Result<Pattern> parse_regex() {
    std::string regex;
    while (!rest_.empty() && rest_[0] != '/') {
      if (rest_.starts_with("\\/")) rest_.remove_prefix(1);
      regex += rest_[0];
      rest_.remove_prefix(1);
    }
    if (!accept("/")) return bad("/ is not closed");
    TRY(check_regex(regex));
    return of(PatternKind::regex, std::move(regex));
  }

  std::string_view rest_;
};

}  // namespace

Result<std::vector<Pattern>> parse_patterns(std::string_view text) { return PatternParser(text).parse_all(); }

}  // namespace postkeep::conformance
