// LMTP commands: one line to a typed value. RFC 2033, RFC 5321 §4.1, RFC 3030 §2 (BDAT); parameters are in
// lmtp/parameters. Called by the LMTP session with each line, without its end. Knows no session state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/lmtp/parameters.h"
#include "protocol/lmtp/path.h"
#include "protocol/lmtp/xclient.h"

namespace postkeep::lmtp {

// RFC 5321 §4.5.3.1.4 says 512 with the line end, extensions add to it; paths with UTF-8 need more.
inline constexpr std::size_t command_line_octets_max = 4096;

struct Lhlo {
  std::string domain;
  bool operator==(const Lhlo&) const = default;
};
struct Mail {
  Path from;  // may be null
  MailParameters parameters = {};
  bool operator==(const Mail&) const = default;
};
struct Rcpt {
  Path to;
  RcptParameters parameters = {};
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
// AUTH mechanism [initial-response] (RFC 4954 §4).
struct Auth {
  std::string mechanism;
  std::optional<std::string> initial_response = std::nullopt;  // base64, "=" for an empty one
  bool operator==(const Auth&) const = default;
};
// BDAT chunk-size [LAST] (RFC 3030 §2). `octets` of message follow the line.
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
using Command = std::variant<Bad, Lhlo, Mail, Rcpt, Data, Rset, Noop, Vrfy, Quit, StartTls, Bdat, XClient, Auth>;

// `utf8` says whether the transaction's MAIL had SMTPUTF8 (RFC 6531 §3.4): it matters to RCPT only.
Command parse_command(std::string_view line, Utf8Path utf8 = Utf8Path::refused);

}  // namespace postkeep::lmtp
