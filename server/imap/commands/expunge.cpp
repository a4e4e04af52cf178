// EXPUNGE and UID EXPUNGE. RFC 9051 §6.4.3, §6.4.9. The EXPUNGE responses come from dispatch's report of changes.
#include "server/imap/commands/expunge.h"

#include <utility>

#include "server/imap/commands/handlers.h"

namespace postkeep::imap {

namespace {

constexpr std::uint64_t expunge_batch = 1000;  // so that no job holds the account for long

}  // namespace

server::Awaitable<Outcome> expunge_deleted(Context& context, MailboxId mailbox, std::optional<UidSet> among) {
  auto version = co_await context.gateway().version(context.account, mailbox);
  if (!version) co_return tl::unexpected<Error>(std::move(version).error());
  UidSet left = (*version)->uids_with(SystemFlag::deleted);
  if (among) left = left.intersect(*among);
  while (!left.empty()) {
    UidSet batch = first_of(left, expunge_batch);
    left = left.subtract(batch);
    auto gone = co_await context.gateway().expunge(context.account, mailbox, std::move(batch));
    if (!gone) co_return tl::unexpected<Error>(std::move(gone).error());
  }
  co_return Outcome();
}

Answer run_expunge(Context& context) {
  CO_TRY(context.require_write());
  const Outcome done = co_await expunge_deleted(context, context.selected->mailbox.id, std::nullopt);
  if (!done) co_return tl::unexpected<Error>(done.error());
  co_return Completion("Expunged");
}

Answer run_uid_expunge(Context& context, UidExpungeArgs arguments) {
  CO_TRY(context.require_write());
  std::optional<UidSet> among = CO_TRY(context.resolve(arguments.set));
  const Outcome done = co_await expunge_deleted(context, context.selected->mailbox.id, std::move(among));
  if (!done) co_return tl::unexpected<Error>(done.error());
  co_return Completion("Expunged");
}

}  // namespace postkeep::imap
