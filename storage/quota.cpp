#include "storage/quota.h"

namespace postkeep::storage {
namespace {

std::optional<std::uint64_t> limit_of(std::optional<std::uint64_t> own, std::optional<std::uint64_t> of_all) {
  if (!own) return of_all;
  if (*own == 0) return std::nullopt;
  return own;
}

bool fits(std::optional<std::uint64_t> limit, std::uint64_t used, std::uint64_t added) {
  return !limit || (used <= *limit && added <= *limit - used);
}

}  // namespace

QuotaLimits limits_of(const QuotaLimits& own, const QuotaLimits& of_all) {
  return QuotaLimits{limit_of(own.octets, of_all.octets), limit_of(own.messages, of_all.messages)};
}

Outcome check_room(const QuotaLimits& limits, const QuotaUsage& used, const QuotaUsage& added) {
  const bool octets_fit = fits(limits.octets, used.octets, added.octets);
  if (octets_fit && fits(limits.messages, used.messages, added.messages)) return {};
  return failure(ErrorKind::quota_reached, octets_fit ? "There may be no more messages: the quota is reached"
                                                      : "There is no room for it: the quota is reached");
}

Outcome check_room_instead_of(const QuotaLimits& limits, const QuotaUsage& used, const QuotaUsage& freed,
                              const QuotaUsage& added) {
  QuotaLimits held = limits;
  QuotaUsage gained;
  // A resource that does not grow is not asked about: its usage may lie above the limit already.
  if (added.octets <= freed.octets) held.octets.reset();
  if (added.messages <= freed.messages) held.messages.reset();
  if (held.octets) gained.octets = added.octets - freed.octets;
  if (held.messages) gained.messages = added.messages - freed.messages;
  return check_room(held, used, gained);
}

}  // namespace postkeep::storage
