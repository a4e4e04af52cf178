// Which header fields are kept ready in the index (MessageRow::cached_headers).
#include "storage/types.h"

#include <algorithm>

namespace postkeep::storage {

// What mail programs name in the HEADER.FIELDS of a mailbox listing, so that a listing opens no message:
// the fields of ENVELOPE and of threading; what draws an icon (attachment, priority, receipt, list); and
// what decides where a reply goes. Thunderbird, mutt and neomutt, K-9, Apple Mail, Roundcube and imaplib
// recipes were the guide. Not here: Received, DKIM-Signature, ARC-*, Authentication-Results and Autocrypt,
// which are asked for with a single message and would together outweigh all others.
const std::vector<std::string>& cached_header_names() {
  static const std::vector<std::string> names = {
      // ENVELOPE and threads
      "date", "from", "sender", "reply-to", "to", "cc", "bcc", "subject", "message-id", "in-reply-to", "references",
      // what the body is (attachment and signature icons)
      "content-type", "content-transfer-encoding", "content-description", "mime-version", "lines",
      // lists, and where answers go
      "list-id", "list-post", "list-unsubscribe", "list-subscribe", "mail-followup-to", "mail-reply-to", "newsgroups",
      // how it came here (filters of clients, choice of the identity to answer with)
      "return-path", "delivered-to", "x-original-to", "auto-submitted",
      // priority, receipts, labels, drafts
      "x-priority", "importance", "priority", "disposition-notification-to", "x-label", "x-draft-info"};
  return names;
}

bool is_cached_header(std::string_view field_name) {
  std::string lower(field_name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const auto& names = cached_header_names();
  return std::find(names.begin(), names.end(), lower) != names.end();
}

}  // namespace postkeep::storage
