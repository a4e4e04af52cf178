// SELECT, EXAMINE, CLOSE, UNSELECT. RFC 9051 §6.3.2, §6.3.3, §6.4.1, §6.4.2; RFC 3501 §6.3.1 (RECENT, UNSEEN);
// RFC 7162 §3.1.8, §3.2.5 (CONDSTORE, QRESYNC).
#include <memory>
#include <optional>
#include <utility>

#include "protocol/base/seeded_fault.h"
#include "protocol/imap/responses/list.h"
#include "protocol/imap/responses/mailbox_data.h"
#include "protocol/imap/responses/state.h"
#include "server/imap/commands/expunge.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/condstore.h"
#include "server/imap/mailbox_flags.h"
#include "server/imap/resync.h"

namespace postkeep::imap {

namespace {

// What opening finds out, all in one storage job, so that nothing can happen in between.
struct Opened {
  storage::Mailbox mailbox;
  storage::MailboxVersionPtr version;
  Uid recent_from;
  UidSet vanished;  // since the client's modseq; empty without QRESYNC
};

class OpenJob {
 public:
  // `since`: what QRESYNC wants to know expunges from.
  OpenJob(MailboxName name, ClaimRecent claim, std::optional<ModSeq> since)
      : name_(std::move(name)), claim_(claim), since_(since) {}

  Result<Opened> operator()(storage::AccountStore& store) const {
    Opened opened;
    opened.mailbox = TRY(store.find_mailbox(name_));
    TRY(store.refresh(opened.mailbox.id));
    if (claim_ == ClaimRecent::yes) opened.recent_from = TRY(store.claim_recent(opened.mailbox.id));
    opened.version = TRY(store.version(opened.mailbox.id));
    if (claim_ == ClaimRecent::no) opened.recent_from = opened.version->facts().first_recent;
    if (since_) opened.vanished = TRY(store.expunged_since(opened.mailbox.id, *since_));
    return opened;
  }

