// See html_text.h.
#include "protocol/mime/html_text.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/text/utf8.h"

namespace postkeep::mime {

namespace {

// Elements whose content is not shown.
constexpr std::array hidden_elements = {"script", "style", "template"};
constexpr std::array head_elements = {"head", "title"};
// Elements that do not part words: everything else does.
constexpr std::array inline_elements = {"a",   "abbr", "b",     "big",  "code",   "em",  "font", "i",
                                        "ins", "s",    "small", "span", "strong", "sub", "sup",  "u"};
constexpr std::size_t element_octets_max = 16;  // longer names are none of these

// The references that mail uses, HTML 4.01 §24; others stay as they are written. Those of U+00A1 to U+00FF in order.
constexpr std::array latin_references = {
    "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar", "sect",   "uml",    "copy",   "ordf",   "laquo",
    "not",    "shy",    "reg",    "macr",   "deg",    "plusmn", "sup2",   "sup3",   "acute",  "micro",  "para",
    "middot", "cedil",  "sup1",   "ordm",   "raquo",  "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute",
    "Acirc",  "Atilde", "Auml",   "Aring",  "AElig",  "Ccedil", "Egrave", "Eacute", "Ecirc",  "Euml",   "Igrave",
    "Iacute", "Icirc",  "Iuml",   "ETH",    "Ntilde", "Ograve", "Oacute", "Ocirc",  "Otilde", "Ouml",   "times",
    "Oslash", "Ugrave", "Uacute", "Ucirc",  "Uuml",   "Yacute", "THORN",  "szlig",  "agrave", "aacute", "acirc",
    "atilde", "auml",   "aring",  "aelig",  "ccedil", "egrave", "eacute", "ecirc",  "euml",   "igrave", "iacute",
    "icirc",  "iuml",   "eth",    "ntilde", "ograve", "oacute", "ocirc",  "otilde", "ouml",   "divide", "oslash",
    "ugrave", "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml"};
constexpr char32_t first_latin_reference = 0xA1;
constexpr char32_t soft_hyphen = 0xAD;  // which is not seen
static_assert(first_latin_reference + latin_references.size() == 0x100);

constexpr std::array<std::pair<std::string_view, char32_t>, 26> references = {
    {{"amp", U'&'},      {"lt", U'<'},      {"gt", U'>'},      {"quot", U'"'},    {"apos", U'\''},   {"nbsp", U' '},
     {"zwnj", U' '},     {"ensp", U' '},    {"emsp", U' '},    {"thinsp", U' '},  {"OElig", 0x152},  {"oelig", 0x153},
     {"Scaron", 0x160},  {"scaron", 0x161}, {"Yuml", 0x178},   {"ndash", 0x2013}, {"mdash", 0x2014}, {"lsquo", 0x2018},
     {"rsquo", 0x2019},  {"sbquo", 0x201A}, {"ldquo", 0x201C}, {"rdquo", 0x201D}, {"bdquo", 0x201E}, {"bull", 0x2022},
     {"hellip", 0x2026}, {"euro", 0x20AC}}};
constexpr std::size_t reference_octets_max = 8;  // of its name

template <class Names>
bool is_among(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr bool is_html_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; }

// By octet: is it something else than a letter of the text?
constexpr std::array<bool, 256> is_special = [] {
  std::array<bool, 256> table{};
  for (std::size_t octet = 0; octet < table.size(); ++octet) {
    const char c = static_cast<char>(octet);
    table[octet] = c == '<' || c == '&' || is_html_space(c);
  }
  return table;
}();

std::optional<char32_t> numeric(std::string_view digits) {
  const bool hex = !digits.empty() && (digits[0] == 'x' || digits[0] == 'X');
  if (hex) digits.remove_prefix(1);
  if (digits.empty()) return std::nullopt;
  char32_t value = 0;
  for (const char c : digits) {
    const char lower = static_cast<char>(c | 0x20);
    const bool is_hex_letter = hex && lower >= 'a' && lower <= 'f';
    if (!ascii::is_digit(c) && !is_hex_letter) return std::nullopt;
    value = value * (hex ? 16 : 10) + static_cast<char32_t>(is_hex_letter ? lower - 'a' + 10 : c - '0');
    if (value > 0x10FFFF) return std::nullopt;
  }
  return value;
}

std::optional<char32_t> referred_to(std::string_view name) {
  if (name.starts_with('#')) return numeric(name.substr(1));
  for (const auto& [known, value] : references) {
    if (known == name) return value;
  }
  const auto latin = std::find(latin_references.begin(), latin_references.end(), name);
  if (latin == latin_references.end()) return std::nullopt;
  return first_latin_reference + static_cast<char32_t>(latin - latin_references.begin());
}

}  // namespace

void HtmlText::feed(std::string_view html, std::string& out) {
  while (!html.empty()) {
    html.remove_prefix(take_run(html, out));
    if (html.empty()) return;
    take(html.front(), out);
    html.remove_prefix(1);
  }
}

void HtmlText::finish(std::string& out) {
  if (state_ == State::opened) out += '<';
  if (state_ == State::reference) out += '&' + word_;
  *this = HtmlText(head_);
}

// What changes nothing, at once. Returns how much.
std::size_t HtmlText::take_run(std::string_view html, std::string& out) {
  if (state_ == State::tag) return std::min(html.find('>'), html.size());
  if (state_ == State::hidden) return std::min(html.find('<'), html.size());
  if (state_ != State::text) return 0;
  std::size_t end = 0;
  while (end < html.size() && !is_special[static_cast<unsigned char>(html[end])]) ++end;
  if (end == 0) return 0;
  out.append(html.substr(0, end));
  behind_space_ = false;
  return end;
}

void HtmlText::take(char c, std::string& out) {
  switch (state_) {
    case State::text:
      return take_text(c, out);
    case State::reference:
      return take_reference(c, out);
    case State::opened:
      return take_opened(c, out);
    case State::declaration:
      return take_declaration(c, out);
    case State::comment:
      return take_comment(c);
    case State::name:
      return take_name(c, out);
    case State::tag:
      if (c == '>') end_tag(out);
      return;
    case State::hidden:
    case State::hidden_opened:
    case State::hidden_name:
      return take_hidden(c);
  }
}

void HtmlText::take_text(char c, std::string& out) {
  word_.clear();
  if (c == '<') {
    state_ = State::opened;
  } else if (c == '&') {
    state_ = State::reference;
  } else if (is_html_space(c)) {
    put_space(out);
  } else {
    out += c;
    behind_space_ = false;
  }
}

void HtmlText::take_reference(char c, std::string& out) {
  if ((ascii::is_alnum(c) || c == '#') && word_.size() < reference_octets_max) {
    word_ += c;
    return;
  }
  state_ = State::text;
  const std::optional<char32_t> value = c == ';' ? referred_to(word_) : std::nullopt;
  if (!value) {
    out += '&' + word_;
    behind_space_ = false;
    take_text(c, out);
  } else if (*value == U' ') {
    put_space(out);
  } else if (*value != soft_hyphen) {
    text::append_utf8(out, *value);
    behind_space_ = false;
  }
}

// Behind '<'.
void HtmlText::take_opened(char c, std::string& out) {
  if (c == '/') return begin_name(true);
  if (c == '!') {
    state_ = State::declaration;
    dashes_ = 0;
    return;
  }
  if (ascii::is_alpha(c)) {
    begin_name(false);
    return take_name(c, out);
  }
  state_ = State::text;
  out += '<';
  behind_space_ = false;
  take_text(c, out);
}

// Behind "<!".
void HtmlText::take_declaration(char c, std::string& out) {
  if (c == '-' && ++dashes_ == 2) {
    state_ = State::comment;
  } else if (c != '-') {
    begin_name(false);
    state_ = State::tag;
    if (c == '>') end_tag(out);
  }
}

void HtmlText::take_comment(char c) {
  if (c == '>' && dashes_ >= 2) {
    state_ = State::text;
  } else {
    dashes_ = c == '-' ? dashes_ + 1 : 0;
    dashes_ = std::min(dashes_, 2);
  }
}

void HtmlText::begin_name(bool is_closing) {
  state_ = State::name;
  is_closing_ = is_closing;
  word_.clear();
}

void HtmlText::take_name(char c, std::string& out) {
  if (ascii::is_alnum(c)) {
    if (word_.size() < element_octets_max) word_ += ascii::to_lower(c);
    return;
  }
  state_ = State::tag;
  if (c == '>') end_tag(out);
}

void HtmlText::end_tag(std::string& out) {
  state_ = State::text;
  if (!is_among(inline_elements, word_)) put_space(out);
  if (is_closing_ || !hides(word_)) return;
  element_ = word_;
  state_ = State::hidden;
}

// Until the end tag of that name, in any case.
void HtmlText::take_hidden(char c) {
  if (c == '<') {
    state_ = State::hidden_opened;
  } else if (state_ == State::hidden_opened && c == '/') {
    state_ = State::hidden_name;
    word_.clear();
  } else if (state_ == State::hidden_name) {
    word_ += ascii::to_lower(c);
    if (!element_.starts_with(word_)) state_ = State::hidden;
    if (word_ != element_) return;
    is_closing_ = true;
    state_ = State::tag;
  } else {
    state_ = State::hidden;
  }
}

bool HtmlText::hides(std::string_view element) const {
  return is_among(hidden_elements, element) || (head_ == HtmlHead::hidden && is_among(head_elements, element));
}

void HtmlText::put_space(std::string& out) {
  if (!std::exchange(behind_space_, true)) out += ' ';
}

std::string html_to_text(std::string_view html) {
  HtmlText reader(HtmlHead::hidden);
  std::string text;
  reader.feed(html, text);
  reader.finish(text);
  return text;
}

}  // namespace postkeep::mime
