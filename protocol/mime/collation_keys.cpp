#include "protocol/mime/collation_keys.h"

#include <optional>
#include <string_view>
#include <utility>

#include "protocol/mail/address.h"
#include "protocol/mail/base_subject.h"
#include "protocol/mail/message_ids.h"
#include "protocol/mime/encoded_words.h"
#include "protocol/text/casemap.h"
#include "protocol/text/utf8.h"

namespace postkeep::mime {
namespace {

// Behind all that could be decoded, octet by octet (RFC 5255 §4.6): no UTF-8 begins with this octet.
std::string unsound_key(std::string_view utf8) {
  return utf8.empty() ? std::string() : '\xFF' + std::string(text::cut_utf8(utf8, collation_key_octets_max - 1));
}

// Cut before folding, so that the rest costs nothing, and after it, since folding can make text longer.
std::string folded_key(std::string_view utf8) {
  std::string key = text::fold(text::cut_utf8(utf8, collation_key_octets_max));
  key.resize(text::cut_utf8(key, collation_key_octets_max).size());
  return key;
}

// The first address as ENVELOPE shows it. Repeated To and Cc fields are one list there, of From the first counts.
std::optional<Address> first_address(std::span<const HeaderField> fields, std::string_view name) {
  for (const HeaderField& field : fields) {
    if (!same_field_name(field.name, name)) continue;
    AddressList list = parse_address_list(field.value);
    if (!list.empty()) return std::move(list.front());
    if (name == "From") return std::nullopt;
  }
  return std::nullopt;
}

std::string key_of(std::string_view utf8, bool is_sound) { return is_sound ? folded_key(utf8) : unsound_key(utf8); }

std::string key_of_octets(const std::string& octets) {
  const std::string utf8 = text::repair_utf8(octets);
  return key_of(utf8, utf8 == octets);
}

std::string mailbox_key(const std::optional<Address>& address) {
  return address ? key_of_octets(address->local_part) : std::string();
}

// RFC 5957 §3, from the address structure that ENVELOPE shows: the host of a group's name is NIL.
std::string display_key(const std::optional<Address>& address) {
  if (!address) return {};
  if (address->kind == Address::Kind::mailbox) {
    const HeaderText name = decode_header(address->name);
    if (!name.text.empty()) return key_of(name.text, name.is_sound);
    return key_of_octets(address->local_part + '@' + address->domain);
  }
  return mailbox_key(address);
}

std::string_view value_of(std::span<const HeaderField> fields, std::string_view name) {
  const HeaderField* field = find_field(fields, name);
  return field == nullptr ? std::string_view() : field->value;
}

}  // namespace

std::string collation_key(SortKey key, std::span<const HeaderField> fields) {
  switch (key) {
    case SortKey::cc:
      return mailbox_key(first_address(fields, "Cc"));
    case SortKey::from:
      return mailbox_key(first_address(fields, "From"));
    case SortKey::to:
      return mailbox_key(first_address(fields, "To"));
    case SortKey::display_from:
      return display_key(first_address(fields, "From"));
    case SortKey::display_to:
      return display_key(first_address(fields, "To"));
    case SortKey::subject:
      return thread_subject(fields).key;
    case SortKey::arrival:
    case SortKey::date:
    case SortKey::size:
      break;
  }
  return {};
}

UnixTime sent_date(std::span<const HeaderField> fields, UnixTime internal_date) {
  const std::optional<ZonedTime> date = parse_rfc5322_date(value_of(fields, "Date"));
  return date ? date->time : internal_date;
}

ThreadSubject thread_subject(std::span<const HeaderField> fields) {
  const BaseSubject base = base_subject(value_of(fields, "Subject"));
  return ThreadSubject{key_of(base.text, base.is_sound), base.is_reply};
}

std::string message_id_of(std::span<const HeaderField> fields) {
  return first_message_id(value_of(fields, "Message-ID"));
}

std::vector<std::string> references_of(std::span<const HeaderField> fields) {
  std::vector<std::string> ids = parse_message_ids(value_of(fields, "References"), references_max);
  if (!ids.empty()) return ids;
  std::string parent = first_message_id(value_of(fields, "In-Reply-To"));
  if (!parent.empty()) ids.push_back(std::move(parent));
  return ids;
}

}  // namespace postkeep::mime
