// See pattern.h: what is said of texts and variables.
#include <algorithm>
#include <charconv>
#include <regex>
#include <utility>

#include "conformance/runner/pattern.h"
#include "protocol/base/ascii.h"

namespace postkeep::conformance {

namespace {

constexpr std::size_t set_numbers_max = 100'000;

bool is_name_char(char c) { return ascii::is_alnum(c) || c == '-' || c == '_'; }

// "\xHH" at the beginning.
std::optional<char> hexadecimal(std::string_view text) {
  unsigned value = 0;
  if (text.size() < 4 || !text.starts_with("\\x")) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data() + 2, text.data() + 4, value, 16);
  if (error != std::errc() || end != text.data() + 4) return std::nullopt;
  return static_cast<char>(value);
}

}  // namespace

// Variables begin with a small letter, keywords ("$Junk") with a capital.
std::size_t variable_length(std::string_view text) {
  if (text.size() < 2 || text[0] != '$' || text[1] < 'a' || text[1] > 'z') return 0;
  std::size_t length = 1;
  while (1 + length < text.size() && is_name_char(text[1 + length])) ++length;
  return length;
}

Outcome check_regex(const std::string& regex) {
  try {
    const std::regex built(regex);
  } catch (const std::regex_error& error) {
    return failure(ErrorKind::bad_syntax, "/" + regex + "/: " + error.what());
  }
  return {};
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string substituted(std::string_view text, const Variables& variables) {
  std::string out;
  while (!text.empty()) {
    if (text.starts_with("@@")) {
      const auto separator = variables.find("@@");
      out += separator == variables.end() ? "/" : separator->second;
      text.remove_prefix(2);
      continue;
    }
    if (const std::size_t name = variable_length(text); name > 0) {
      // "$box-a": the longest name that is known.
      bool found = false;
      for (std::size_t length = name; length > 0 && !found; --length) {
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
    const std::optional<char> code = hexadecimal(text.substr(i));
    const char c = text[++i];
    if (c == 'r') {
      out += '\r';
    } else if (c == 'n') {
      out += '\n';
    } else if (c == 't') {
      out += '\t';
    } else if (code) {
      out += *code;
      i += 2;
    } else {
      out += c;
    }
  }
  return out;
}

bool has_bad_escape(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '\\') continue;
    if (text[i + 1] == 'x' && !hexadecimal(text.substr(i))) return true;
    ++i;
  }
  return false;
}

std::set<std::uint64_t> numbers_of(std::string_view set) {
  std::set<std::uint64_t> numbers;
  while (!set.empty()) {
    const std::size_t comma = std::min(set.find(','), set.size());
    const std::string_view range = set.substr(0, comma);
    set.remove_prefix(std::min(comma + 1, set.size()));
    const std::size_t colon = std::min(range.find(':'), range.size());
    std::uint64_t first = number_of(range.substr(0, colon)).value_or(0);
    std::uint64_t last = colon == range.size() ? first : number_of(range.substr(colon + 1)).value_or(0);
    if (last < first) std::swap(first, last);
    for (std::uint64_t n = first; n <= last && numbers.size() < set_numbers_max; ++n) numbers.insert(n);
  }
  return numbers;
}

}  // namespace postkeep::conformance
