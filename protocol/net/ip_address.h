// IpAddress and IpNetwork: addresses of peers as values, and the networks of a configuration. RFC 4291 §2.2 and RFC
// 5952 (text of IPv6), RFC 4632 §3.1 (prefixes). Used wherever an address decides something: limits, bans, trusted
// peers. Pure; no name is ever looked up.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/base/result.h"

namespace postkeep {

// One address. An IPv4 address that came as IPv4-mapped IPv6 (::ffff:192.0.2.1, RFC 4291 §2.5.5.2) is the IPv4 address:
// there is one value for each peer, however its packets came.
class IpAddress {
 public:
  using V4 = std::array<unsigned char, 4>;
  using V6 = std::array<unsigned char, 16>;

  IpAddress() = default;  // 0.0.0.0
  explicit IpAddress(const V4& octets);
  explicit IpAddress(const V6& octets);  // IPv4 if it is mapped

  // "192.0.2.1" in exactly four decimal numbers without leading zeros, "2001:db8::1", "::ffff:192.0.2.1". No brackets,
  // no port, no zone. Errors: bad_syntax.
  static Result<IpAddress> parse(std::string_view text);

  bool is_v4() const { return v4_; }
  bool is_loopback() const;  // 127/8, ::1
  unsigned bits() const { return v4_ ? 32 : 128; }
  // In network order: 4 or 16 of them.
  std::span<const unsigned char> octets() const { return std::span(octets_).first(v4_ ? 4 : 16); }
  // The address with all but the first `length` bits cleared; as it is if it has no more.
  IpAddress prefix(unsigned length) const;
  // RFC 5952 §4 for IPv6.
  std::string to_string() const;

  std::strong_ordering operator<=>(const IpAddress&) const = default;
  bool operator==(const IpAddress&) const = default;

 private:
  bool v4_ = true;
  V6 octets_{};  // of IPv4 the first four, zeros behind
};

// The addresses that share a prefix.
class IpNetwork {
 public:
  // The host bits of `address` are dropped; a length beyond the address's means the one address.
  IpNetwork(const IpAddress& address, unsigned length);

  // "192.0.2.0/24", "2001:db8::/32", or an address, which stands for itself alone. A prefix with bits behind its length
  // is a mistake of whoever wrote it, and refused. Errors: bad_syntax; the text says what would be right.
  static Result<IpNetwork> parse(std::string_view text);

  bool contains(const IpAddress& address) const;
  const IpAddress& address() const { return address_; }
  unsigned length() const { return length_; }
  // "192.0.2.0/24"; of one address without "/32" or "/128".
  std::string to_string() const;

  bool operator==(const IpNetwork&) const = default;

 private:
  IpAddress address_;
  unsigned length_;
};

bool contains(std::span<const IpNetwork> networks, const IpAddress& address);

// What is counted as one peer: an IPv4 address, and the /64 of an IPv6 one, since whoever has one of it has them all
// (RFC 6177 §2).
IpNetwork site_of(const IpAddress& address);

}  // namespace postkeep

template <>
struct std::hash<postkeep::IpAddress> {
  std::size_t operator()(const postkeep::IpAddress& address) const noexcept {
    const auto octets = address.octets();
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(octets.data()), octets.size()});
  }
};