 private:
  MailboxName name_;
  ClaimRecent claim_;
  std::optional<ModSeq> since_;
};

void close_selected(Context& context) {
  if (!context.selected) return;
  context.leave_mailbox();
  if (seeded(Fault::closed_missing)) return;
  Writer out = context.out();
  write_untagged(out, Condition::ok, ResponseCode::closed(), "Previous mailbox closed");
}

// What UIDVALIDITY and UIDNEXT are told as.
UidValidity told_validity(const storage::MailboxVersion& messages) {
  const UidValidity validity = messages.facts().uid_validity;
  return seeded(Fault::validity_changes) ? UidValidity(validity.value() + messages.count()) : validity;
}

Uid told_uid_next(const storage::MailboxVersion& messages) {
  return seeded(Fault::uid_next_of_last) ? Uid(messages.last_uid().value() + 1) : messages.facts().uid_next;
}

// `asked` as the client wrote the name: where it is another in the end, IMAP4rev2 wants that told (RFC 9051 §6.3.9.7).
void write_selected(Context& context, const std::string& asked) {
  const Selected& selected = *context.selected;
  const storage::MailboxVersion& messages = selected.view.messages();
  Writer out = context.out();
  write_mailbox_flags(context);
  write_exists(out, messages.count());
  if (!context.is_rev2()) {
    write_recent(out, static_cast<std::uint32_t>(selected.view.recent().size()));
    if (const std::optional<SeqNum> unseen = messages.first_unseen()) {
      write_untagged(out, Condition::ok, ResponseCode::unseen(*unseen), "First unseen message");
    }
  }
  write_untagged(out, Condition::ok, ResponseCode::uid_validity(told_validity(messages)), "UIDs valid");
  if (!seeded(Fault::uid_next_missing)) {
    write_untagged(out, Condition::ok, ResponseCode::uid_next(told_uid_next(messages)), "Predicted next UID");
  }
  if (context.enabled.condstore) write_highest_modseq(context);
  write_untagged(out, Condition::ok, ResponseCode::mailbox_id(selected.mailbox.id), "Mailbox id");
  if (context.is_rev2() && !seeded(Fault::select_without_list)) {
    ListData data;
    data.separator = context.settings().mailbox.separator;
    data.mailbox = seeded(Fault::select_lists_inbox) ? "INBOX" : context.wire_name(selected.mailbox.name);
    if (data.mailbox != asked && !selected.mailbox.name.is_inbox()) data.old_name = asked;
    write_list(out, data);
  }
}

// What changed since the client was last here (RFC 7162 §3.2.5.1).
server::Awaitable<void> resynchronize(Context& context, QresyncParameter known, UidSet vanished) {
  const storage::MailboxVersionPtr messages = context.selected->view.version();
  if (known.uid_validity != messages->facts().uid_validity) co_return;
  vanished = vanished.subtract(UidSet::of_range(Uid(1), last_match(known, *messages)));
  UidSet changed = messages->changed_since(known.modseq);
  if (known.known_uids) {
    vanished = vanished.intersect(*known.known_uids);
    changed = changed.intersect(*known.known_uids);
  }
  co_await write_vanished_lines(context, std::move(vanished), Earlier::yes);
  co_await write_changes(context, std::move(changed), TellFlags::yes);
}

Answer open_mailbox(Context& context, SelectArgs arguments, Access access) {
  if (arguments.qresync && !context.enabled.qresync) {
    co_return failure(ErrorKind::bad_syntax, "QRESYNC needs ENABLE QRESYNC");
  }
  close_selected(context);  // also where the new one cannot be opened (RFC 9051 §6.3.2)
  if (arguments.condstore) enable_condstore(context);
  auto name = CO_TRY(context.mailbox_name(arguments.mailbox));
  // Subscribed before the first version is read: then nothing falls between.
  std::shared_ptr<server::Watch> watch =
      context.services.hub.subscribe(context.account->user(), context.connection.executor());
  const bool claims = access == Access::read_write && !context.is_rev2();
  std::optional<ModSeq> since;
  if (arguments.qresync) since = arguments.qresync->modseq;
  OpenJob job(std::move(name), claims ? ClaimRecent::yes : ClaimRecent::no, since);
  auto outcome = co_await context.gateway().run(context.account, std::move(job));
  Opened opened = CO_TRY(std::move(outcome));
  MailboxView view(std::move(opened.version), context.is_rev2() ? Uid(0) : opened.recent_from);
  const MailboxId id = opened.mailbox.id;
  context.selected = std::make_unique<Selected>(std::move(opened.mailbox), access, std::move(view));
  context.selected->watch = std::move(watch);
  auto folder_watch = co_await context.gateway().watch_folder(context.account, id);
  if (folder_watch) context.selected->folder_watch = std::move(*folder_watch);
  write_selected(context, arguments.mailbox);
  if (arguments.qresync) {
    co_await resynchronize(context, std::move(*arguments.qresync), std::move(opened.vanished));
  }
  const bool read_only = access == Access::read_only && !seeded(Fault::examine_is_read_write);
  if (read_only) co_return Completion(ResponseCode::read_only(), "Opened for reading only");
  co_return Completion(ResponseCode::read_write(), "Opened");
}

}  // namespace

Answer run_select(Context& context, SelectArgs arguments) {
  return open_mailbox(context, std::move(arguments), Access::read_write);
}

Answer run_examine(Context& context, SelectArgs arguments) {
  return open_mailbox(context, std::move(arguments), Access::read_only);
}

Answer run_close(Context& context) {
  const MailboxId mailbox = context.selected->mailbox.id;
  const Access access = context.selected->access;
  context.leave_mailbox();
  if (access == Access::read_write) {
    const Result<UidSet> expunged = co_await expunge_deleted(context, mailbox, std::nullopt);
    // A mailbox that another session deleted meanwhile is closed all the same.
    if (!expunged && expunged.error().kind != ErrorKind::not_found) {
      co_return tl::unexpected<Error>(expunged.error());
    }
  }
  co_return Completion("Closed");
}

Answer run_unselect(Context& context) {
  context.leave_mailbox();
  co_return Completion("Closed without expunging");
}

}  // namespace postkeep::imap
