// The hashes of storage/. Sha256: EMAILID and THREADID are cut from it, folder files carry a piece of it. KeyedHash:
// for tables in memory. The only user of libcrypto in storage/.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/base/hash128.h"

namespace postkeep::storage {

using Sha256Digest = std::array<std::uint8_t, 32>;

// A running hash. Movable; one thread at a time.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(std::string_view bytes);
  Sha256Digest finish();  // once; nothing after it

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;
};

Sha256Digest sha256(std::string_view bytes);

// SipHash-2-4 with 128 bits. Who does not know the key can neither make two texts with the same hash nor choose where
// one falls in a table; whoever knows it can. One thread at a time.
class KeyedHash {
 public:
  using Key = std::array<std::uint8_t, 16>;
  explicit KeyedHash(const Key& key);
  Hash128 of(std::string_view text);

 private:
  struct Free {
    void operator()(void* context) const;
  };
  Key key_;
  std::unique_ptr<void, Free> context_;
};
// Lower-case hex of the first `octets` (at most 32).
std::string hex(const Sha256Digest& digest, std::size_t octets = 32);

}  // namespace postkeep::storage
