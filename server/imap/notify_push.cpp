// See notify_push.h.
#include "server/imap/notify_push.h"

#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "protocol/imap/responses/list.h"
#include "protocol/imap/responses/state.h"
#include "server/imap/commands/status.h"
#include "server/imap/read_beside.h"
#include "server/imap/updates.h"

namespace postkeep::imap {

namespace {

// So many mailboxes are looked up one by one; each may cost as much as a list where names have just been changed.
constexpr std::size_t looked_up_alone_max = 8;

// One look at an account, in one job.
class SurveyJob {
 public:
  SurveyJob(std::shared_ptr<const NotifyRegistration> registration, MailboxId left_out, std::uint64_t limit)
      : registration_(std::move(registration)), left_out_(left_out), limit_(limit) {}

  Result<AccountPicture> operator()(storage::AccountStore& store) const {
    AccountPicture picture;
    picture.mailboxes = TRY(mailboxes_of(store));
    std::uint64_t watched = 0;
    for (const storage::Mailbox& mailbox : picture.mailboxes) {
      if (!mailbox.exists || !registration_->events_of(mailbox).messages) continue;
      if (++watched > limit_) return failure(ErrorKind::limit, "Too many mailboxes to watch");
      if (mailbox.id == left_out_) continue;
      const storage::MailboxStatus status = TRY(store.status(mailbox.id));
      picture.states.emplace(mailbox.id, status);
    }
    return picture;
  }

 private:
  // All, unless a few that the client has named are all that matters: then a large account costs no more than a small.
  Result<std::vector<storage::Mailbox>> mailboxes_of(storage::AccountStore& store) const {
    const std::optional<std::set<MailboxName>> names = registration_->names_alone();
    if (!names || names->size() > looked_up_alone_max) return store.list_mailboxes();
    std::vector<storage::Mailbox> found;
    for (const MailboxName& name : *names) {
      auto mailbox = store.find_mailbox(name);
      if (!mailbox && mailbox.error().kind == ErrorKind::not_found) continue;
      found.push_back(TRY(std::move(mailbox)));
    }
    return found;
  }

