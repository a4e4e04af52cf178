// LMTP commands: one line to a typed value. RFC 2033, RFC 5321 §4.1; RFC 1870 (SIZE), RFC 6152 (8BITMIME),
// RFC 6531 (SMTPUTF8). Called by the LMTP session with each line, without its end. Knows no session state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/lmtp/path.h"

namespace postkeep::lmtp {

// RFC 5321 §4.5.3.1.4 says 512 with the line end, extensions add to it; paths with UTF-8 need more.
inline constexpr std::size_t command_line_octets_max = 4096;

enum class BodyType { seven_bit, eight_bit_mime, binary_mime };

struct Lhlo {
  std::string domain;
  bool operator==(const Lhlo&) const = default;
};
struct Mail {
  Path from;                          // may be null
  std::optional<std::uint64_t> size;  // SIZE=
  BodyType body = BodyType::seven_bit;
  bool smtputf8 = false;
  bool operator==(const Mail&) const = default;
};
struct Rcpt {
  Path to;
  bool operator==(const Rcpt&) const = default;
};
struct Data {
  bool operator==(const Data&) const = default;
};
struct Rset {
  bool operator==(const Rset&) const = default;
};
struct Noop {
  bool operator==(const Noop&) const = default;
};
struct Vrfy {
  std::string what;
  bool operator==(const Vrfy&) const = default;
};
struct Quit {
  bool operator==(const Quit&) const = default;
};
struct StartTls {
  bool operator==(const StartTls&) const = default;
};
// BDAT chunk-size [LAST] (RFC 3030): reserved; the session says 502 until it can do it.
struct Bdat {
  std::uint64_t octets = 0;
  bool last = false;
  bool operator==(const Bdat&) const = default;
};
// What cannot be done, with the answer that says why.
struct Bad {
  int code = 500;        // 500, 501, 504, 555 ...
  std::string enhanced;  // "5.5.2"
  std::string text;      // a sentence, printable ASCII
  bool operator==(const Bad&) const = default;
};
using Command = std::variant<Bad, Lhlo, Mail, Rcpt, Data, Rset, Noop, Vrfy, Quit, StartTls, Bdat>;

// `utf8` says whether the transaction's MAIL had SMTPUTF8 (RFC 6531 §3.4): it matters to RCPT only.
Command parse_command(std::string_view line, Utf8Path utf8 = Utf8Path::refused);

}  // namespace postkeep::lmtp
