#include "server/lmtp/envelope.h"

#include <chrono>

#include "protocol/base/seeded_fault.h"
#include "protocol/mail/date_time.h"

namespace postkeep::server {
namespace {

// What a peer called itself, fit for a header field: no controls, no comment or folding of its own.
std::string header_word(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 255)) {
    const auto octet = static_cast<unsigned char>(c);
    out += octet <= ' ' || octet == 0x7f || c == '(' || c == ')' || c == ';' || c == '\\' ? '?' : c;
  }
  return out.empty() ? "unknown" : out;
}

// RFC 5321 §4.4 TCP-info: " (name [192.0.2.1])". A Unix socket has none.
std::string client_info(const SessionContext& context, const Envelope& envelope) {
  const lmtp::XClient& client = envelope.client;
  const std::string address = client.address ? client.address->to_string() : context.connection.peer().address;
  if (address == "unix") return {};
  const std::string name = client.name ? header_word(*client.name) + ' ' : std::string();
  return " (" + name + (address.find(':') != std::string::npos ? "[IPv6:" : "[") + address + "])";
}

}  // namespace

std::string trace_fields(const SessionContext& context, const Envelope& envelope) {
  std::string fields = "Return-Path: <" + envelope.from.to_string() + ">\r\n";
  if (seeded(Fault::no_return_path)) fields.clear();
  const bool alone = envelope.recipients.size() == 1 && envelope.recipients.front().targets.size() == 1;
  if (alone) fields += "Delivered-To: " + envelope.recipients.front().targets.front().user + "\r\n";
  std::string with = envelope.smtputf8 ? "UTF8LMTP" : "LMTP";
  if (context.connection.is_tls()) with += 'S';
  if (!context.user().empty()) with += 'A';
  fields += "Received: from " + header_word(envelope.client_name) + client_info(context, envelope);
  fields += "\r\n\tby " + context.settings->hostname + " (Postkeep) with " + with + " id " + context.logger.session();
  if (alone) fields += "\r\n\tfor <" + envelope.recipients.front().address.to_string() + ">";
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const UnixTime time{now.time_since_epoch().count()};
  fields += ";\r\n\t" + format_rfc5322_date(time) + "\r\n";
  return fields;
}

}  // namespace postkeep::server
