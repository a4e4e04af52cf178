// VerifiedPasswords: remembers for a while which passwords were right, so that a phone that logs in every few minutes
// does not cost a run of Argon2 each time. In memory only. Used by the authenticator, which still asks the directory at
// every login: a user who was disabled, removed or given another password is refused at once.
//
// What is kept of a password is HMAC-SHA-256 with a key that is made at the start of the process, over the user, the
// verifier and the password: worth nothing without the process's memory, and nothing after its end.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "auth/password_hash.h"
#include "protocol/base/secret.h"

namespace postkeep::auth {

// Thread-safe.
class VerifiedPasswords {
 public:
  using Clock = std::chrono::steady_clock;

  // At most `entries_max` are remembered, of about 150 octets each; the oldest go first.
  explicit VerifiedPasswords(std::size_t entries_max, RandomSource random = system_random);

  // `verifier` is one that the user has now.
  bool knows(std::string_view user, const Verifier& verifier, const Secret& password, Clock::time_point now) const;
  // It was right, and is known until `until`. Times are handed in rising, as by a clock and one setting.
  void add(std::string_view user, const Verifier& verifier, const Secret& password, Clock::time_point now,
           Clock::time_point until);
  void clear();

 private:
  using Mac = std::array<unsigned char, 32>;
  struct MacHash {
    std::size_t operator()(const Mac& mac) const noexcept;
  };
  Mac mac_of(std::string_view user, const Verifier& verifier, const Secret& password) const;
  void drop_oldest();

  const std::size_t entries_max_;
  Secret key_;
  mutable std::mutex mutex_;  // guards what follows
  std::unordered_map<Mac, Clock::time_point, MacHash> known_;
  std::deque<std::pair<Clock::time_point, Mac>> order_;  // as they came; an entry renewed since stands here again
};

}  // namespace postkeep::auth
