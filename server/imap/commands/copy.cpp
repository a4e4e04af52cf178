// COPY and MOVE and their UID forms. RFC 9051 §6.4.7, §6.4.8, RFC 4315 (COPYUID), RFC 6851. Each is one storage call:
// all or nothing, whatever the number of messages.
#include <optional>
#include <utility>

#include "protocol/base/seeded_fault.h"
#include "protocol/imap/responses/state.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/notify_push.h"

namespace postkeep::imap {

namespace {

// The target, or the answer that is due instead.
server::Awaitable<Result<storage::Mailbox>> find_target(Context& context, const std::string& wire) {
  auto name = context.mailbox_name(wire);
  if (!name) co_return tl::unexpected<Error>(std::move(name).error());
  co_return co_await context.gateway().find_mailbox(context.account, std::move(*name));
}

// RFC 9051 §7.1: the client may make the mailbox and try again.
Result<Completion> answer_failure(Error error, std::optional<MailboxId> target) {
  if (error.kind == ErrorKind::not_found && !target && !seeded(Fault::copy_no_try_create)) {
    return Completion(Condition::no, ResponseCode::try_create(), "No such mailbox");
  }
  return tl::unexpected<Error>(std::move(error));
}

ResponseCode copy_uid_of(const storage::CopyResult& copied) {
  return ResponseCode::copy_uid(copied.uid_validity, copied.source.to_vector(), copied.target.to_vector());
}

}  // namespace

Answer run_copy(Context& context, CopyArgs arguments) {
  UidSet uids = CO_TRY(context.resolve(arguments.set));
  auto target = co_await find_target(context, arguments.mailbox);
  if (!target) co_return answer_failure(std::move(target).error(), std::nullopt);
  const std::uint64_t wanted = uids.size();
  auto outcome =
      co_await context.gateway().copy(context.account, context.selected->mailbox.id, std::move(uids), target->id);
  if (!outcome) co_return answer_failure(std::move(outcome).error(), target->id);
  if (outcome->source.empty()) {
    if (wanted == 0) co_return Completion("Nothing to copy");
    co_return failure(ErrorKind::expunge_issued, "The messages are gone");
  }
  note_own_added(context, target->id, outcome->target);
  co_return Completion(copy_uid_of(*outcome), "Copied");
}

Answer run_move(Context& context, CopyArgs arguments) {
  if (seeded(Fault::move_copies)) co_return co_await run_copy(context, std::move(arguments));
  CO_TRY(context.require_write());
  UidSet uids = CO_TRY(context.resolve(arguments.set));
  auto target = co_await find_target(context, arguments.mailbox);
  if (!target) co_return answer_failure(std::move(target).error(), std::nullopt);
  const std::uint64_t wanted = uids.size();
  auto outcome =
      co_await context.gateway().move(context.account, context.selected->mailbox.id, std::move(uids), target->id);
  if (!outcome) co_return answer_failure(std::move(outcome).error(), target->id);
  if (outcome->source.empty()) {
    if (wanted == 0) co_return Completion("Nothing to move");
    co_return failure(ErrorKind::expunge_issued, "The messages are gone");
  }
  note_own_added(context, target->id, outcome->target);
  note_own_change(context);
  if (seeded(Fault::copy_uid_too_late)) co_return Completion(copy_uid_of(*outcome), "Moved");
  // Before the EXPUNGE responses, so that the client can follow the messages (RFC 6851 §4.3).
  Writer out = context.out();
  write_untagged(out, Condition::ok, copy_uid_of(*outcome), "Moved");
  co_return Completion("Moved");
}

}  // namespace postkeep::imap
