#include "server/lmtp/delivered_before.h"

#include <openssl/evp.h>

#include <algorithm>

#include "protocol/base/ascii.h"
#include "protocol/mime/header_fields.h"

namespace postkeep::server {

DeliveredBefore::Key DeliveredBefore::key_of(std::string_view message_id, std::string_view place) {
  std::string text(message_id);
  text += '\0';
  text += place;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr);
  Key key{};
  std::copy_n(digest.begin(), key.size(), key.begin());
  return key;
}

bool DeliveredBefore::knows(const Key& key, Clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  const auto found = until_.find(key);
  return found != until_.end() && now < found->second;
}

// What has been added again since has another time than its older place in the order.
void DeliveredBefore::make_room(Clock::time_point now) {
  while (!order_.empty() && (order_.size() >= entries_max || order_.front().second <= now)) {
    const auto found = until_.find(order_.front().first);
    if (found != until_.end() && found->second == order_.front().second) until_.erase(found);
    order_.pop_front();
  }
}

void DeliveredBefore::add(const Key& key, Clock::time_point until) {
  const std::lock_guard lock(mutex_);
  make_room(Clock::now());
  until_[key] = until;
  order_.emplace_back(key, until);
}

std::size_t DeliveredBefore::size() const {
  const std::lock_guard lock(mutex_);
  return until_.size();
}

std::optional<std::string> message_id_of(std::string_view beginning) {
  mime::HeaderReader reader(beginning);
  mime::HeaderField field;
  std::optional<std::string> found;
  while (reader.next(field)) {
    if (!ascii::iequals(field.name, "Message-ID")) continue;
    if (found) return std::nullopt;
    const std::string value = mime::unfold(field.value);
    const std::size_t begin = value.find('<');
    const std::size_t end = value.find('>', begin == std::string::npos ? 0 : begin);
    if (begin == std::string::npos || end == std::string::npos) return std::nullopt;
    found = value.substr(begin, end - begin + 1);
    if (found->size() > DeliveredBefore::message_id_octets_max) return std::nullopt;
  }
  return found;
}

std::string mark_of(std::string_view beginning, std::uint64_t octets) {
  std::string mark = std::to_string(octets);
  mime::HeaderReader reader(beginning);
  mime::HeaderField field;
  while (reader.next(field)) {
    if (!ascii::iequals(field.name, "Received")) continue;
    mark += ' ';
    mark += field.value;
    break;
  }
  return mark;
}

}  // namespace postkeep::server
