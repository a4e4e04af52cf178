#include "protocol/mime/parameters.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "protocol/base/ascii.h"
#include "protocol/mime/limits.h"
#include "protocol/text/charset.h"

namespace postkeep::mime {
namespace {

constexpr std::uint32_t section_max = 9999;  // "name*9999": more would not fit a header anyway

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? ascii::hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? ascii::hex_value(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// A parameter as it stands in the field: "name*1*=value".
struct RawParameter {
  std::string base;                      // lower case, up to the first "*"
  std::optional<std::uint32_t> section;  // RFC 2231 §3
  bool percent_encoded = false;          // a trailing "*"
  std::string value;
};

// Walks over one value. Comments and folding count as white space.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return text_[at_]; }
  void advance() { ++at_; }

  void skip_space() {
    while (!at_end() && (is_space(peek()) || peek() == '(')) {
      if (peek() == '(') {
        skip_comment();
      } else {
        advance();
      }
    }
  }

  // "type/subtype" or "attachment": ends at ";" or where another word begins without a slash between.
  std::string head() {
    std::string out;
    while (true) {
      skip_space();
      if (at_end() || peek() == ';') return out;
      const bool joins = out.empty() || out.back() == '/' || peek() == '/';
      if (!joins) return out;  // a missing semicolon: parameters follow
      while (!at_end() && peek() != ';' && peek() != '(' && !is_space(peek())) {
        out += ascii::to_lower(peek());
        advance();
      }
    }
  }

  // The name before "=" or ";"; empty if there is none.
  std::string name() {
    skip_space();
    std::string out;
    while (!at_end() && peek() != '=' && peek() != ';') {
      if (!is_space(peek())) out += ascii::to_lower(peek());
      advance();
    }
    return out;
  }

  std::string value() {
    skip_space();
    if (!at_end() && peek() == '"') {
      if (auto quoted = quoted_string()) return *std::move(quoted);
      advance();  // an unterminated quote: the rest is read as if it was not there
    }
    return unquoted();
  }

  // From wherever we are to behind the next ";", or to where a new parameter begins (missing semicolon).
  void skip_separator() {
    skip_space();
    while (!at_end() && peek() == ';') {
      advance();
      skip_space();
    }
  }

 private:
  void skip_comment() {
    std::size_t depth = 0;
    for (; !at_end(); advance()) {
      if (peek() == '\\') {
        advance();
        if (at_end()) return;
      } else if (peek() == '(') {
        ++depth;
      } else if (peek() == ')' && --depth == 0) {
        advance();
        return;
      }
    }
  }

  std::optional<std::string> quoted_string() {
    std::string out;
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '"') {
        at_ = i + 1;
        return out;
      }
      if (c == '\\' && i + 1 < text_.size()) {
        out += text_[++i];
      } else if (c != '\r' && c != '\n') {
        out += c;
      }
    }
    return std::nullopt;
  }

  // Up to ";", a comment, or a blank after which another "name=" stands. Blanks inside belong to the value, since
  // "filename=annual report.pdf" is common.
  std::string unquoted() {
    std::string out;
    while (!at_end() && peek() != ';') {
      if (is_space(peek())) {
        const std::size_t before = at_;
        skip_space();
        if (at_end() || peek() == ';' || another_parameter_here()) break;
        out += before + 1 == at_ ? text_[before] : ' ';
        continue;
      }
      if (peek() == '(' && (out.empty() || is_space(text_[at_ - 1]))) {
        skip_comment();
        continue;
      }
      out += peek();
      advance();
    }
    while (!out.empty() && is_space(out.back())) out.pop_back();
    return out;
  }

