#include "protocol/mime/encoded_words.h"

#include <optional>
#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/mime/header_fields.h"
#include "protocol/mime/transfer_decode.h"
#include "protocol/text/charset.h"
#include "protocol/text/utf8.h"

namespace postkeep::mime {
namespace {

// RFC 2047 §2 allows 75 octets; mailers that do not know put a whole subject into one word. A bound keeps the
// search for the end of words that have none from costing the square of the header.
constexpr std::size_t word_text_max = 4000;
constexpr std::size_t charset_max = 64;
constexpr std::string_view replacement_character = "\xEF\xBF\xBD";  // U+FFFD

struct EncodedWord {
  std::string_view charset;
  std::string bytes;       // transfer coding removed
  std::size_t length = 0;  // octets of the word in the field
};

int hex_value(char c) {
  if (ascii::is_digit(c)) return c - '0';
  const char l = ascii::to_lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

// RFC 2047 §4.2: quoted-printable with "_" for a space, without soft line breaks.
std::string decode_q(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '=' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '_' ? ' ' : text[i];
    }
  }
  return out;
}

// The encoded word that starts at the start of `text`, if one does.
std::optional<EncodedWord> take_word(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  const std::size_t charset_end = text.substr(0, charset_max + 3).find('?', 2);
  if (charset_end == text.npos || charset_end == 2 || charset_end + 2 >= text.size()) return std::nullopt;
  const char coding = ascii::to_lower(text[charset_end + 1]);
  if (text[charset_end + 2] != '?' || (coding != 'q' && coding != 'b')) return std::nullopt;
  const std::size_t begin = charset_end + 3;
  const std::size_t end = text.substr(0, begin + word_text_max).find("?=", begin);
  if (end == text.npos) return std::nullopt;
  const std::string_view encoded = text.substr(begin, end - begin);
  EncodedWord word;
  word.charset = text.substr(2, charset_end - 2);
  word.length = end + 2;
  word.bytes = coding == 'q' ? decode_q(encoded) : decode_body(TransferEncoding::base64, encoded);
  return word;
}

std::string_view without_language(std::string_view charset) { return charset.substr(0, charset.find('*')); }

class Decoder {
 public:
  HeaderText run(std::string_view value) {
    while (!value.empty()) {
      if (value.front() == '=') {
        const auto word = take_word(value);
        const bool is_known = word && text::is_known_charset(word->charset);
        if (word && !is_known) out_.is_sound = false;
        if (is_known) {
          add_word(*word);
          value.remove_prefix(word->length);
          continue;
        }
      }
      gap_ += value.front();
      value.remove_prefix(1);
    }
    end_words();
    end_gap();
    if (out_.text.find(replacement_character) != std::string::npos) out_.is_sound = false;
    return std::move(out_);
  }

 private:
  // White space between two words is dropped (RFC 2047 §6.2), and words of one charset are converted together,
  // since broken mailers cut characters in two.
  void add_word(const EncodedWord& word) {
    const bool adjacent = in_words_ && gap_.find_first_not_of(" \t\r\n") == gap_.npos;
    if (adjacent) {
      gap_.clear();
      if (!ascii::iequals(without_language(charset_), without_language(word.charset))) end_words();
    } else {
      end_words();
      end_gap();
    }
    in_words_ = true;
    charset_ = word.charset;
    bytes_ += word.bytes;
  }

  void end_words() {
    if (in_words_) out_.text += text::to_utf8_leniently(charset_, bytes_);
    bytes_.clear();
    in_words_ = false;
  }

  void end_gap() {
    if (!gap_.empty()) out_.text += text::to_utf8_leniently("us-ascii", gap_);
    gap_.clear();
  }

  HeaderText out_;
  std::string gap_;      // what is no encoded word, since the last one
  std::string bytes_;    // of words not yet converted
  std::string charset_;  // of bytes_
  bool in_words_ = false;
};

}  // namespace

HeaderText decode_header(std::string_view raw_value) {
  std::string value = unfold(raw_value);
  const bool plain = value.find("=?") == std::string::npos && text::is_ascii(value);
  if (!plain) return Decoder().run(value);
  HeaderText text;
  text.text = std::move(value);
  return text;
}

std::string decode_header_text(std::string_view raw_value) { return decode_header(raw_value).text; }

}  // namespace postkeep::mime
