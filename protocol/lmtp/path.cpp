#include "protocol/lmtp/path.h"

#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/text/utf8.h"

namespace postkeep::lmtp {
namespace {

constexpr std::string_view atom_specials = "()<>[]:;@\\,.\" ";  // RFC 5322 §3.2.3, and what ends a path

bool is_atom_char(char c) {
  return !ascii::is_ctl(c) && (ascii::is_eight_bit(c) || atom_specials.find(c) == atom_specials.npos);
}

// Dot-string, made lenient: dots may lead, trail and repeat, since some providers have given out such addresses.
bool is_local_char(char c) { return is_atom_char(c) || c == '.'; }

bool is_domain_char(char c) { return ascii::is_alnum(c) || c == '-' || c == '.' || c == '_' || ascii::is_eight_bit(c); }

struct Cursor {
  std::string_view text;
  bool at(char c) const { return !text.empty() && text.front() == c; }
  bool take(char c) {
    if (!at(c)) return false;
    text.remove_prefix(1);
    return true;
  }
  template <class Predicate>
  std::string_view take_while(Predicate&& predicate) {
    std::size_t n = 0;
    while (n < text.size() && predicate(text[n])) ++n;
    const std::string_view taken = text.substr(0, n);
    text.remove_prefix(n);
    return taken;
  }
};

// RFC 5321 §4.1.2 Quoted-string, the opening quote taken.
Result<std::string> quoted_local_part(Cursor& in) {
  std::string out;
  while (!in.text.empty()) {
    char c = in.text.front();
    in.text.remove_prefix(1);
    if (c == '"') return out;
    if (c == '\\') {
      if (in.text.empty()) break;
      c = in.text.front();
      in.text.remove_prefix(1);
    }
    if (ascii::is_ctl(c)) return failure(ErrorKind::bad_syntax, "Control characters cannot be in an address");
    out += c;
  }
  return failure(ErrorKind::bad_syntax, "The quoted local part has no end");
}

// "@a.example,@b.example:" is to be accepted and ignored (RFC 5321 §4.1.1.3).
Outcome skip_route(Cursor& in) {
  while (in.take('@')) {
    in.take_while(is_domain_char);
    if (in.take(':')) return {};
    if (!in.take(',')) break;
  }
  return failure(ErrorKind::bad_syntax, "The source route is broken");
}

Result<std::string> domain(Cursor& in) {
  if (in.at('[')) {
    const std::size_t end = in.text.find(']');
    const std::string_view literal = end == in.text.npos ? std::string_view() : in.text.substr(0, end + 1);
    const auto fits = [](char c) { return ascii::is_alnum(c) || c == '.' || c == ':' || c == '-'; };
    if (literal.size() < 3 || !ascii::all(literal.substr(1, literal.size() - 2), fits)) {
      return failure(ErrorKind::bad_syntax, "The address literal is broken");
    }
    in.text.remove_prefix(literal.size());
    return std::string(literal);
  }
  const std::string_view name = in.take_while(is_domain_char);
  if (name.empty()) return failure(ErrorKind::bad_syntax, "The domain is missing after @");
  const bool empty_label = name.front() == '.' || name.find("..") != name.npos;
  if (empty_label) return failure(ErrorKind::bad_syntax, "The domain has an empty label");
  return std::string(name);
}

Outcome check(const Path& path, Utf8Path utf8) {
  if (path.local_part.size() > local_part_octets_max)
    return failure(ErrorKind::bad_syntax, "The local part is too long");
  if (path.domain.size() > domain_octets_max) return failure(ErrorKind::bad_syntax, "The domain is too long");
  if (text::is_ascii(path.local_part) && text::is_ascii(path.domain)) return {};
  if (utf8 == Utf8Path::refused) return failure(ErrorKind::bad_syntax, "Such an address needs SMTPUTF8");
  if (!text::is_valid_utf8(path.local_part) || !text::is_valid_utf8(path.domain)) {
    return failure(ErrorKind::bad_syntax, "The address is not valid UTF-8");
  }
  return {};
}

}  // namespace

std::string Path::to_string() const {
  if (is_null()) return {};
  std::string out;
  const bool plain = ascii::all(local_part, is_local_char) && local_part.front() != '.' && local_part.back() != '.' &&
                     local_part.find("..") == std::string::npos;
  if (plain) {
    out = local_part;
  } else {
    out = "\"";
    for (const char c : local_part) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  if (!domain.empty()) out += "@" + domain;
  return out;
}

Result<Path> take_path(std::string_view& text, NullPath null_path, Utf8Path utf8) {
  Cursor in{text};
  const bool bracket = in.take('<');
  Path path;
  if (bracket && in.take('>')) {
    if (null_path == NullPath::refused) return failure(ErrorKind::bad_syntax, "The null path is no recipient");
    text = in.text;
    return path;
  }
  if (bracket && in.at('@')) {
    if (auto skipped = skip_route(in); !skipped) return tl::unexpected<Error>(std::move(skipped).error());
  }
  if (in.take('"')) {
    path.local_part = TRY(quoted_local_part(in));
  } else {
    path.local_part = in.take_while(is_local_char);
  }
  if (path.local_part.empty()) return failure(ErrorKind::bad_syntax, "The address has no local part");
  if (in.take('@')) path.domain = TRY(domain(in));
  if (bracket && !in.take('>')) return failure(ErrorKind::bad_syntax, "The path does not end with >");
  if (!in.text.empty() && !in.at(' ')) return failure(ErrorKind::bad_syntax, "Unexpected characters after the address");
  if (auto checked = check(path, utf8); !checked) return tl::unexpected<Error>(std::move(checked).error());
  text = in.text;
  return path;
}

}  // namespace postkeep::lmtp
