// Quota: how much an account holds and how much it may. Enforced where messages are added (APPEND, COPY, delivery,
// import); what other programs put into the folders is counted and never refused. Resources as RFC 9208 §5 has them:
// STORAGE and MESSAGE.
#pragma once

#include <cstdint>
#include <optional>

#include "protocol/base/result.h"

namespace postkeep::storage {

// none: no limit.
struct QuotaLimits {
  // Sum of RFC822.SIZE over all mailboxes; an upper bound while a message of another program has not been read yet.
  std::optional<std::uint64_t> octets;
  std::optional<std::uint64_t> messages;
  bool operator==(const QuotaLimits&) const = default;
};

struct QuotaUsage {
  std::uint64_t octets = 0;
  std::uint64_t messages = 0;
  bool operator==(const QuotaUsage&) const = default;
};

struct Quota {
  QuotaUsage used;     // may lie above the limits: they may have been lowered, and other programs know none
  QuotaLimits limits;  // that hold
  QuotaLimits own;     // the account's, each instead of that of all accounts where it is set; 0: no limit
};

// The limits that hold for an account.
QuotaLimits limits_of(const QuotaLimits& own, const QuotaLimits& of_all);

// May so much be added? Errors: quota_reached.
Outcome check_room(const QuotaLimits& limits, const QuotaUsage& used, const QuotaUsage& added);

// May so much be added where `freed` goes at the same time? What does not grow needs no room. Errors: quota_reached.
Outcome check_room_instead_of(const QuotaLimits& limits, const QuotaUsage& used, const QuotaUsage& freed,
                              const QuotaUsage& added);

}  // namespace postkeep::storage
