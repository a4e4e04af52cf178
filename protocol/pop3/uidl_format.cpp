#include "protocol/pop3/uidl_format.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "protocol/base/ascii.h"

namespace postkeep::pop3 {
namespace {

tl::unexpected<Error> unusable(std::string text) { return failure(ErrorKind::cannot, std::move(text)); }

// Leading digits of `text`, which it takes; none: 0. Too many are more than any unique-id has.
unsigned take_width(std::string_view& text) {
  unsigned width = 0;
  while (!text.empty() && ascii::is_digit(text.front())) {
    width = std::min(width * 10 + static_cast<unsigned>(text.front() - '0'), 1000U);
    text.remove_prefix(1);
  }
  return width;
}

std::string_view without_spaces(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string number(std::uint32_t value, bool hexadecimal, unsigned width) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, hexadecimal ? 16 : 10).ptr;
  std::string text(digits, end);
  if (text.size() < width) text.insert(0, width - text.size(), '0');
  return text;
}

bool may_stand(char c) { return c > ' ' && c < '\x7F'; }

}  // namespace

class UidlFormat::Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Result<UidlFormat> parse() {
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '%') {
        TRY(take_variable());
      } else {
        add_text(c);
      }
    }
    UidlFormat format;
    format.pieces_ = std::move(pieces_);
    TRY(check(format));
    return format;
  }

 private:
  // Behind the percent sign.
  Outcome take_variable() {
    if (rest_.starts_with('{')) return take_long_variable();
    Piece piece;
    const bool zeros = rest_.starts_with('0');
    piece.width = take_width(rest_);
    if (piece.width != 0 && !zeros) return unusable("has a width that cuts numbers off: begin it with 0");
    if (rest_.starts_with('X')) {
      piece.hexadecimal = true;
      rest_.remove_prefix(1);
    }
    if (rest_.empty()) return unusable("ends within a variable");
    const char letter = rest_.front();
    rest_.remove_prefix(1);
    if (letter == '%') {
      add_text('%');
      return {};
    }
    if (letter != 'u' && letter != 'v') {
      return unusable(std::string("has %") + letter + ", which is not to be had here: %u and %v are");
    }
    piece.what = letter == 'u' ? What::uid : What::uid_validity;
    pieces_.push_back(std::move(piece));
    return {};
  }

  // Dovecot 2.4: "{uid | hex(8)}".
  Outcome take_long_variable() {
    const std::size_t end = rest_.find('}');
    if (end == std::string_view::npos) return unusable("has %{ without }");
    const std::string_view inside = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    const std::size_t bar = std::min(inside.find('|'), inside.size());
    const std::string_view name = without_spaces(inside.substr(0, bar));
    Piece piece;
    if (name != "uid" && name != "uidvalidity") {
      return unusable("has %{" + std::string(name) + "}, which is not to be had here: uid and uidvalidity are");
    }
    piece.what = name == "uid" ? What::uid : What::uid_validity;
    if (bar < inside.size()) {
      std::string_view filter = without_spaces(inside.substr(bar + 1));
      if (!filter.starts_with("hex")) return unusable("has a filter other than hex");
      filter.remove_prefix(3);
      piece.hexadecimal = true;
      if (filter.starts_with('(') && filter.ends_with(')')) {
        filter = filter.substr(1, filter.size() - 2);
        piece.width = take_width(filter);
      }
      if (!filter.empty()) return unusable("has a filter other than hex");
    }
    pieces_.push_back(std::move(piece));
    return {};
  }

  void add_text(char c) {
    if (pieces_.empty() || pieces_.back().what != What::text) pieces_.emplace_back();
    pieces_.back().text += c;
  }

  static Outcome check(const UidlFormat& format) {
    const auto is_uid = [](const Piece& piece) { return piece.what == What::uid; };
    if (std::none_of(format.pieces_.begin(), format.pieces_.end(), is_uid)) {
      return unusable("has no %u, by which messages differ");
    }
    constexpr std::uint32_t largest = std::numeric_limits<std::uint32_t>::max();
    const std::string longest = format.unique_id(Uid(largest), UidValidity(largest));
    if (longest.size() > unique_id_octets_max) return unusable("makes more than 70 characters");
    if (!ascii::all(longest, may_stand)) return unusable("has characters that a unique-id may not have");
    return {};
  }

  std::string_view rest_;
  std::vector<Piece> pieces_;
};

UidlFormat::UidlFormat() {
  for (const What what : {What::uid, What::uid_validity}) {
    Piece piece;
    piece.what = what;
    piece.hexadecimal = true;
    piece.width = 8;
    pieces_.push_back(std::move(piece));
  }
}

Result<UidlFormat> UidlFormat::parse(std::string_view text) { return Parser(text).parse(); }

std::string UidlFormat::unique_id(Uid uid, UidValidity uid_validity) const {
  std::string id;
  for (const Piece& piece : pieces_) {
    if (piece.what == What::text) {
      id += piece.text;
    } else {
      id += number(piece.what == What::uid ? uid.value() : uid_validity.value(), piece.hexadecimal, piece.width);
    }
  }
  return id;
}

}  // namespace postkeep::pop3
