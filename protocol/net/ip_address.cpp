#include "protocol/net/ip_address.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace postkeep {

namespace {

constexpr std::size_t v4_text_octets_max = 15;  // 255.255.255.255
constexpr std::size_t v6_text_octets_max = 45;  // eight groups, the last two as IPv4
constexpr unsigned site_bits_v6 = 64;

constexpr std::array<unsigned char, 12> mapped_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr unsigned mapped_bits = 96;

// A decimal number of at most `max`, without a sign or leading zeros.
std::optional<unsigned> decimal(std::string_view text, unsigned max) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number > max) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return number;
}

std::optional<IpAddress::V4> parse_v4(std::string_view text) {
  if (text.size() > v4_text_octets_max) return std::nullopt;
  IpAddress::V4 octets{};
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const std::size_t dot = text.find('.');
    if ((dot == std::string_view::npos) != (i + 1 == octets.size())) return std::nullopt;
    const auto number = decimal(text.substr(0, dot), 255);
    if (!number) return std::nullopt;
    octets[i] = static_cast<unsigned char>(*number);
    text.remove_prefix(dot == std::string_view::npos ? text.size() : dot + 1);
  }
  return octets;
}

// Groups of a part of an IPv6 address that has no "::", appended to `octets`. False: it is none, or too long.
bool append_groups(std::string_view text, std::string& octets) {
  while (true) {
    const std::size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    if (colon == std::string_view::npos && group.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(group);
      if (!v4) return false;
      octets.append(v4->begin(), v4->end());
      return octets.size() <= 16;
    }
    unsigned number = 0;
    const auto [end, error] = std::from_chars(group.data(), group.data() + group.size(), number, 16);
    if (group.size() > 4 || error != std::errc() || end != group.data() + group.size()) return false;
    octets += static_cast<char>(number >> 8);
    octets += static_cast<char>(number & 0xFF);
    if (octets.size() > 16) return false;
    if (colon == std::string_view::npos) return true;
    text.remove_prefix(colon + 1);
  }
}

std::optional<IpAddress::V6> parse_v6(std::string_view text) {
  if (text.size() > v6_text_octets_max) return std::nullopt;
  const std::size_t gap = text.find("::");
  std::string head, tail;
  if (gap == std::string_view::npos) {
    if (!append_groups(text, head) || head.size() != 16) return std::nullopt;
  } else {
    const std::string_view before = text.substr(0, gap), behind = text.substr(gap + 2);
    // An IPv4 part stands at the very end only.
    if (before.find('.') != std::string_view::npos) return std::nullopt;
    if (!before.empty() && !append_groups(before, head)) return std::nullopt;
    if (!behind.empty() && !append_groups(behind, tail)) return std::nullopt;
    if (head.size() + tail.size() > 14) return std::nullopt;  // "::" stands for a group at least
  }
  IpAddress::V6 octets{};
  std::ranges::copy(head, octets.begin());
  std::ranges::copy(tail, octets.end() - static_cast<std::ptrdiff_t>(tail.size()));
  return octets;
}

void append_hex(std::string& out, unsigned number) {
  std::array<char, 4> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
  out.append(digits.data(), end);
}

// RFC 5952 §4: the longest run of two or more zero groups becomes "::", the first of several.
std::string v6_text(std::span<const unsigned char> octets) {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = octets[2 * i] * 256U + octets[2 * i + 1];
  std::size_t best = groups.size(), best_length = 1;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    std::size_t length = 0;
    while (i + length < groups.size() && groups[i + length] == 0) ++length;
    if (length > best_length) {
      best = i;
      best_length = length;
    }
  }
  std::string out;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i == best) {
      out += "::";
      i += best_length - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    append_hex(out, groups[i]);
  }
  return out;
}

}  // namespace

IpAddress::IpAddress(const V4& octets) { std::ranges::copy(octets, octets_.begin()); }

IpAddress::IpAddress(const V6& octets) {
  if (std::equal(mapped_prefix.begin(), mapped_prefix.end(), octets.begin())) {
    std::copy(octets.begin() + mapped_prefix.size(), octets.end(), octets_.begin());
  } else {
    v4_ = false;
    octets_ = octets;
  }
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    if (const auto v4 = parse_v4(text)) return IpAddress(*v4);
  } else if (const auto v6 = parse_v6(text)) {
    return IpAddress(*v6);
  }
  return failure(ErrorKind::bad_syntax, "an IP address is wanted, such as 192.0.2.1 or 2001:db8::1");
}

bool IpAddress::is_loopback() const {
  if (v4_) return octets_[0] == 127;
  V6 loopback{};
  loopback.back() = 1;
  return octets_ == loopback;
}

IpAddress IpAddress::prefix(unsigned length) const {
  IpAddress result = *this;
  for (std::size_t i = length / 8; i < octets().size(); ++i) {
    const unsigned kept = i == length / 8 ? length % 8 : 0;
    result.octets_[i] = static_cast<unsigned char>(result.octets_[i] & ~(0xFFU >> kept));
  }
  return result;
}

std::string IpAddress::to_string() const {
  if (!v4_) return v6_text(octets());
  std::string out;
  for (const unsigned char octet : octets()) out += (out.empty() ? "" : ".") + std::to_string(octet);
  return out;
}

IpNetwork::IpNetwork(const IpAddress& address, unsigned length)
    : address_(address.prefix(length)), length_(std::min(length, address.bits())) {}

Result<IpNetwork> IpNetwork::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view before = text.substr(0, slash);
  const IpAddress address = TRY(IpAddress::parse(before));
  if (slash == std::string_view::npos) return IpNetwork(address, address.bits());
  // Written as IPv6 but IPv4: the length counts the mapped prefix.
  const unsigned extra = address.is_v4() && before.find(':') != std::string_view::npos ? mapped_bits : 0;
  const auto length = decimal(text.substr(slash + 1), address.bits() + extra);
  if (!length || *length < extra) {
    return failure(ErrorKind::bad_syntax, "the length of the prefix is a number from " + std::to_string(extra) +
                                              " to " + std::to_string(address.bits() + extra));
  }
  const IpNetwork network(address, *length - extra);
  if (network.address() != address) {
    return failure(ErrorKind::bad_syntax,
                   "there are bits behind the prefix; either " + network.to_string() + " or one address is meant");
  }
  return network;
}

bool IpNetwork::contains(const IpAddress& address) const {
  return address.is_v4() == address_.is_v4() && address.prefix(length_) == address_;
}

std::string IpNetwork::to_string() const {
  return address_.to_string() + (length_ == address_.bits() ? "" : "/" + std::to_string(length_));
}

bool contains(std::span<const IpNetwork> networks, const IpAddress& address) {
  return std::ranges::any_of(networks, [&](const IpNetwork& network) { return network.contains(address); });
}

IpNetwork site_of(const IpAddress& address) { return IpNetwork(address, address.is_v4() ? 32 : site_bits_v6); }

}  // namespace postkeep