  bool another_parameter_here() const {
    std::size_t i = at_;
    while (i < text_.size() && (ascii::is_alnum(text_[i]) || text_[i] == '-' || text_[i] == '_' || text_[i] == '*')) {
      ++i;
    }
    return i > at_ && i < text_.size() && text_[i] == '=';
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// "name*", "name*1", "name*1*" (RFC 2231 §7); anything else after a star is part of no name we know.
bool split_name(std::string_view name, RawParameter& out) {
  const std::size_t star = name.find('*');
  out.base = name.substr(0, star);
  if (out.base.empty()) return false;
  if (star == name.npos) return true;
  std::string_view rest = name.substr(star + 1);
  if (rest.empty()) {
    out.percent_encoded = true;
    return true;
  }
  std::uint32_t section = 0;
  std::size_t digits = 0;
  for (; digits < rest.size() && ascii::is_digit(rest[digits]); ++digits) {
    section = section * 10 + static_cast<std::uint32_t>(rest[digits] - '0');
    if (section > section_max) return false;
  }
  if (digits == 0) return false;
  rest.remove_prefix(digits);
  out.section = section;
  out.percent_encoded = rest == "*";
  return rest.empty() || rest == "*";
}

// Joins the sections of one name: 0, 1, 2 ... up to the first gap.
Parameter join(const std::string& name, std::vector<const RawParameter*> sections) {
  std::stable_sort(sections.begin(), sections.end(), [](const RawParameter* a, const RawParameter* b) {
    return a->section.value_or(0) < b->section.value_or(0);
  });
  std::string bytes;
  std::string charset;
  bool extended = false;
  std::uint32_t next = sections.front()->section.value_or(0);  // senders have been seen to count from 1
  const std::uint32_t first = next;
  for (const RawParameter* section : sections) {
    const std::uint32_t number = section->section.value_or(0);
    if (number < next) continue;  // repeated
    if (number > next) break;
    std::string_view value = section->value;
    if (section->percent_encoded) {
      extended = true;
      const std::size_t quote = number == first ? value.find('\'') : value.npos;
      const std::size_t second = quote == value.npos ? quote : value.find('\'', quote + 1);
      if (second != value.npos) {
        charset = value.substr(0, quote);
        value.remove_prefix(second + 1);
      }
      bytes += percent_decode(value);
    } else {
      bytes += value;
    }
    ++next;
  }
  if (!extended) return Parameter{name, std::move(bytes), Parameter::Form::plain};
  return Parameter{name, text::to_utf8_leniently(charset, bytes), Parameter::Form::extended};
}

std::vector<Parameter> decode(const std::vector<RawParameter>& raw) {
  std::vector<Parameter> out;
  for (const RawParameter& first : raw) {
    if (out.size() >= limits::parameters_max) break;
    if (find_parameter(out, first.base) != nullptr) continue;
    // RFC 2231 forms win over a plain one beside them, which is there for readers that know no better.
    std::vector<const RawParameter*> sections;
    std::vector<const RawParameter*> whole;
    const RawParameter* plain = nullptr;
    for (const RawParameter& other : raw) {
      if (other.base != first.base) continue;
      if (other.section) {
        sections.push_back(&other);
      } else if (other.percent_encoded) {
        whole.push_back(&other);
      } else if (plain == nullptr) {
        plain = &other;
      }
    }
    if (!whole.empty()) {
      out.push_back(join(first.base, {whole.front()}));
    } else if (!sections.empty()) {
      out.push_back(join(first.base, std::move(sections)));
    } else {
      out.push_back(Parameter{first.base, plain->value, Parameter::Form::plain});
    }
  }
  return out;
}

}  // namespace

ParameterisedValue parse_parameterised(std::string_view value) {
  Scanner scanner(value);
  ParameterisedValue out;
  out.value = scanner.head();
  std::vector<RawParameter> raw;
  scanner.skip_separator();
  while (!scanner.at_end() && raw.size() < limits::parameter_sections_max) {
    const std::string name = scanner.name();
    if (!scanner.at_end() && scanner.peek() == '=') {
      scanner.advance();
      RawParameter parameter;
      parameter.value = scanner.value();
      if (split_name(name, parameter)) raw.push_back(std::move(parameter));
    }
    scanner.skip_separator();
  }
  out.parameters = decode(raw);
  return out;
}

const Parameter* find_parameter(const std::vector<Parameter>& parameters, std::string_view name) {
  const auto found =
      std::find_if(parameters.begin(), parameters.end(), [&](const Parameter& p) { return p.name == name; });
  return found == parameters.end() ? nullptr : &*found;
}

}  // namespace postkeep::mime
