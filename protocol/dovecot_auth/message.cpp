#include "protocol/dovecot_auth/message.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "protocol/base/ascii.h"
#include "protocol/dovecot_auth/fields.h"

namespace postkeep::dovecot_auth {
namespace {

using Fields = std::vector<std::string_view>;

tl::unexpected<Error> malformed(std::string_view command) {
  return failure(ErrorKind::bad_syntax, "Malformed " + std::string(command));
}

Result<std::uint32_t> number(std::string_view command, std::string_view field) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (field.empty() || error != std::errc() || end != field.data() + field.size()) return malformed(command);
  return value;
}

// RFC 4422 §3.1; case is left as it is.
bool is_mechanism_name(std::string_view name) {
  return !name.empty() && name.size() <= mechanism_octets_max &&
         ascii::all(name, [](char c) { return ascii::is_alnum(c) || c == '-' || c == '_'; });
}

Outcome take_parameter(Auth& auth, std::string_view field) {
  const std::size_t equals = std::min(field.find('='), field.size());
  const std::string_view name = field.substr(0, equals);
  const std::string_view raw = field.substr(std::min(equals + 1, field.size()));
  if (name == "resp") {
    if (!raw.empty()) auth.initial_response = Secret(std::string(raw));
    return {};
  }
  std::optional<std::string> value = unescape_field(raw);
  if (!value) return malformed("AUTH");
  if (name == "service") auth.service = std::move(*value);
  if (name == "rip") auth.remote_address = std::move(*value);
  if (name == "lip") auth.local_address = std::move(*value);
  if (name == "secured") auth.secured = true;  // also "secured=tls"
  if (name == "no-penalty") auth.no_penalty = true;
  return {};
}

Result<Message> parse_auth(const Fields& fields) {
  if (fields.size() < 3 || fields.size() >= fields_max || !is_mechanism_name(fields[2])) return malformed("AUTH");
  Auth auth;
  auth.id = TRY(number("AUTH", fields[1]));
  auth.mechanism = std::string(fields[2]);
  for (std::size_t i = 3; i < fields.size(); ++i) TRY(take_parameter(auth, fields[i]));
  return Message(std::move(auth));
}

Result<Message> parse_continue(const Fields& fields) {
  if (fields.size() != 3) return malformed("CONT");
  Continue more;
  more.id = TRY(number("CONT", fields[1]));
  more.response = Secret(std::string(fields[2]));
  return Message(std::move(more));
}

}  // namespace

Result<Message> parse_message(std::string_view line) {
  const Fields fields = split_fields(line, fields_max);
  const std::string_view command = fields[0];
  if (command == "AUTH") return parse_auth(fields);
  if (command == "CONT") return parse_continue(fields);
  if (command == "VERSION") {
    if (fields.size() < 3) return malformed(command);
    Version version;
    version.major_number = TRY(number(command, fields[1]));
    version.minor_number = TRY(number(command, fields[2]));
    return Message(version);
  }
  if (command == "CPID") {
    if (fields.size() < 2) return malformed(command);
    return Message(ClientPid{TRY(number(command, fields[1]))});
  }
  if (command == "CANCEL") {
    if (fields.size() < 2) return malformed(command);
    return Message(Cancel{TRY(number(command, fields[1]))});
  }
  if (command.empty()) return malformed("line");
  return Message(Other{std::string(command)});
}

}  // namespace postkeep::dovecot_auth
