#include "auth/verified_passwords.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstring>
#include <stdexcept>
#include <string>

namespace postkeep::auth {

namespace {

constexpr std::size_t key_octets = 32;

Secret random_key(RandomSource random) {
  std::array<unsigned char, key_octets> octets{};
  random(octets);
  return Secret(std::string(octets.begin(), octets.end()));
}

// Its length before each part, so that no two triples make one text.
void add_part(std::string& text, std::string_view part) {
  text += std::to_string(part.size());
  text += ':';
  text += part;
}

}  // namespace

// A MAC is random already.
std::size_t VerifiedPasswords::MacHash::operator()(const Mac& mac) const noexcept {
  std::size_t hash = 0;
  std::memcpy(&hash, mac.data(), sizeof(hash));
  return hash;
}

VerifiedPasswords::VerifiedPasswords(std::size_t entries_max, RandomSource random)
    : entries_max_(entries_max), key_(random_key(random)) {}

VerifiedPasswords::Mac VerifiedPasswords::mac_of(std::string_view user, const Verifier& verifier,
                                                 const Secret& password) const {
  std::string text;
  // One allocation: growing would leave copies of the password behind.
  text.reserve(user.size() + verifier.hash.reveal().size() + password.reveal().size() + 128);
  add_part(text, user);
  add_part(text, to_string(verifier.scheme));
  add_part(text, verifier.hash.reveal());
  add_part(text, password.reveal());
  const Secret whole(std::move(text));
  Mac mac{};
  unsigned length = 0;
  const std::string_view octets = whole.reveal();
  if (HMAC(EVP_sha256(), key_.reveal().data(), static_cast<int>(key_.reveal().size()),
           reinterpret_cast<const unsigned char*>(octets.data()), octets.size(), mac.data(), &length) == nullptr) {
    throw std::runtime_error("libcrypto cannot compute HMAC-SHA-256");
  }
  return mac;
}

bool VerifiedPasswords::knows(std::string_view user, const Verifier& verifier, const Secret& password,
                              Clock::time_point now) const {
  const Mac mac = mac_of(user, verifier, password);
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(mac);
  return found != known_.end() && now < found->second;
}

void VerifiedPasswords::add(std::string_view user, const Verifier& verifier, const Secret& password,
                            Clock::time_point now, Clock::time_point until) {
  if (until <= now || entries_max_ == 0) return;
  const Mac mac = mac_of(user, verifier, password);
  const std::lock_guard lock(mutex_);
  while (!order_.empty() && (order_.front().first <= now || order_.size() >= entries_max_)) drop_oldest();
  known_[mac] = until;
  order_.emplace_back(until, mac);
}

void VerifiedPasswords::drop_oldest() {
  const auto& [until, mac] = order_.front();
  const auto found = known_.find(mac);
  if (found != known_.end() && found->second == until) known_.erase(found);
  order_.pop_front();
}

void VerifiedPasswords::clear() {
  const std::lock_guard lock(mutex_);
  known_.clear();
  order_.clear();
}

}  // namespace postkeep::auth
