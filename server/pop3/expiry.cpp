#include "server/pop3/expiry.h"

#include <chrono>
#include <utility>

namespace postkeep::pop3 {

namespace {

constexpr std::uint64_t dates_batch = 500;  // messages a job reads dates of
constexpr std::int64_t seconds_a_day = 24 * 60 * 60;

// Those of `candidates` that have no \Flagged, and the keyword if it is needed.
UidSet not_kept(const storage::MailboxVersion& version, const UidSet& candidates, bool needs_keyword) {
  UidSet found;
  version.for_each_in(candidates, [&](SeqNum, const storage::MessageState& message) {
    const Flags& flags = version.flags_of(message);
    if (flags.has(SystemFlag::flagged) || (needs_keyword && !flags.has_keyword(retrieved_keyword))) return;
    found.add(message.uid);
  });
  return found;
}

// Those that came into the mailbox before `limit`, in seconds since 1970.
server::Awaitable<Result<UidSet>> older_than(Context& context, UidSet uids, std::int64_t limit) {
  storage::FetchWants wants;
  wants.dates = true;
  UidSet found;
  while (!uids.empty()) {
    UidSet batch = first_of(uids, dates_batch);
    uids = uids.subtract(batch);
    auto rows = co_await context.gateway().fetch(context.account, context.maildrop->mailbox(), std::move(batch), wants);
    if (!rows) co_return tl::unexpected<Error>(std::move(rows).error());
    for (const storage::MessageRow& row : *rows) {
      if (row.save_date.seconds <= limit) found.add(row.uid);
    }
  }
  co_return found;
}

}  // namespace

server::Awaitable<Result<UidSet>> expired_messages(Context& context) {
  const std::optional<std::uint64_t> days = context.settings().pop3.expire_days;
  if (!days) co_return UidSet();
  const UidSet candidates = *days == 0 ? context.retrieved_uids : context.maildrop->uids();
  if (candidates.empty()) co_return UidSet();
  auto version = co_await context.gateway().version(context.account, context.maildrop->mailbox());
  if (!version) co_return tl::unexpected<Error>(std::move(version).error());
  UidSet found = not_kept(**version, candidates, *days != 0);
  if (*days == 0) co_return found;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::int64_t today = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  co_return co_await older_than(context, std::move(found), today - static_cast<std::int64_t>(*days) * seconds_a_day);
}

}  // namespace postkeep::pop3
