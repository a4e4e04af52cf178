// STORE and UID STORE. RFC 9051 §6.4.6, RFC 7162 §3.1.3 (UNCHANGEDSINCE). The FETCH responses are the view's report of
// what changed, in which this command's own part is told, or, with .SILENT, left out where the client can compute it
// itself.
#include <optional>
#include <utility>

#include "protocol/base/seeded_fault.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/condstore.h"
#include "server/imap/updates.h"

namespace postkeep::imap {

namespace {

constexpr std::uint64_t store_batch = 1000;  // so that no job holds the account for long

OwnStore own_store(const StoreArgs& arguments, UidSet uids) {
  OwnStore own;
  const bool silent = arguments.silent == StoreArgs::Silent::yes && !seeded(Fault::silent_is_not);
  own.answer = silent ? OwnStore::Answer::silent : OwnStore::Answer::told;
  own.uids = std::move(uids);
  own.change = arguments.change;
  own.flags = arguments.flags;
  own.conditional = arguments.unchanged_since.has_value();
  return own;
}

// Stores in batches; those that UNCHANGEDSINCE refuses go from `own.uids` to `own.refused`.
server::Awaitable<Outcome> store_all(Context& context, OwnStore& own, std::optional<std::uint64_t> unchanged_since) {
  std::optional<ModSeq> limit;
  if (unchanged_since) limit = ModSeq(*unchanged_since);
  UidSet left = own.uids;
  while (!left.empty()) {
    UidSet batch = first_of(left, store_batch);
    left = left.subtract(batch);
    auto result = co_await context.gateway().store_flags(context.account, context.selected->mailbox.id,
                                                         std::move(batch), own.change, own.flags, limit);
    if (!result) co_return tl::unexpected<Error>(std::move(result).error());
    own.refused.add_all(result->modified);
  }
  own.uids = own.uids.subtract(own.refused);
  co_return Outcome();
}

Completion completion_of(const Context& context, const UidSet& refused, bool some_gone) {
  if (!refused.empty()) {
    const ResponseCode modified = ResponseCode::modified(context.numbers_of(refused));
    if (some_gone) return Completion(Condition::no, modified, "Some messages are gone, others have changed");
    return Completion(modified, "Some messages have changed since and were left alone");
  }
  if (!some_gone) return Completion("Flags stored");
  return Completion(Condition::no, ResponseCode::of(ErrorKind::expunge_issued), "Some messages are gone");
}

}  // namespace

Answer run_store(Context& context, StoreArgs arguments) {
  CO_TRY(context.require_write());
  OwnStore own = own_store(arguments, CO_TRY(context.resolve(arguments.set)));
  if (own.conditional) enable_condstore(context);
  const UidSet meant = own.uids;
  const Outcome stored = co_await store_all(context, own, arguments.unchanged_since);
  // Also where it failed half way: some were changed, and the client must know which.
  if (!stored) {
    co_await send_updates(context, context.expunge);
    co_return tl::unexpected<Error>(stored.error());
  }
  co_await send_updates(context, context.expunge, &own);
  const bool some_gone = !meant.intersect(context.selected->view.ghosts()).empty();
  co_return completion_of(context, own.refused, some_gone);
}

}  // namespace postkeep::imap
