// What a client of the Dovecot authentication protocol sends, a line to a typed value. The protocol is that by which
// an MTA (Postfix's smtpd_sasl_type = dovecot, Exim's `dovecot` authenticator) has a mailbox server authenticate the
// MTA's own clients: version 1.x, the server's side. The SASL messages in it are base64, as RFC 4954 §4 carries them.
// There is no RFC: the programs of the two MTAs are what this is tested by. Called by server/mta with each line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/base/result.h"
#include "protocol/base/secret.h"

namespace postkeep::dovecot_auth {

// What we speak. The other side's major number must be the same; the minor ones may differ.
inline constexpr std::uint32_t version_major = 1;
inline constexpr std::uint32_t version_minor = 2;
// One line with its end: a SASL message (auth::sasl_line_octets_max) and what is told of the client.
inline constexpr std::size_t line_octets_max = 24 * 1024;
// Fields of one line. The MTAs send about ten.
inline constexpr std::size_t fields_max = 64;
inline constexpr std::size_t mechanism_octets_max = 20;  // RFC 4422 §3.1

// VERSION major minor: the first line of each side.
struct Version {
  std::uint32_t major_number = 0;
  std::uint32_t minor_number = 0;
};
// CPID pid: which process is asking.
struct ClientPid {
  std::uint32_t pid = 0;
};
// AUTH id mechanism [parameters]: begins an exchange. `id` is the client's and in every line about this exchange.
struct Auth {
  std::uint32_t id = 0;
  std::string mechanism;
  std::string service;         // "smtp"; empty if it was not told, as are the next two
  std::string remote_address;  // rip=: of the MTA's client, unchecked
  std::string local_address;   // lip=
  bool secured = false;        // the MTA's client came by TLS, or as safely
  bool no_penalty = false;     // the MTA asks not to have a failure held against the address
  // resp=: the initial response in base64, "=" for an empty one. None if the client sent none; an empty resp=, which
  // Exim sends then, is none.
  std::optional<Secret> initial_response;
};
// CONT id base64: the answer to our challenge, maybe empty.
struct Continue {
  std::uint32_t id = 0;
  Secret response;
};
// CANCEL id: the MTA's client gave up.
struct Cancel {
  std::uint32_t id = 0;
};
// A command that we do not know and that asks for no answer.
struct Other {
  std::string command;
};
using Message = std::variant<Version, ClientPid, Auth, Continue, Cancel, Other>;

// `line` is without its end. Parameters that are unknown are ignored, as the protocol wants it. Errors: bad_syntax.
Result<Message> parse_message(std::string_view line);

}  // namespace postkeep::dovecot_auth
