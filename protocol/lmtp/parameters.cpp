#include "protocol/lmtp/parameters.h"

#include <charconv>
#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/text/utf8.h"

namespace postkeep::lmtp {
namespace {

constexpr std::size_t size_value_digits_max = 20;  // RFC 1870 §3

// "NAME=value"; without '=' there is no value.
struct Parameter {
  std::string_view name;
  std::optional<std::string_view> value;
  explicit Parameter(std::string_view text) {
    const std::size_t equals = text.find('=');
    name = text.substr(0, equals);
    if (equals != std::string_view::npos) value = text.substr(equals + 1);
  }
  bool is(std::string_view wanted) const { return ascii::iequals(name, wanted); }
};

tl::unexpected<Error> wrong_value(std::string text) { return failure(ErrorKind::bad_syntax, std::move(text)); }

// RFC 3461 §4.2, §4.4: what was encoded has to fit into the fields of a DSN.
bool is_printable(std::string_view text) {
  return ascii::all(text, [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); });
}

Outcome read_size_value(std::string_view digits, MailParameters& into) {
  std::uint64_t octets = 0;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, octets);
  const bool whole = !digits.empty() && digits.size() <= size_value_digits_max && read.ptr == end;
  if (!whole || read.ec != std::errc()) return wrong_value("SIZE needs a number of octets");
  into.size = octets;
  return {};
}

Outcome read_body(std::string_view value, MailParameters& into) {
  if (ascii::iequals(value, "7BIT")) {
    into.body = BodyType::seven_bit;
  } else if (ascii::iequals(value, "8BITMIME")) {
    into.body = BodyType::eight_bit_mime;
  } else if (ascii::iequals(value, "BINARYMIME")) {
    into.body = BodyType::binary_mime;
  } else {
    return wrong_value("BODY must be 7BIT, 8BITMIME or BINARYMIME");
  }
  return {};
}

Outcome read_ret(std::string_view value, MailParameters& into) {
  if (into.ret) return wrong_value("There is a RET already");
  if (ascii::iequals(value, "FULL")) {
    into.ret = ReturnWhat::full;
  } else if (ascii::iequals(value, "HDRS")) {
    into.ret = ReturnWhat::headers;
  } else {
    return wrong_value("RET must be FULL or HDRS");
  }
  return {};
}

Outcome read_envid(std::string_view value, MailParameters& into) {
  if (into.envid) return wrong_value("There is an ENVID already");
  auto decoded = decode_xtext(value);
  if (!decoded || !is_printable(*decoded)) return wrong_value("ENVID must be xtext of printable characters");
  into.envid = std::move(*decoded);
  return {};
}

Outcome read_notify(std::string_view value, RcptParameters& into) {
  if (into.notify) return wrong_value("There is a NOTIFY already");
  NotifyWhen when;
  bool wrong = false;
  for (bool more = true; more;) {
    const std::size_t comma = value.find(',');
    const std::string_view word = value.substr(0, comma);
    bool* const flag = ascii::iequals(word, "NEVER")     ? &when.never
                       : ascii::iequals(word, "SUCCESS") ? &when.success
                       : ascii::iequals(word, "FAILURE") ? &when.failure
                       : ascii::iequals(word, "DELAY")   ? &when.delay
                                                         : nullptr;
    wrong = wrong || flag == nullptr;
    if (flag != nullptr) *flag = true;
    more = comma != std::string_view::npos;
    if (more) value.remove_prefix(comma + 1);
  }
  wrong = wrong || (when.never && (when.success || when.failure || when.delay));
  if (wrong) return wrong_value("NOTIFY must be NEVER, or some of SUCCESS, FAILURE, DELAY");
  into.notify = when;
  return {};
}

// RFC 6533 §3 lets UTF-8 stand as it is behind "utf-8;".
Result<std::string> original_address(std::string_view type, std::string_view text) {
  if (text.empty()) return std::string();
  if (!ascii::iequals(type, "utf-8")) {
    auto decoded = decode_xtext(text);
    if (decoded && is_printable(*decoded)) return decoded;
    return wrong_value("ORCPT must be a type, a semicolon and xtext");
  }
  const auto fits = [](char c) { return ascii::is_eight_bit(c) || (c > ' ' && c < '\x7F'); };
  if (!ascii::all(text, fits) || !text::is_valid_utf8(text)) return wrong_value("ORCPT must be UTF-8");
  return std::string(text);
}

Outcome read_orcpt(std::string_view value, RcptParameters& into) {
  if (into.original) return wrong_value("There is an ORCPT already");
  const std::size_t semicolon = value.find(';');
  OriginalRecipient original;
  original.type = value.substr(0, semicolon);
  const auto is_atom_char = [](char c) { return c > ' ' && c < '\x7F' && ascii::is_atom_char(c); };
  const bool typed = semicolon != std::string_view::npos && semicolon != 0 && ascii::all(original.type, is_atom_char);
  if (!typed) return wrong_value("ORCPT must be a type, a semicolon and xtext");
  original.address = TRY(original_address(original.type, value.substr(semicolon + 1)));
  into.original = std::move(original);
  return {};
}

}  // namespace

Outcome read_mail_parameter(std::string_view parameter, MailParameters& into) {
  const Parameter given(parameter);
  const std::string_view value = given.value.value_or(std::string_view());
  if (given.is("SIZE")) return read_size_value(value, into);
  if (given.is("BODY")) return read_body(value, into);
  if (given.is("RET")) return read_ret(value, into);
  if (given.is("ENVID")) return read_envid(value, into);
  if (given.is("AUTH")) {
    if (value.empty() || (value != "<>" && !decode_xtext(value))) return wrong_value("AUTH must be <> or xtext");
    into.auth = true;
    return {};
  }
  if (given.is("SMTPUTF8")) {
    if (given.value) return wrong_value("SMTPUTF8 takes no value");
    into.smtputf8 = true;
    return {};
  }
  return failure(ErrorKind::cannot, "This MAIL parameter is not known here");
}

Outcome read_rcpt_parameter(std::string_view parameter, RcptParameters& into) {
  const Parameter given(parameter);
  const std::string_view value = given.value.value_or(std::string_view());
  if (given.is("NOTIFY")) return read_notify(value, into);
  if (given.is("ORCPT")) return read_orcpt(value, into);
  return failure(ErrorKind::cannot, "This RCPT parameter is not known here");
}

Result<std::string> decode_xtext(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c <= ' ' || c > '~' || c == '=') return wrong_value("This is no xtext");
    if (c != '+') {
      out += c;
      continue;
    }
    // Two capital digits exactly: hex_value() would take small ones too.
    const std::string_view digits = text.substr(i + 1, 2);
    const auto is_upper_hex = [](char d) { return ascii::upper_hex_digits.find(d) != std::string_view::npos; };
    if (digits.size() != 2 || !ascii::all(digits, is_upper_hex)) return wrong_value("This is no xtext");
    out += static_cast<char>(ascii::hex_value(digits[0]) * 16 + ascii::hex_value(digits[1]));
    i += 2;
  }
  return out;
}

}  // namespace postkeep::lmtp
