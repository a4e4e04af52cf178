// See pattern.h.
#include "conformance/runner/pattern.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <regex>
#include <utility>

#include "protocol/base/ascii.h"

namespace postkeep::conformance {

namespace {

using Kind = Pattern::Kind;

constexpr std::size_t regex_octets_max = 4096;  // of a value: std::regex recurses
constexpr std::size_t set_numbers_max = 100'000;

bool is_name_char(char c) { return ascii::is_alnum(c) || c == '-' || c == '_'; }

// Variables begin with a small letter, keywords ("$Junk") with a capital.
bool is_variable_start(std::string_view text) {
  return text.size() > 1 && text[0] == '$' && text[1] >= 'a' && text[1] <= 'z';
}

std::size_t name_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && is_name_char(text[length])) ++length;
  return length;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

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
    choice.kind = Kind::choice;
    const bool only = first.kind == Kind::only;
    choice.items.push_back(std::move(first));
    while (accept("|")) {
      Pattern next = TRY(parse_one());
      if (only && next.kind == Kind::list) next.kind = Kind::only;
      choice.items.push_back(std::move(next));
    }
    return choice;
  }

  Result<Pattern> parse_one() {
    if (accept("only ")) {
      Pattern pattern = TRY(parse_one());
      if (pattern.kind != Kind::list) return bad("only stands before a list");
      pattern.kind = Kind::only;
      return pattern;
    }
    if (accept("octets ")) return of(Kind::octets, take_atom());
    if (accept("{{") || accept("~{{")) return parse_fixture();
    if (accept("(")) return parse_nested(Kind::list, ')');
    if (accept("{")) return parse_nested(Kind::set, '}');
    if (accept("...")) return of(Kind::rest, "");
    if (accept("\"")) return parse_quoted();
    if (accept("/")) return parse_regex();
    if (accept("set:")) return of(Kind::number_set, take_atom());
    for (const std::string_view sign : {"<=", ">=", "<", ">"}) {
      if (accept(sign)) return comparison(sign, take_atom());
    }
    if (is_variable_start(rest_)) return parse_variable();
    return bare_word(take_atom());
  }

  static Pattern of(Kind kind, std::string text) {
    Pattern pattern;
    pattern.kind = kind;
    pattern.text = std::move(text);
    return pattern;
  }
  static Pattern comparison(std::string_view sign, std::string operand) {
    Pattern pattern = of(Kind::compare, std::string(sign));
    pattern.operand = std::move(operand);
    return pattern;
  }
  Result<Pattern> bare_word(std::string word) {
    if (word.empty()) return bad("nothing at " + std::string(rest_.substr(0, 10)));
    if (word == "_") return of(Kind::any, "");
    if (word == "NIL") return of(Kind::nil, "");
    return of(Kind::atom, std::move(word));
  }
  Result<Pattern> parse_variable() {
    const std::size_t length = name_length(rest_.substr(1));
    const std::string_view behind = rest_.substr(1 + length);
    if (behind.starts_with("...")) {
      std::string name(rest_.substr(1, length));
      rest_ = behind.substr(3);
      return of(Kind::rest, std::move(name));
    }
    // "$box@@a" and the like are composed text.
    const bool alone = behind.empty() || std::string_view(" )}|").find(behind[0]) != std::string_view::npos;
    if (!alone) return of(Kind::atom, take_atom());
    std::string name(rest_.substr(1, length));
    rest_ = behind;
    return of(Kind::variable, std::move(name));
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
  Result<Pattern> parse_nested(Kind kind, char close) {
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
  Result<Pattern> parse_quoted() { return of(Kind::string, unescaped(take_quoted())); }
  Result<Pattern> parse_fixture() {
    Pattern pattern = of(Kind::fixture, "");
    if (accept("\"")) {
      pattern = of(Kind::string, unescaped(take_quoted()));
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
    return of(Kind::regex, std::move(regex));
  }

  std::string_view rest_;
};

bool same_text(const Value& value, std::string_view text) {
  return value.kind != Value::Kind::list && value.kind != Value::Kind::nil && value.text == text;
}

}  // namespace

Result<std::vector<Pattern>> parse_patterns(std::string_view text) { return PatternParser(text).parse_all(); }

std::string substituted(std::string_view text, const Variables& variables) {
  std::string out;
  while (!text.empty()) {
    if (text.starts_with("@@")) {
      const auto separator = variables.find("@@");
      out += separator == variables.end() ? "/" : separator->second;
      text.remove_prefix(2);
      continue;
    }
    if (is_variable_start(text)) {
      // "$box-a": the longest name that is known.
      bool found = false;
      for (std::size_t length = name_length(text.substr(1)); length > 0 && !found; --length) {
        const auto variable = variables.find(std::string(text.substr(1, length)));
        if (variable == variables.end()) continue;
        out += variable->second;
        text.remove_prefix(1 + length);
        found = true;
      }
      if (found) continue;
    }
    out += text[0];
    text.remove_prefix(1);
  }
  return out;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    if (c == 'r') {
      out += '\r';
    } else if (c == 'n') {
      out += '\n';
    } else if (c == 't') {
      out += '\t';
    } else if (c == 'x' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += c;
    }
  }
  return out;
}

