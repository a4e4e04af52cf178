// What SORT and THREAD compare messages by, from their header fields. RFC 5256 §2, §3; RFC 5957 §3; RFC 5255 §4.6.
// Text comes folded by i;unicode-casemap, ready to be compared octet by octet; what cannot be decoded comes as it is,
// with an octet in front that no other begins with, so that it stands behind all the rest. Pure; never fails.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "protocol/mail/date_time.h"
#include "protocol/mail/sort_order.h"
#include "protocol/mime/header_fields.h"

namespace postkeep::mime {

// Octets of a text that are compared. Longer ones are equal if they begin alike: nobody reads so far, and the sender
// of mail cannot fill our memory.
inline constexpr std::size_t collation_key_octets_max = 2048;
// Ancestors of one message that are looked at, the nearest ones.
inline constexpr std::size_t references_max = 500;

// For a criterion that is text: CC, FROM, TO, SUBJECT, DISPLAYFROM, DISPLAYTO. "" where the field is absent.
std::string collation_key(SortKey key, std::span<const HeaderField> fields);

// RFC 5256 §2.2: the Date field's instant; `internal_date` where there is none that can be read.
UnixTime sent_date(std::span<const HeaderField> fields, UnixTime internal_date);

struct ThreadSubject {
  std::string key;  // of the base subject
  bool is_reply = false;
};
ThreadSubject thread_subject(std::span<const HeaderField> fields);

// The message's own ID, normalised; "" if it has none that is valid.
std::string message_id_of(std::span<const HeaderField> fields);

// RFC 5256 §3 (REFERENCES): the IDs of References, oldest first, else the first one of In-Reply-To, else none.
std::vector<std::string> references_of(std::span<const HeaderField> fields);

}  // namespace postkeep::mime
