// Envelope: the addressing fields of a header as clients list them. RFC 9051 §7.5.2 (ENVELOPE), RFC 5322 §3.6.
// Made by mime/structure; written by imap/responses/envelope_body; read by SORT, THREAD and SEARCH.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "protocol/mail/address.h"
#include "protocol/mime/header_fields.h"

namespace postkeep::mime {

// A value. Strings are unfolded raw octets: encoded words stay encoded, 8-bit octets stay what they are.
// nullopt: the field is absent; "": it is there and empty. Of a repeated field the first counts, save that
// repeated To, Cc and Bcc are joined.
struct Envelope {
  std::optional<std::string> date;
  std::optional<std::string> subject;
  AddressList from;
  AddressList sender;    // From, where there is no Sender or an empty one
  AddressList reply_to;  // likewise
  AddressList to;
  AddressList cc;
  AddressList bcc;
  std::optional<std::string> in_reply_to;
  std::optional<std::string> message_id;
  bool operator==(const Envelope&) const = default;
};

Envelope make_envelope(std::span<const HeaderField> fields);

}  // namespace postkeep::mime