std::set<std::uint64_t> numbers_of(std::string_view set) {
  std::set<std::uint64_t> numbers;
  while (!set.empty()) {
    const std::size_t comma = std::min(set.find(','), set.size());
    const std::string_view range = set.substr(0, comma);
    set.remove_prefix(std::min(comma + 1, set.size()));
    const std::size_t colon = std::min(range.find(':'), range.size());
    std::uint64_t first = number(range.substr(0, colon)).value_or(0);
    std::uint64_t last = colon == range.size() ? first : number(range.substr(colon + 1)).value_or(0);
    if (last < first) std::swap(first, last);
    for (std::uint64_t n = first; n <= last && numbers.size() < set_numbers_max; ++n) numbers.insert(n);
  }
  return numbers;
}

std::string Matcher::value_of(const std::string& name) const {
  const auto found = variables_.find(name);
  return found == variables_.end() ? "" : found->second;
}

bool Matcher::fits(const std::vector<Pattern>& patterns, const std::vector<Value>& values, Shape shape) {
  const Variables before = variables_;
  in_pairs_ = shape == Shape::pairs;
  if (sequence(patterns, 0, values, 0)) return true;
  variables_ = before;
  return false;
}

bool Matcher::sequence(const std::vector<Pattern>& patterns, std::size_t p, const std::vector<Value>& values,
                       std::size_t v) {
  if (p == patterns.size()) return v == values.size();
  const Pattern& pattern = patterns[p];
  if (pattern.kind == Kind::rest) {
    for (std::size_t at = v; p + 1 < patterns.size() && at <= values.size(); ++at) {
      if (sequence(patterns, p + 1, values, at)) return true;
    }
    if (p + 1 < patterns.size()) return false;
    if (!pattern.text.empty()) {
      std::string all;
      for (std::size_t i = v; i < values.size(); ++i) all += (all.empty() ? "" : " ") + values[i].text;
      variables_[pattern.text] = all;
    }
    return true;
  }
  const auto is_flat_set = [&](const Pattern& candidate) {
    return candidate.kind == Kind::set && (v == values.size() || values[v].kind != Value::Kind::list);
  };
  const std::vector<Value> left(values.begin() + static_cast<std::ptrdiff_t>(v), values.end());
  if (is_flat_set(pattern)) return p + 1 == patterns.size() && unordered(pattern.items, left);
  if (pattern.kind == Kind::choice) {
    for (const Pattern& candidate : pattern.items) {
      const Variables before = variables_;
      if (is_flat_set(candidate)
              ? unordered(candidate.items, left)
              : v < values.size() && one(candidate, values[v]) && sequence(patterns, p + 1, values, v + 1)) {
        return true;
      }
      variables_ = before;
    }
    return false;
  }
  return v < values.size() && one(pattern, values[v]) && sequence(patterns, p + 1, values, v + 1);
}

