// See preview.h.
#include "protocol/mime/preview.h"

#include "protocol/mime/html_text.h"
#include "protocol/mime/structure.h"
#include "protocol/text/charset.h"
#include "protocol/text/utf8.h"

namespace postkeep::mime {

namespace {

constexpr std::size_t text_bytes_max = 32 * 1024;  // of the part, still encoded: enough behind long style sheets too

bool is_shown_text(const Part& part, std::string_view subtype) {
  if (part.type != "text" || part.subtype != subtype) return false;
  return !part.disposition || part.disposition->type != "attachment";
}

// The first such part in the order in which parts are read. The tree is as deep as the parser lets it be.
const Part* first_text(const Part& part, std::string_view subtype) {
  if (is_shown_text(part, subtype)) return &part;
  for (const Part& child : part.children) {
    if (const Part* found = first_text(child, subtype)) return found;
  }
  return nullptr;
}

std::string charset_of(const Part& part) {
  for (const Parameter& parameter : part.parameters) {
    if (parameter.name == "charset") return parameter.value;
  }
  return "us-ascii";
}

std::string decoded_text(const Part& part, std::string_view message) {
  const std::string_view body =
      message.substr(part.body.begin, std::min<std::uint64_t>(part.body.size(), text_bytes_max));
  return text::to_utf8_leniently(charset_of(part), decode_body(part.encoding(), body));
}

std::string without_quotes(std::string_view text) {
  std::string kept;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    if (text[0] != '>') kept += text.substr(0, end);
    text.remove_prefix(end);
  }
  return kept;
}

bool is_space(char32_t c) {
  return c <= 0x20 || c == 0x7F || (c >= 0x80 && c <= 0xA0) || (c >= 0x2000 && c <= 0x200F) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x2060 || c == 0x3000 || c == 0xFEFF || c == 0x034F || c == 0x00AD;
}

// The first characters, with one space for any white space, invisible or control characters.
std::string first_words(std::string_view text) {
  std::string words;
  std::size_t characters = 0;
  bool space_due = false;
  while (!text.empty() && characters < preview_characters_max) {
    const text::CodePoint next = text::first_code_point(text);
    text.remove_prefix(next.length);
    if (is_space(next.value)) {
      space_due = !words.empty();
      continue;
    }
    if (space_due) {
      space_due = false;
      words += ' ';
      if (++characters == preview_characters_max) break;
    }
    text::append_utf8(words, next.value);
    ++characters;
  }
  if (words.ends_with(' ')) words.pop_back();
  return words;
}

}  // namespace

std::string preview_of(std::string_view start) {
  start = start.substr(0, preview_source_bytes);
  const Part message = parse_structure(start);
  if (message.subtype == "encrypted") return "";
  if (const Part* plain = first_text(message, "plain")) {
    const std::string text = decoded_text(*plain, start);
    std::string words = first_words(without_quotes(text));
    if (!words.empty()) return words;
  }
  if (const Part* html = first_text(message, "html")) return first_words(html_to_text(decoded_text(*html, start)));
  return "";
}

}  // namespace postkeep::mime
