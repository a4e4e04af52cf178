// THE table of SASL mechanisms: adding one is a file and a row (docs/add-sasl-mechanism.md). IMAP, POP3 and
// the capabilities both advertise are computed from it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/mechanism.h"

namespace postkeep::auth {

// Whether the connection keeps a password from being read on the way (TLS, or what allow_plaintext lets pass).
enum class Channel { exposed, confidential };

// What a mechanism checks by: a password that the client sends, or keys that every user must be able to have
// (Authenticator::can_supply_keys).
enum class ChecksBy { password, keys };

struct MechanismRow {
  std::string_view name;             // as advertised: AUTH=<name>
  std::string_view first_challenge;  // what the server says where the client sent no initial response
  Channel needs;                     // exposed: the mechanism does not show the password
  ChecksBy by;
  std::unique_ptr<Mechanism> (*make)();
  std::string_view doc;
};

// What is so on a connection, by which a mechanism may be used there or not.
struct Circumstances {
  Channel channel = Channel::exposed;
  bool keys = false;  // every user can have keys
};

std::span<const MechanismRow> mechanisms();
// Case is ignored (RFC 9051 §6.2.2 treats names as atoms); nullptr if unknown.
const MechanismRow* find_mechanism(std::string_view name);
// The names to advertise, in the table's order.
std::vector<std::string_view> offered_mechanisms(Circumstances circumstances);

// Makes one's share of a nonce (RFC 5802 §5.1): printable, without comma, never the same twice.
using NonceSource = std::string (*)();
std::string random_nonce();

std::unique_ptr<Mechanism> make_plain();  // plain.cpp, RFC 4616
std::unique_ptr<Mechanism> make_login();  // login.cpp, draft-murchison-sasl-login
// scram.cpp, RFC 5802 and RFC 7677
std::unique_ptr<Mechanism> make_scram_sha_256(NonceSource nonce = random_nonce);

}  // namespace postkeep::auth
