// How values stand in rows of index.sqlite and search.sqlite. Used by the *_sql files beside this one and by
// storage/search_index.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "protocol/mail/ids.h"

namespace postkeep::storage {

// A message's key in all tables: that of its mailbox and its UID, so that one mailbox's rows lie together in ascending
// UIDs.
constexpr std::int64_t row_id(std::int64_t mailbox_key, Uid uid) { return (mailbox_key << 32) | uid.value(); }
constexpr Uid uid_of_row(std::int64_t id) { return Uid(static_cast<std::uint32_t>(id & 0xffffffff)); }

// EmailId and ThreadId as blobs.
template <class Id>
std::string_view blob_of(const Id& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}
template <class Id>
Id id_from_blob(std::string_view blob) {
  Id id;
  std::copy_n(blob.begin(), std::min(blob.size(), id.bytes.size()), id.bytes.begin());
  return id;
}

}  // namespace postkeep::storage
