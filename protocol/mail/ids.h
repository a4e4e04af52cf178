// The numbers and names by which mail is known, each its own type: a UID is not a sequence number.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace postkeep {

// An integer with a meaning. Explicit both ways; ordered; hashable.
template <class Tag, class Representation>
class StrongId {
 public:
  using Rep = Representation;
  constexpr StrongId() = default;
  explicit constexpr StrongId(Representation value) : value_(value) {}
  constexpr Representation value() const { return value_; }
  constexpr auto operator<=>(const StrongId&) const = default;

 private:
  Representation value_ = 0;
};

using Uid = StrongId<struct UidTag, std::uint32_t>;                  // 1..2^32-1; 0 is none (RFC 9051 §2.3.1.1)
using SeqNum = StrongId<struct SeqNumTag, std::uint32_t>;            // 1..EXISTS (RFC 9051 §2.3.1.2)
using UidValidity = StrongId<struct UidValidityTag, std::uint32_t>;  // 1..2^32-1
using ModSeq = StrongId<struct ModSeqTag, std::uint64_t>;            // 1..2^63-1 (RFC 7162 §3.1); 0 is none

// One mailbox for as long as it lives, through renames. Unique within its account, and kept in the
// folder, so it survives a lost index. On the wire "F" and 16 hex digits (MAILBOXID, RFC 8474 §4).
using MailboxId = StrongId<struct MailboxIdTag, std::uint64_t>;
std::string to_wire(MailboxId id);

// EMAILID and THREADID (RFC 8474 §5): 128 bits of a hash; "M" or "T" and 32 hex digits on the wire.
struct EmailId {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const EmailId&) const = default;
};
struct ThreadId {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const ThreadId&) const = default;
};
std::string to_wire(const EmailId& id);
std::string to_wire(const ThreadId& id);

}  // namespace postkeep

template <class Tag, class Rep>
struct std::hash<postkeep::StrongId<Tag, Rep>> {
  std::size_t operator()(postkeep::StrongId<Tag, Rep> id) const noexcept { return std::hash<Rep>{}(id.value()); }
};
