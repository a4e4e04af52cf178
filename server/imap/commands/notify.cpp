// NOTIFY. RFC 5465 §3.1. What is told afterwards, and when: server/imap/notify_push.
#include <utility>

#include "server/imap/commands/handlers.h"
#include "server/imap/condstore.h"
#include "server/imap/fetch_items.h"
#include "server/imap/notify_push.h"
#include "server/imap/updates.h"

namespace postkeep::imap {

namespace {

// Names that no mailbox can have are ignored like those that none has.
NotifyRule rule_of(const Context& context, NotifyGroup group) {
  NotifyRule rule;
  rule.filter = group.filter;
  rule.events = std::move(group.events);
  for (const std::string& wire : group.names) {
    Result<MailboxName> name = context.mailbox_name(wire);
    if (name) rule.names.push_back(std::move(*name));
  }
  return rule;
}

NotifyRegistration registration_of(const Context& context, std::vector<NotifyGroup> groups) {
  NotifyRegistration registration;
  for (NotifyGroup& group : groups) {
    if (group.is_selected()) {
      registration.expunges_delayed = group.filter == NotifyGroup::Filter::selected_delayed;
      registration.selected = std::move(group.events);
    } else {
      registration.rules.push_back(rule_of(context, std::move(group)));
    }
  }
  return registration;
}

// Everything that happened so far is told by the rules without NOTIFY, what an earlier one kept back included.
server::Awaitable<void> tell_accumulated(Context& context) {
  context.notify.reset();
  if (!context.selected) co_return;
  const UidSet withheld = context.selected->view.take_withheld();
  co_await report_changes(context, ExpungeRule::allowed);
  if (context.next != Next::read_command) co_return;
  co_await write_changes(context, context.selected->view.messages().existing(withheld), TellFlags::yes);
}

// The STATUS indicator: everything that the events need to be understood (RFC 5465 §3.1).
server::Awaitable<void> tell_states(Context& context) {
  const std::vector<StateNotice> notices =
      state_notices(*context.notify->registration, AccountPicture(), context.notify->picture, true);
  for (const StateNotice& notice : notices) {
    write_state_notice(context, notice, notice.flags || context.enabled.condstore);
    co_await context.flush_if_large();
  }
}

}  // namespace

Answer run_notify(Context& context, NotifyArgs arguments) {
  if (arguments.unsupported) {
    co_return Completion(Condition::no, ResponseCode::bad_event(notify_event_names()), "No such event here");
  }
  auto registration = std::make_shared<NotifyRegistration>(registration_of(context, std::move(arguments.groups)));
  if (!registration->selected.fetch.empty()) {
    CO_TRY(plan_fetch(registration->selected.fetch, UidForm::yes));
  }
  auto notify = std::make_unique<Notify>();
  notify->registration = std::move(registration);
  const Outcome begun = co_await begin_notices(context, *notify);
  if (!begun && begun.error().kind == ErrorKind::limit) {
    co_return Completion(Condition::no, ResponseCode::notification_overflow(), "Too many mailboxes to watch");
  }
  if (!begun) co_return tl::unexpected<Error>(begun.error());
  co_await tell_accumulated(context);
  context.notify = std::move(notify);
  if (arguments.status) co_await tell_states(context);
  co_return Completion("Events registered");
}

}  // namespace postkeep::imap
