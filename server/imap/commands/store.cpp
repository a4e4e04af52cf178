// STORE and UID STORE. RFC 9051 §6.4.6. The FETCH responses are the view's report of what changed, in which this
// command's own part is told, or, with .SILENT, left out where the client can compute it itself.
#include <utility>

#include "server/imap/commands/handlers.h"
#include "server/imap/updates.h"

namespace postkeep::imap {

namespace {

constexpr std::uint64_t store_batch = 1000;  // so that no job holds the account for long

}  // namespace

Answer run_store(Context& context, StoreArgs arguments) {
  CO_TRY(context.require_write());
  if (arguments.unchanged_since) co_return failure(ErrorKind::bad_syntax, "UNCHANGEDSINCE is not supported");
  OwnStore own;
  own.uids = CO_TRY(context.resolve(arguments.set));
  own.answer = arguments.silent == StoreArgs::Silent::yes ? OwnStore::Answer::silent : OwnStore::Answer::told;
  own.change = arguments.change;
  own.flags = arguments.flags;
  Outcome stored;
  UidSet left = own.uids;
  while (stored && !left.empty()) {
    UidSet batch = first_of(left, store_batch);
    left = left.subtract(batch);
    auto result = co_await context.gateway().store_flags(context.account, context.selected->mailbox.id,
                                                         std::move(batch), arguments.change, arguments.flags);
    if (!result) stored = tl::unexpected<Error>(std::move(result).error());
  }
  // Also where it failed half way: some were changed, and the client must know which.
  const ExpungeRule rule = context.uid_form == UidForm::yes ? ExpungeRule::allowed : ExpungeRule::held;
  if (stored) {
    co_await send_updates(context, rule, &own);
  } else {
    co_await send_updates(context, rule);
    co_return tl::unexpected<Error>(std::move(stored).error());
  }
  const bool some_gone = !own.uids.intersect(context.selected->view.ghosts()).empty();
  if (some_gone)
    co_return Completion(Condition::no, ResponseCode::of(ErrorKind::expunge_issued), "Some messages are gone");
  co_return Completion("Flags stored");
}

}  // namespace postkeep::imap
