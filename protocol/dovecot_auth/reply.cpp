#include "protocol/dovecot_auth/reply.h"

#include "protocol/dovecot_auth/fields.h"
#include "protocol/dovecot_auth/message.h"

namespace postkeep::dovecot_auth {
namespace {

void begin_line(std::string& out, std::string_view command, std::uint32_t id) {
  out += command;
  out += '\t';
  out += std::to_string(id);
}

void add_parameter(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out += '\t';
  out += name;
  out += '=';
  out += escape_field(value);
}

}  // namespace

void write_handshake(std::string& out, const Handshake& handshake) {
  out += "VERSION\t" + std::to_string(version_major) + '\t' + std::to_string(version_minor) + '\n';
  for (const OfferedMechanism& mechanism : handshake.mechanisms) {
    out += "MECH\t" + escape_field(mechanism.name);
    if (mechanism.plaintext) out += "\tplaintext";
    if (mechanism.mutual_auth) out += "\tmutual-auth";
    out += '\n';
  }
  out += "SPID\t" + std::to_string(handshake.server_pid) + '\n';
  out += "CUID\t" + std::to_string(handshake.connection) + '\n';
  out += "COOKIE\t" + escape_field(handshake.cookie) + "\nDONE\n";
}

void write_ok(std::string& out, std::uint32_t id, std::string_view user) {
  begin_line(out, "OK", id);
  add_parameter(out, "user", user);
  out += '\n';
}

void write_continue(std::string& out, std::uint32_t id, std::string_view base64) {
  begin_line(out, "CONT", id);
  out += '\t';
  out += base64;
  out += '\n';
}

void write_fail(std::string& out, std::uint32_t id, Failing failing, std::string_view user, std::string_view reason) {
  begin_line(out, "FAIL", id);
  add_parameter(out, "user", user);
  if (failing == Failing::for_a_while) out += "\ttemp";
  add_parameter(out, "reason", reason);
  out += '\n';
}

}  // namespace postkeep::dovecot_auth