// Names and values in any order. A pattern without "only" lets others be there.
bool Matcher::pairs(const std::vector<Pattern>& patterns, const std::vector<Value>& values, bool only) {
  std::size_t matched = 0;
  for (std::size_t p = 0; p < patterns.size(); p += 2) {
    if (patterns[p].kind == Kind::rest) return true;
    if (p + 1 == patterns.size()) return false;
    bool found = false;
    for (std::size_t v = 0; v + 1 < values.size() && !found; v += 2) {
      const Variables before = variables_;
      found = one(patterns[p], values[v]) && one(patterns[p + 1], values[v + 1]);
      if (!found) variables_ = before;
    }
    if (!found) return false;
    ++matched;
  }
  return !only || matched * 2 == values.size();
}

bool Matcher::unordered(const std::vector<Pattern>& patterns, std::vector<Value> values) {
  for (const Pattern& pattern : patterns) {
    if (pattern.kind == Kind::rest) return true;
    const auto found =
        std::find_if(values.begin(), values.end(), [&](const Value& value) { return one(pattern, value); });
    if (found == values.end()) return false;
    values.erase(found);
  }
  return values.empty();
}

bool Matcher::variable(const std::string& name, const Value& value) {
  const std::string text = value.kind == Value::Kind::list ? imap::client::show(value) : value.text;
  const auto known = variables_.find(name);
  if (known != variables_.end()) return known->second == text;
  variables_[name] = text;
  return true;
}

bool Matcher::compare(const Pattern& pattern, const Value& value) const {
  const std::optional<std::uint64_t> left = number(value.text);
  const std::optional<std::uint64_t> right = number(substituted(pattern.operand, variables_));
  if (!left || !right) return false;
  if (pattern.text == "<") return *left < *right;
  if (pattern.text == "<=") return *left <= *right;
  if (pattern.text == ">") return *left > *right;
  return *left >= *right;
}

bool Matcher::one(const Pattern& pattern, const Value& value) {
  switch (pattern.kind) {
    case Kind::any:
      return true;
    case Kind::rest:
      return false;
    case Kind::nil:
      return value.kind == Value::Kind::nil;
    case Kind::atom: {
      const std::string text = substituted(pattern.text, variables_);
      return value.kind != Value::Kind::list && ascii::iequals(value.text, text) && value.kind != Value::Kind::nil;
    }
    case Kind::string:
      return same_text(value, substituted(pattern.text, variables_));
    case Kind::variable:
      return variable(pattern.text, value);
    case Kind::regex:
      return value.kind != Value::Kind::list && value.text.size() <= regex_octets_max &&
             std::regex_search(value.text, std::regex(pattern.text));
    case Kind::compare:
      return compare(pattern, value);
    case Kind::number_set:
      return numbers_of(value.text) == numbers_of(substituted(pattern.text, variables_));
    case Kind::fixture: {
      const auto fixture = fixtures_.find(pattern.text);
      return fixture != fixtures_.end() && same_text(value, fixture->second);
    }
    case Kind::octets:
      return value.kind == Value::Kind::string && std::to_string(value.text.size()) == pattern.text;
    case Kind::list:
    case Kind::only:
      if (value.kind != Value::Kind::list) return false;
      if (std::exchange(in_pairs_, false)) {
        const bool fit = pairs(pattern.items, value.items, pattern.kind == Kind::only);
        in_pairs_ = true;
        return fit;
      }
      return sequence(pattern.items, 0, value.items, 0);
    case Kind::set:
      return value.kind == Value::Kind::list && unordered(pattern.items, value.items);
    case Kind::choice:
      return std::any_of(pattern.items.begin(), pattern.items.end(),
                         [&](const Pattern& candidate) { return one(candidate, value); });
  }
  return false;
}

}  // namespace postkeep::conformance