  std::shared_ptr<const NotifyRegistration> registration_;
  MailboxId left_out_;
  std::uint64_t limit_;
};

MailboxId selected_id(const Context& context) { return context.selected ? context.selected->mailbox.id : MailboxId(); }

void write_name_notice(Context& context, const NameNotice& notice) {
  ListData data;
  if (!notice.mailbox.exists) data.attributes.emplace_back("\\NonExistent");
  if (notice.mailbox.subscribed) data.attributes.emplace_back("\\Subscribed");
  data.attributes.emplace_back(notice.has_children ? "\\HasChildren" : "\\HasNoChildren");
  if (notice.mailbox.special_use != SpecialUse::none) {
    data.attributes.emplace_back(to_wire(notice.mailbox.special_use));
  }
  data.separator = context.settings().mailbox.separator;
  data.mailbox = context.wire_name(notice.mailbox.name);
  if (notice.old_name) data.old_name = context.wire_name(*notice.old_name);
  Writer out = context.out();
  write_list(out, data);
}

// RFC 5465 §5.8: as if NOTIFY NONE had come.
void give_up(Context& context) {
  *context.notify = Notify();
  Writer out = context.out();
  write_untagged(out, Condition::ok, ResponseCode::notification_overflow(), "Too many mailboxes to watch");
}

server::Awaitable<Result<AccountPicture>> survey(Context& context,
                                                 std::shared_ptr<const NotifyRegistration> registration) {
  SurveyJob job(std::move(registration), selected_id(context), context.settings().imap.notify_mailboxes);
  return context.gateway().run(context.account, std::move(job));
}

// Has the folders of picture.states watched for other programs' changes, and those alone. A folder that was not watched
// is looked at once: what was put there before is news too. Whether there was any such.
server::Awaitable<bool> watch_folders(Context& context, Notify& notify) {
  for (auto folder = notify.folders.begin(); folder != notify.folders.end();) {
    folder = notify.picture.states.count(folder->first) == 0 ? notify.folders.erase(folder) : std::next(folder);
  }
  bool any = false;
  for (const auto& [id, status] : notify.picture.states) {
    if (notify.folders.count(id) != 0) continue;
    auto watch = co_await context.gateway().watch_folder(context.account, id);
    if (!watch) continue;  // it has just been deleted: the next survey tells
    notify.folders.emplace(id, std::move(*watch));
    (void)co_await context.gateway().refresh(context.account, id);
    any = true;
  }
  co_return any;
}

server::Awaitable<void> tell_others(Context& context) {
  const std::shared_ptr<const NotifyRegistration> registration = context.notify->registration;
  if (registration->rules.empty()) co_return;
  auto now = co_await survey(context, registration);
  if (!now) {
    if (now.error().kind == ErrorKind::limit) {
      give_up(context);
    } else {
      context.log.warn("notices_failed", {{"error", now.error().text}, {"detail", now.error().detail}});
    }
    co_return;
  }
  Notify& notify = *context.notify;
  expect_own(notify.picture, *now);
  const std::vector<NameNotice> names = name_notices(*registration, notify.picture, *now);
  const std::vector<StateNotice> states = state_notices(*registration, notify.picture, *now, context.enabled.condstore);
  notify.picture = std::move(*now);
  notify.selected = selected_id(context);
  for (const NameNotice& notice : names) {
    write_name_notice(context, notice);
    co_await context.flush_if_large();
  }
  for (const StateNotice& notice : states) {
    write_state_notice(context, notice, context.enabled.condstore);
    co_await context.flush_if_large();
  }
  // What a folder's first look finds is published, and so told the next time round.
  (void)co_await watch_folders(context, notify);
}

server::Awaitable<void> tell_selected(Context& context, ExpungeRule rule) {
  if (!context.selected) co_return;
  const bool told = co_await report_changes(context, rule);
  if (told && context.next == Next::read_command) write_settled(context);
}

}  // namespace

void write_state_notice(Context& context, const StateNotice& notice, bool modseq) {
  std::vector<StatusItem> items = {StatusItem::messages, StatusItem::uid_next, StatusItem::uid_validity};
  if (notice.flags) items.push_back(StatusItem::unseen);
  if (modseq) items.push_back(StatusItem::highest_modseq);
  FullStatus full;
  full.status = notice.status;
  write_mailbox_status(context, notice.mailbox, full, items);
}

server::Awaitable<Outcome> begin_notices(Context& context, Notify& notify) {
  if (notify.registration->empty()) co_return Outcome();
  notify.watch = context.services.hub.subscribe(context.account->user(), context.connection.executor());
  if (notify.registration->rules.empty()) co_return Outcome();
  for (bool complete = false; !complete;) {
    auto picture = co_await survey(context, notify.registration);
    if (!picture) co_return tl::unexpected<Error>(std::move(picture).error());
    notify.picture = std::move(*picture);
    const bool looked = co_await watch_folders(context, notify);
    complete = !looked;
  }
  notify.selected = selected_id(context);
  co_return Outcome();
}

server::Awaitable<void> push_notices(Context& context, ExpungeRule rule) {
  const std::shared_ptr<server::Watch> watch = context.notify->watch;
  // What the command before held back, and the mailbox that it selected or left.
  const bool held_back = context.selected && rule == ExpungeRule::allowed && !context.selected->view.ghosts().empty();
  if (context.selected && (context.selected->watch->take() || held_back)) co_await tell_selected(context, rule);
  if (context.notify->selected != selected_id(context)) co_await tell_others(context);
  while (context.next == Next::read_command) {
    co_await context.connection.flush();
    const server::Wake wake = co_await watch->wait();
    if (wake == server::Wake::stopped) co_return;
    // The selected mailbox has a mark of its own, which may come a moment later: so it is not asked.
    co_await tell_selected(context, rule);
    if (context.next == Next::read_command) co_await tell_others(context);
  }
  // The selected mailbox was deleted. The reader must not be interrupted, so the connection is what ends it.
  context.connection.request_end(server::Ending::aborted);
}

server::Awaitable<void> read_beside_notices(Context& context) {
  const ExpungeRule rule = context.notify->registration->expunges_delayed ? ExpungeRule::held : ExpungeRule::allowed;
  co_await context.connection.flush();  // before there is another writer
  std::string bytes;
  auto read = context.connection.read_some(bytes);
  const std::size_t count =
      co_await read_beside(context, context.notify->watch, push_notices(context, rule), std::move(read));
  if (count == 0) throw PeerLeft();
  context.framer.feed(bytes);
}

void note_own_created(Context& context, const storage::Mailbox& mailbox) {
  if (context.notify) make_own(context.notify->picture, mailbox.name);
}

void note_own_deleted(Context& context, const MailboxName& name) {
  if (context.notify) delete_own(context.notify->picture, name);
}

void note_own_renamed(Context& context, const MailboxName& from, const MailboxName& to) {
  if (context.notify) rename_own(context.notify->picture, from, to);
}

void note_own_subscription(Context& context, const MailboxName& name, bool subscribed) {
  if (context.notify) subscribe_own(context.notify->picture, name, subscribed);
}

void note_own_added(Context& context, MailboxId mailbox, const UidSet& uids) {
  if (!context.notify || uids.empty()) return;
  if (mailbox != selected_id(context)) return add_own(context.notify->picture, mailbox, uids);
  context.notify->own_added.add_all(uids);
  context.notify->own_change = true;
}

void note_own_seen(Context& context, const UidSet& uids) {
  if (!context.notify || uids.empty()) return;
  context.notify->own_seen.add_all(uids);
  context.notify->own_change = true;
}

void note_own_change(Context& context) {
  if (context.notify && context.selected) context.notify->own_change = true;
}

void note_left(Context& context) {
  Notify& notify = *context.notify;
  notify.own_change = false;
  notify.own_added = UidSet();
  notify.own_seen = UidSet();
  if (notify.registration->rules.empty()) return;
  const MailboxView& view = context.selected->view;
  storage::MailboxStatus told;
  told.messages = view.messages().count();
  told.unseen = told.messages - static_cast<std::uint32_t>(view.messages().uids_with(SystemFlag::seen).size());
  told.uid_next = view.messages().facts().uid_next;
  told.uid_validity = view.messages().facts().uid_validity;
  told.highest_modseq = view.settled_modseq();
  notify.picture.states[context.selected->mailbox.id] = told;
}

}  // namespace postkeep::imap
