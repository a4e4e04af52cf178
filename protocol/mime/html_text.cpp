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
constexpr std::array hidden_elements = {"head", "script", "style", "title", "template"};
// Elements that do not part words: everything else does.
constexpr std::array inline_elements = {"a",   "abbr", "b",     "big",  "code",   "em",  "font", "i",
                                        "ins", "s",    "small", "span", "strong", "sub", "sup",  "u"};
// The references that mail uses; others stay as they are written.
constexpr std::array<std::pair<std::string_view, char32_t>, 14> references = {{{"amp", U'&'},
                                                                               {"lt", U'<'},
                                                                               {"gt", U'>'},
                                                                               {"quot", U'"'},
                                                                               {"apos", U'\''},
                                                                               {"nbsp", U' '},
                                                                               {"zwnj", U' '},
                                                                               {"shy", U' '},
                                                                               {"ndash", 0x2013},
                                                                               {"mdash", 0x2014},
                                                                               {"rsquo", 0x2019},
                                                                               {"ldquo", 0x201C},
                                                                               {"rdquo", 0x201D},
                                                                               {"hellip", 0x2026}}};
constexpr std::size_t reference_octets_max = 10;

template <class Names>
bool is_among(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

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
  return std::nullopt;
}

class Reader {
 public:
  explicit Reader(std::string_view html) : rest_(html) {}

  std::string read() {
    while (!rest_.empty()) {
      if (rest_[0] == '<') {
        take_markup();
      } else if (rest_[0] == '&') {
        take_reference();
      } else {
        const std::size_t end = std::min(rest_.find_first_of("<&"), rest_.size());
        text_ += rest_.substr(0, end);
        rest_.remove_prefix(end);
      }
    }
    return std::move(text_);
  }

 private:
  void skip_behind(std::string_view what) {
    const std::size_t at = rest_.find(what);
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + what.size());
  }

  void take_markup() {
    if (rest_.starts_with("<!--")) {
      skip_behind("-->");
      return;
    }
    const bool is_tag = rest_.size() > 1 && (ascii::is_alpha(rest_[1]) || rest_[1] == '/' || rest_[1] == '!');
    if (!is_tag) {
      text_ += '<';
      rest_.remove_prefix(1);
      return;
    }
    const bool closing = rest_[1] == '/';
    std::string_view name = rest_.substr(closing ? 2 : 1);
    std::size_t length = 0;
    while (length < name.size() && ascii::is_alnum(name[length])) ++length;
    const std::string element = ascii::to_lower(name.substr(0, length));
    skip_behind(">");
    if (!is_among(inline_elements, element)) text_ += ' ';
    if (!closing && is_among(hidden_elements, element)) skip_element(element);
  }

  // To the end tag of that name, in any case.
  void skip_element(std::string_view element) {
    for (skip_behind("</"); !rest_.empty(); skip_behind("</")) {
      if (ascii::to_lower(rest_.substr(0, element.size())) == element) break;
    }
    skip_behind(">");
  }

  void take_reference() {
    const std::size_t end = rest_.substr(0, reference_octets_max).find(';');
    const std::optional<char32_t> value =
        end == std::string_view::npos ? std::nullopt : referred_to(rest_.substr(1, end - 1));
    if (value) {
      text::append_utf8(text_, *value);
      rest_.remove_prefix(end + 1);
    } else {
      text_ += '&';
      rest_.remove_prefix(1);
    }
  }

  std::string_view rest_;
  std::string text_;
};

}  // namespace

std::string html_to_text(std::string_view html) { return Reader(html).read(); }

}  // namespace postkeep::mime
