// DeliveredBefore: what was delivered to whom a short while ago, so that it is not delivered twice. In memory, since a
// copy too many after a restart does less harm than a wait for the disk with each delivery. Used by lmtp/delivery.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postkeep::server {

// Thread-safe; nothing blocks. When it is full the oldest entries go before their time.
class DeliveredBefore {
 public:
  static constexpr std::size_t entries_max = 100'000;        // about 100 octets each
  static constexpr std::size_t message_id_octets_max = 998;  // RFC 5322 §2.1.1; a longer one is not remembered
  using Clock = std::chrono::steady_clock;
  using Key = std::array<unsigned char, 16>;  // of SHA-256: nobody can make two messages look like one

  // `place` says to whom: a user, with a folder.
  static Key key_of(std::string_view message_id, std::string_view place);

  bool knows(const Key& key, Clock::time_point now) const;
  void add(const Key& key, Clock::time_point until);
  std::size_t size() const;

 private:
  void make_room(Clock::time_point now);
  mutable std::mutex mutex_;
  std::map<Key, Clock::time_point> until_;
  std::deque<std::pair<Key, Clock::time_point>> order_;  // as they were added
};

// The Message-ID of a message, of which `beginning` has the header; none if it has none, or more than one, or one that
// is too long. Without comments and folding: what stands between < and >, both included (RFC 5322 §3.6.4).
std::optional<std::string> message_id_of(std::string_view beginning);

// What a message of `octets` has for itself, others with its Message-ID notwithstanding, and still has when an MTA
// tries again: its size, and the first Received field, which has a number of the MTA's queue.
std::string mark_of(std::string_view beginning, std::uint64_t octets);

}  // namespace postkeep::server
