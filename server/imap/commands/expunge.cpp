// EXPUNGE and UID EXPUNGE. RFC 9051 §6.4.3, §6.4.9. The EXPUNGE responses come from dispatch's report of changes.
#include "server/imap/commands/expunge.h"

#include <utility>

#include "server/imap/commands/handlers.h"
#include "server/imap/notify_push.h"
#include "server/imap/updates.h"

namespace postkeep::imap {

namespace {

constexpr std::uint64_t expunge_batch = 1000;  // so that no job holds the account for long

// With QRESYNC the VANISHED comes before the reply is made, which names its modseq (RFC 7162 §3.2.7, §3.2.9).
server::Awaitable<Result<Completion>> completion_of(Context& context, Result<UidSet> gone) {
  if (!gone) co_return tl::unexpected<Error>(std::move(gone).error());
  if (gone->empty() || !context.enabled.qresync) co_return Completion("Expunged");
  co_await send_updates(context, ExpungeRule::allowed);
  co_return Completion(ResponseCode::highest_modseq(context.selected->view.settled_modseq()), "Expunged");
}

}  // namespace

server::Awaitable<Result<UidSet>> expunge_deleted(Context& context, MailboxId mailbox, std::optional<UidSet> among) {
  auto version = co_await context.gateway().version(context.account, mailbox);
  if (!version) co_return tl::unexpected<Error>(std::move(version).error());
  UidSet expunged;
  UidSet left = (*version)->uids_with(SystemFlag::deleted);
  if (among) left = left.intersect(*among);
  while (!left.empty()) {
    UidSet batch = first_of(left, expunge_batch);
    left = left.subtract(batch);
    auto gone = co_await context.gateway().expunge(context.account, mailbox, std::move(batch));
    if (!gone) co_return tl::unexpected<Error>(std::move(gone).error());
    expunged.add_all(*gone);
    note_own_change(context);
  }
  co_return expunged;
}

Answer run_expunge(Context& context) {
  CO_TRY(context.require_write());
  auto gone = co_await expunge_deleted(context, context.selected->mailbox.id, std::nullopt);
  co_return co_await completion_of(context, std::move(gone));
}

Answer run_uid_expunge(Context& context, UidExpungeArgs arguments) {
  CO_TRY(context.require_write());
  std::optional<UidSet> among = CO_TRY(context.resolve(arguments.set));
  auto gone = co_await expunge_deleted(context, context.selected->mailbox.id, std::move(among));
  co_return co_await completion_of(context, std::move(gone));
}

}  // namespace postkeep::imap
