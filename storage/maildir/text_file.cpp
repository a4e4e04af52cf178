#include "storage/maildir/text_file.h"

#include <algorithm>

#include "protocol/base/ascii.h"
#include "storage/digest.h"

namespace postkeep::storage::maildir {
namespace {

constexpr std::size_t checksum_octets = 8;
constexpr std::string_view checksum_key = "checksum ";
constexpr std::size_t line_checksum_octets = 4;
constexpr std::string_view line_checksum_mark = " ~";
constexpr std::size_t line_checksum_tail = line_checksum_mark.size() + 2 * line_checksum_octets;

std::string checksum_of(std::string_view text) { return hex(sha256(text), checksum_octets); }

void append_escaped(std::string& out, std::string_view value, bool spaces_too) {
  const auto breaks = [spaces_too](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f || c == '%' || (spaces_too && c == ' ');
  };
  if (std::none_of(value.begin(), value.end(), breaks)) {
    out += value;
    return;
  }
  for (const char c : value) {
    const auto octet = static_cast<unsigned char>(c);
    if (breaks(c)) {
      out += {'%', ascii::upper_hex_digits[octet >> 4], ascii::upper_hex_digits[octet & 15]};
    } else {
      out += c;
    }
  }
}

bool is_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

// The text above the checksum line, if that is there and right.
Result<std::string_view> checked_text(std::string_view kind, std::string_view text) {
  if (text.empty() || text.back() != '\n') return damaged(kind, 0, "does not end with a line end");
  const std::size_t before = text.rfind('\n', text.size() - 2);
  if (before == std::string_view::npos) return damaged(kind, 0, "has no checksum line");
  const std::string_view above = text.substr(0, before + 1);
  std::string_view last = text.substr(before + 1, text.size() - before - 2);
  if (!last.starts_with(checksum_key)) return damaged(kind, 0, "has no checksum line");
  last.remove_prefix(checksum_key.size());
  if (last != checksum_of(above)) return damaged(kind, 0, "has a wrong checksum");
  return above;
}

}  // namespace

void append_word(std::string& out, std::string_view value) {
  if (value.empty()) out += '%';
  append_escaped(out, value, true);
}

std::string escape_word(std::string_view value) {
  std::string out;
  append_word(out, value);
  return out;
}

std::optional<std::string> unescape(std::string_view text) {
  if (text == "%") return std::string();
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = ascii::hex_value(text[i + 1]);
    const int low = ascii::hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

tl::unexpected<Error> damaged(std::string_view kind, std::size_t line, std::string_view reason) {
  std::string detail(kind);
  if (line != 0) detail += " line " + std::to_string(line);
  detail.append(": ").append(reason);
  return tl::unexpected<Error>(Error(ErrorKind::corruption, "A file in mail storage is damaged", std::move(detail)));
}

std::string render_text_file(std::string_view kind, int version, const Lines& lines) {
  std::string text;
  text.append(kind).append(" ").append(std::to_string(version)).append("\n");
  for (const auto& [key, value] : lines) {
    text.append(key) += ' ';
    append_escaped(text, value, false);
    text += '\n';
  }
  const std::string checksum = checksum_of(text);
  return text.append(checksum_key).append(checksum).append("\n");
}

Result<Lines> parse_text_file(std::string_view kind, int version, std::string_view text) {
  std::string_view rest = TRY(checked_text(kind, text));
  Lines lines;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    const std::size_t space = line.find(' ');
    const std::string_view key = line.substr(0, space);
    if (!is_key(key) || space == std::string_view::npos) return damaged(kind, number, "is not \"<key> <value>\"");
    std::optional<std::string> value = unescape(line.substr(space + 1));
    if (!value) return damaged(kind, number, "has a bad %XX");
    if (number > 1) {
      lines.emplace_back(key, std::move(*value));
    } else if (key != kind) {
      return damaged(kind, 1, "is another kind of file");
    } else if (*value != std::to_string(version)) {
      return damaged(kind, 1, "has version " + *value + ", which this program does not read");
    }
  }
  return lines;
}

std::string checked_line(std::string text) {
  const std::string checksum = hex(sha256(text), line_checksum_octets);
  return text.append(line_checksum_mark).append(checksum).append("\n");
}

std::optional<std::string_view> text_of_checked_line(std::string_view line) {
  if (line.size() < line_checksum_tail) return std::nullopt;
  const std::string_view text = line.substr(0, line.size() - line_checksum_tail);
  const std::string_view tail = line.substr(text.size());
  if (!tail.starts_with(line_checksum_mark)) return std::nullopt;
  if (tail.substr(line_checksum_mark.size()) != hex(sha256(text), line_checksum_octets)) return std::nullopt;
  return text;
}

std::string_view take_word(std::string_view& text) {
  const std::size_t space = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, space);
  text.remove_prefix(std::min(space + 1, text.size()));
  return word;
}

}  // namespace postkeep::storage::maildir
