#include "protocol/lmtp/command.h"

#include <array>
#include <charconv>
#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/base/seeded_fault.h"
#include "protocol/text/utf8.h"

namespace postkeep::lmtp {
namespace {

constexpr std::size_t size_digits_max = 20;  // of BDAT; as many as 64 bits have

Bad bad(int code, std::string enhanced, std::string text) {
  Bad out;
  out.code = code;
  out.enhanced = std::move(enhanced);
  out.text = std::move(text);
  return out;
}

Bad bad_argument(std::string text) { return bad(501, "5.5.4", std::move(text)); }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && ascii::is_wsp(text.front())) text.remove_prefix(1);
  while (!text.empty() && ascii::is_wsp(text.back())) text.remove_suffix(1);
  return text;
}

// Up to the next blank; takes it and the blanks off `text`.
std::string_view take_word(std::string_view& text) {
  text = trimmed(text);
  const std::string_view word = text.substr(0, text.find_first_of(" \t"));
  text.remove_prefix(word.size());
  text = trimmed(text);
  return word;
}

std::optional<std::uint64_t> parse_number(std::string_view digits) {
  std::uint64_t value = 0;
  if (digits.empty() || digits.size() > size_digits_max) return std::nullopt;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

Command parse_lhlo(std::string_view arguments, Utf8Path) {
  const std::string_view domain = trimmed(arguments);
  // What a client calls itself is for the log and Received: alone; only what could break those is refused.
  const auto fits = [](char c) { return c > ' ' && c < '\x7F'; };
  constexpr std::size_t name_max = 255;
  if (!ascii::all(domain, fits) || domain.size() > name_max) return bad_argument("LHLO needs your host name");
  Lhlo out;
  out.domain = domain;
  return out;
}

// Why a parameter was refused (RFC 5321 §4.1.1.11: 555 for one that is not known).
Bad bad_parameter(const Error& error) { return bad(error.kind == ErrorKind::cannot ? 555 : 501, "5.5.4", error.text); }

// "FROM:" or "TO:", with the blank after the colon that many clients send.
bool take_keyword(std::string_view& arguments, std::string_view keyword) {
  if (!ascii::istarts_with(arguments, keyword)) return false;
  arguments.remove_prefix(keyword.size());
  arguments = trimmed(arguments);
  return true;
}

Command parse_mail(std::string_view arguments, Utf8Path) {
  if (!take_keyword(arguments, "FROM:")) return bad_argument("The syntax is MAIL FROM:<address>");
  Mail mail;
  // SMTPUTF8 stands behind the path that it is about, so the path is read as if it were there.
  auto path = take_path(arguments, NullPath::allowed, Utf8Path::allowed);
  if (!path) return bad(501, "5.1.7", path.error().text);
  mail.from = *std::move(path);
  while (!arguments.empty()) {
    const Outcome read = read_mail_parameter(take_word(arguments), mail.parameters);
    if (!read) return bad_parameter(read.error());
  }
  const bool ascii_only = text::is_ascii(mail.from.local_part) && text::is_ascii(mail.from.domain);
  if (!ascii_only && !mail.parameters.smtputf8 && !seeded(Fault::utf8_unannounced))
    return bad(553, "5.6.7", "Such an address needs SMTPUTF8");
  return mail;
}

Command parse_rcpt(std::string_view arguments, Utf8Path utf8) {
  if (!take_keyword(arguments, "TO:")) return bad_argument("The syntax is RCPT TO:<address>");
  auto path = take_path(arguments, NullPath::refused, utf8);
  if (!path) return bad(501, "5.1.3", path.error().text);
  Rcpt out;
  out.to = *std::move(path);
  while (!arguments.empty()) {
    const Outcome read = read_rcpt_parameter(take_word(arguments), out.parameters);
    if (!read) return bad_parameter(read.error());
  }
  return out;
}

Command parse_vrfy(std::string_view arguments, Utf8Path) {
  const std::string_view what = trimmed(arguments);
  if (what.empty()) return bad_argument("VRFY needs an address");
  Vrfy out;
  out.what = what;
  return out;
}

Command parse_bdat(std::string_view arguments, Utf8Path) {
  const auto octets = parse_number(take_word(arguments));
  const std::string_view last = take_word(arguments);
  if (!octets || !arguments.empty() || !(last.empty() || ascii::iequals(last, "LAST"))) {
    return bad_argument("The syntax is BDAT size [LAST]");
  }
  Bdat out;
  out.octets = *octets;
  out.last = !last.empty();
  return out;
}

// What the response holds is for the mechanism to judge.
Command parse_auth(std::string_view arguments, Utf8Path) {
  const std::string_view mechanism = take_word(arguments);
  const std::string_view response = take_word(arguments);
  const auto is_mechanism_char = [](char c) { return ascii::is_alnum(c) || c == '-' || c == '_'; };
  if (!ascii::all(mechanism, is_mechanism_char) || !arguments.empty()) {
    return bad_argument("The syntax is AUTH mechanism [initial-response]");
  }
  Auth out;
  out.mechanism = mechanism;
  if (!response.empty()) out.initial_response = std::string(response);
  return out;
}

Command parse_xclient_command(std::string_view arguments, Utf8Path) {
  auto client = parse_xclient(arguments);
  if (!client) return bad_argument(client.error().text);
  return *std::move(client);
}

// Commands without arguments. RFC 5321 §4.1.1: refused if there are any, except for NOOP, which ignores them.
template <class Verb>
Command parse_bare(std::string_view arguments, Utf8Path) {
  if (!trimmed(arguments).empty()) return bad_argument("This command takes no argument");
  return Verb();
}

Command parse_noop(std::string_view, Utf8Path) { return Noop(); }

struct Row {
  std::string_view verb;
  Command (*parse)(std::string_view arguments, Utf8Path utf8);
};
constexpr std::array rows = {
    Row{"LHLO", parse_lhlo},
    Row{"MAIL", parse_mail},
    Row{"RCPT", parse_rcpt},
    Row{"DATA", parse_bare<Data>},
    Row{"RSET", parse_bare<Rset>},
    Row{"NOOP", parse_noop},
    Row{"VRFY", parse_vrfy},
    Row{"QUIT", parse_bare<Quit>},
    Row{"STARTTLS", parse_bare<StartTls>},
    Row{"BDAT", parse_bdat},
    Row{"XCLIENT", parse_xclient_command},
    Row{"AUTH", parse_auth},
};

}  // namespace

Command parse_command(std::string_view line, Utf8Path utf8) {
  const std::string_view verb = line.substr(0, line.find_first_of(" \t"));
  std::string_view arguments = trimmed(line.substr(verb.size()));
  for (const Row& row : rows) {
    if (ascii::iequals(verb, row.verb)) return row.parse(arguments, utf8);
  }
  if (ascii::iequals(verb, "HELO") || ascii::iequals(verb, "EHLO")) {
    return bad(500, "5.5.1", "This is LMTP: say LHLO");  // RFC 2033 §4.1
  }
  if (ascii::iequals(verb, "EXPN") || ascii::iequals(verb, "HELP") || ascii::iequals(verb, "TURN")) {
    return bad(502, "5.5.1", "This command is not implemented");
  }
  return bad(500, "5.5.2", "This is no LMTP command");
}

}  // namespace postkeep::lmtp
