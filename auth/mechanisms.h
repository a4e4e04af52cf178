// THE table of SASL mechanisms: adding one is a file and a row (docs/add-sasl-mechanism.md). IMAP, POP3, LMTP, the
// MTA's socket and the capabilities that they advertise are computed from it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/certificate_names.h"
#include "auth/mechanism.h"

namespace postkeep::auth {

// Whether the connection keeps a password from being read on the way (TLS, or what allow_plaintext lets pass).
enum class Channel { exposed, confidential };

// What a mechanism checks by: a password that the client sends, or SCRAM keys that every user must be able to have
// (Authenticator::can_supply_keys), a digest of the password, the client's certificate, or nothing at all.
enum class ChecksBy { password, keys, sha_1_keys, digest, certificate, nothing };

// Whether the proof is bound to the TLS connection (RFC 5802 §6): names that end in -PLUS.
enum class Binds { nothing, channel };

// A set of rows of the table.
using MechanismSet = std::uint32_t;
// Those that the setting auth.mechanisms has unless it says otherwise.
MechanismSet usual_mechanisms();
// Those of these names; unknown ones are left out.
MechanismSet mechanism_set(std::span<const std::string> names);

// Octets by which both ends of a TLS connection know that it is the same one (RFC 5056).
struct ChannelBinding {
  std::string type;  // "tls-exporter" (RFC 9266), "tls-unique", "tls-server-end-point" (RFC 5929)
  std::string octets;
};

// What is so on a connection, by which a mechanism may be used there or not.
struct Circumstances {
  Channel channel = Channel::exposed;
  bool keys = false;                                           // every user can have SCRAM-SHA-256 keys
  bool sha_1_keys = false;                                     // every user has SCRAM-SHA-1 keys
  std::vector<ChannelBinding> bindings = {};                   // that the connection has; none without TLS of our own
  std::optional<CertificateNames> certificate = std::nullopt;  // the client's, verified
  bool anonymous = false;                                      // there is a user for ANONYMOUS
  MechanismSet allowed = usual_mechanisms();
  std::string hostname = "localhost";  // ours, for challenges
};

struct MechanismRow {
  std::string_view name;             // as advertised: AUTH=<name>
  std::string_view first_challenge;  // what the server says where the client sent no initial response
  Channel needs;                     // exposed: the mechanism does not show the password
  ChecksBy by;
  Binds binds;
  bool is_usual;  // among usual_mechanisms()
  std::unique_ptr<Mechanism> (*make)(const Circumstances& circumstances);
  std::string_view doc;
};

std::span<const MechanismRow> mechanisms();
// Case is ignored (RFC 9051 §6.2.2 treats names as atoms); nullptr if unknown.
const MechanismRow* find_mechanism(std::string_view name);
// Whether it can be used there. Errors: cannot (it is not offered), privacy_required (needs TLS here).
Outcome check_usable(const MechanismRow& row, const Circumstances& circumstances);
// The names to advertise, in the table's order.
std::vector<std::string_view> offered_mechanisms(const Circumstances& circumstances);

// Makes one's share of a nonce (RFC 5802 §5.1): printable, without comma, never the same twice.
using NonceSource = std::string (*)();
std::string random_nonce();

// How SCRAM treats the channel (RFC 5802 §6).
struct ScramBinding {
  enum class Mode {
    none,      // there is nothing to bind to
    possible,  // -PLUS is offered beside this one: a client that says it saw no offer was lied to
    required,  // this is -PLUS
  } mode = Mode::none;
  std::vector<ChannelBinding> bindings = {};  // among which the client chooses; with `required`
};

std::unique_ptr<Mechanism> make_plain();  // plain.cpp, RFC 4616
std::unique_ptr<Mechanism> make_login();  // login.cpp, draft-murchison-sasl-login
// scram.cpp, RFC 5802 and RFC 7677
std::unique_ptr<Mechanism> make_scram(ScramHash hash, ScramBinding binding, NonceSource nonce = random_nonce);
std::unique_ptr<Mechanism> make_external(CertificateNames certificate);  // external.cpp, RFC 4422 Appendix A
// cram_md5.cpp, RFC 2195
std::unique_ptr<Mechanism> make_cram_md5(std::string_view hostname, NonceSource nonce = random_nonce);
std::unique_ptr<Mechanism> make_anonymous();  // anonymous.cpp, RFC 4505

}  // namespace postkeep::auth
