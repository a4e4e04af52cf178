// What the server of the Dovecot authentication protocol sends: values to lines, each with its LF. See message.h.
// Called by server/mta.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postkeep::dovecot_auth {

// A MECH line. The flags are by what an MTA chooses mechanisms to offer (Postfix's smtpd_sasl_security_options).
struct OfferedMechanism {
  std::string name;
  bool plaintext = false;    // shows the password to who listens
  bool mutual_auth = false;  // the server proves itself, too
};

// All that comes before the first request.
struct Handshake {
  std::vector<OfferedMechanism> mechanisms;
  std::uint32_t server_pid = 0;
  std::uint32_t connection = 0;  // unique among the connections of this process
  std::string cookie;            // 32 hexadecimal digits that nobody can guess
};
void write_handshake(std::string& out, const Handshake& handshake);

// The exchange has succeeded, for `user`.
void write_ok(std::string& out, std::uint32_t id, std::string_view user);
// A challenge in base64, maybe empty.
void write_continue(std::string& out, std::uint32_t id, std::string_view base64);

// Why an exchange failed.
enum class Failing {
  for_good,    // wrong, malformed or not allowed
  for_a_while  // "temp": we could not find out
};
// `user` is the name that was given, empty if none was; `reason` is a sentence for the MTA's client, empty for none.
void write_fail(std::string& out, std::uint32_t id, Failing failing, std::string_view user, std::string_view reason);

}  // namespace postkeep::dovecot_auth
