// CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE. RFC 9051 §6.3.4 to §6.3.8, RFC 6154 §3 (CREATE ... USE).
#include <string>
#include <utility>

#include "protocol/base/seeded_fault.h"
#include "protocol/imap/responses/state.h"
#include "server/imap/changed_name.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/notify_push.h"

namespace postkeep::imap {

namespace {

// A separator at the end says that the client wants to make mailboxes below; it is not part of the name.
std::string without_separator_at_end(const Context& context, std::string name) {
  if (name.size() > 1 && name.back() == context.settings().mailbox.separator) name.pop_back();
  return name;
}

}  // namespace

Answer run_create(Context& context, CreateArgs arguments) {
  if (arguments.uses.size() > 1) co_return failure(ErrorKind::use_attribute, "A mailbox has one special use");
  const std::string asked = without_separator_at_end(context, arguments.mailbox);
  MailboxName name = CO_TRY(context.mailbox_name(arguments.mailbox));
  const SpecialUse use = arguments.uses.empty() ? SpecialUse::none : arguments.uses.front();
  auto outcome = co_await context.gateway().create_mailbox(context.account, name, use);
  const storage::Mailbox made = CO_TRY(std::move(outcome));
  note_own_created(context, made);
  tell_changed_name(context, made.name, asked);
  co_return Completion(ResponseCode::mailbox_id(made.id), "Mailbox created");
}

Answer run_delete(Context& context, MailboxArgs arguments) {
  MailboxName name = CO_TRY(context.mailbox_name(arguments.mailbox));
  auto found = co_await context.gateway().find_mailbox(context.account, name);
  const storage::Mailbox mailbox = CO_TRY(std::move(found));
  const Outcome deleted = co_await context.gateway().delete_mailbox(context.account, std::move(name));
  if (!deleted) co_return tl::unexpected<Error>(deleted.error());
  if (seeded(Fault::delete_unsubscribes)) (void)co_await context.gateway().unsubscribe(context.account, mailbox.name);
  note_own_deleted(context, mailbox.name);
  if (context.selected && context.selected->mailbox.id == mailbox.id) {
    context.leave_mailbox();
    Writer out = context.out();
    write_untagged(out, Condition::ok, ResponseCode::closed(), "The deleted mailbox is not selected any more");
  }
  tell_changed_name(context, mailbox.name, arguments.mailbox, {"\\NonExistent"});
  co_return Completion("Mailbox deleted");
}

Answer run_rename(Context& context, RenameArgs arguments) {
  MailboxName from = CO_TRY(context.mailbox_name(arguments.from));
  const std::string asked = without_separator_at_end(context, arguments.to);
  const MailboxName to = CO_TRY(context.mailbox_name(arguments.to));
  const bool changed = context.wire_name(from) != arguments.from || context.wire_name(to) != asked;
  const Outcome renamed = co_await context.gateway().rename_mailbox(context.account, from, to);
  if (!renamed) co_return tl::unexpected<Error>(renamed.error());
  note_own_renamed(context, from, to);
  if (changed) tell_changed_name(context, to, arguments.from);
  co_return Completion("Mailbox renamed");
}

Answer run_subscribe(Context& context, MailboxArgs arguments) {
  MailboxName name = CO_TRY(context.mailbox_name(arguments.mailbox));
  const Outcome done = co_await context.gateway().subscribe(context.account, name);
  if (!done) co_return tl::unexpected<Error>(done.error());
  note_own_subscription(context, name, true);
  co_return Completion("Subscribed");
}

Answer run_unsubscribe(Context& context, MailboxArgs arguments) {
  MailboxName name = CO_TRY(context.mailbox_name(arguments.mailbox));
  const Outcome done = co_await context.gateway().unsubscribe(context.account, name);
  if (!done) co_return tl::unexpected<Error>(done.error());
  note_own_subscription(context, name, false);
  co_return Completion("Unsubscribed");
}

}  // namespace postkeep::imap
