#include "protocol/mime/envelope.h"

namespace postkeep::mime {
namespace {

std::optional<std::string> text_of(std::span<const HeaderField> fields, std::string_view name) {
  const HeaderField* field = find_field(fields, name);
  if (field == nullptr) return std::nullopt;
  return unfold(field->value);
}

// The addresses of every field of that name: To and Cc are repeated by old mailers, against RFC 5322 §3.6.
AddressList addresses_of(std::span<const HeaderField> fields, std::string_view name) {
  AddressList all;
  for (const HeaderField& field : fields) {
    if (!same_field_name(field.name, name)) continue;
    for (Address& address : parse_address_list(field.value)) {
      if (all.size() >= addresses_max) return all;
      all.push_back(std::move(address));
    }
  }
  return all;
}

AddressList first_addresses_of(std::span<const HeaderField> fields, std::string_view name) {
  const HeaderField* field = find_field(fields, name);
  return field == nullptr ? AddressList() : parse_address_list(field->value);
}

}  // namespace

Envelope make_envelope(std::span<const HeaderField> fields) {
  Envelope envelope;
  envelope.date = text_of(fields, "Date");
  envelope.subject = text_of(fields, "Subject");
  envelope.from = first_addresses_of(fields, "From");
  envelope.sender = first_addresses_of(fields, "Sender");
  envelope.reply_to = first_addresses_of(fields, "Reply-To");
  envelope.to = addresses_of(fields, "To");
  envelope.cc = addresses_of(fields, "Cc");
  envelope.bcc = addresses_of(fields, "Bcc");
  envelope.in_reply_to = text_of(fields, "In-Reply-To");
  envelope.message_id = text_of(fields, "Message-ID");
  // RFC 9051 §7.5.2: absent or empty Sender and Reply-To are taken from From by the server.
  if (envelope.sender.empty()) envelope.sender = envelope.from;
  if (envelope.reply_to.empty()) envelope.reply_to = envelope.from;
  return envelope;
}

}  // namespace postkeep::mime
