#include "protocol/base/sip_hash.h"

#include <bit>
#include <cstddef>

namespace postkeep {
namespace {

class SipState {
 public:
  explicit SipState(const SipKey& key)
      : a_(key[0] ^ 0x736f6d6570736575U),
        b_(key[1] ^ 0x646f72616e646f6dU ^ 0xeeU),
        c_(key[0] ^ 0x6c7967656e657261U),
        d_(key[1] ^ 0x7465646279746573U) {}

  void absorb(std::uint64_t word) {
    d_ ^= word;
    round();
    round();
    a_ ^= word;
  }
  Hash128 finish() {
    c_ ^= 0xeeU;
    Hash128 hash;
    hash.low = squeeze();
    b_ ^= 0xddU;
    hash.high = squeeze();
    return hash;
  }

 private:
  std::uint64_t squeeze() {
    for (int i = 0; i < 4; ++i) round();
    return a_ ^ b_ ^ c_ ^ d_;
  }
  void round() {
    a_ += b_;
    b_ = std::rotl(b_, 13) ^ a_;
    a_ = std::rotl(a_, 32);
    c_ += d_;
    d_ = std::rotl(d_, 16) ^ c_;
    a_ += d_;
    d_ = std::rotl(d_, 21) ^ a_;
    c_ += b_;
    b_ = std::rotl(b_, 17) ^ c_;
    c_ = std::rotl(c_, 32);
  }

  std::uint64_t a_, b_, c_, d_;
};

// Up to eight octets, the first one lowest.
std::uint64_t little_endian(std::string_view octets) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    word |= static_cast<std::uint64_t>(static_cast<unsigned char>(octets[i])) << (8 * i);
  }
  return word;
}

}  // namespace

Hash128 sip_hash(const SipKey& key, std::string_view text) {
  SipState state(key);
  const auto length = static_cast<std::uint64_t>(text.size());
  for (; text.size() >= 8; text.remove_prefix(8)) state.absorb(little_endian(text.substr(0, 8)));
  state.absorb(little_endian(text) | length << 56);
  return state.finish();
}

}  // namespace postkeep
