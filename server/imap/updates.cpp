// See updates.h.
#include "server/imap/updates.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/base/seeded_fault.h"
#include "protocol/imap/responses/mailbox_data.h"
#include "server/imap/commands/fetch.h"
#include "server/imap/condstore.h"
#include "server/imap/mailbox_flags.h"

namespace postkeep::imap {

namespace {

// From the last to the first, so that each number is right when it is sent.
server::Awaitable<void> write_expunges(Context& context, std::vector<ViewReport::SeqRange> ranges) {
  while (!ranges.empty()) {
    const ViewReport::SeqRange range = ranges.back();
    ranges.pop_back();
    for (std::uint32_t number = range.last; number >= range.first; --number) {
      Writer out = context.out();
      write_expunge(out, SeqNum(seeded(Fault::expunge_numbers_rise) ? range.first + range.last - number : number));
      co_await context.flush_if_large();
    }
  }
}

server::Awaitable<void> write_expunged(Context& context, ViewReport& report) {
  context.selected->saved_result = context.selected->saved_result.subtract(report.expunged_uids);
  if (!context.enabled.qresync) {
    co_await write_expunges(context, std::move(report.expunged));
    co_return;
  }
  co_await write_vanished_lines(context, std::move(report.expunged_uids), Earlier::no);
}

// The only messages whose flags are told where NOTIFY does not ask for FlagChange: the client changed them itself.
// None: there is no such limit.
std::optional<UidSet> flags_told(const Context& context, const OwnStore* own) {
  if (!context.notify || context.notify->registration->selected.flags) return std::nullopt;
  UidSet told = context.notify->own_seen;
  if (own != nullptr) told = told.union_with(own->uids).union_with(own->refused);
  return told;
}

server::Awaitable<void> fetch_added(Context& context, UidSet added) {
  if (!context.notify) co_return;
  added = added.subtract(std::exchange(context.notify->own_added, UidSet()));
  if (added.empty() || context.notify->registration->selected.fetch.empty()) co_return;
  co_await fetch_new_messages(context, context.notify->registration->selected.fetch, std::move(added));
}

server::Awaitable<void> write_report(Context& context, ViewReport report) {
  const bool vanished = !report.expunged.empty() && context.enabled.qresync;
  if (!report.expunged.empty()) co_await write_expunged(context, report);
  Writer out = context.out();
  if (report.exists) write_exists(out, *report.exists);
  if (report.recent && !context.is_rev2()) write_recent(out, *report.recent);
  if (report.new_keywords) write_mailbox_flags(context);
  if (seeded(Fault::flags_forgotten)) report.changed = UidSet();
  if (!report.changed.empty()) co_await write_changes(context, std::move(report.changed), TellFlags::yes);
  if (context.enabled.condstore) co_await write_changes(context, std::move(report.silent), TellFlags::no);
  // VANISHED shows no modseq: without this the client would ask for the same again the next time.
  if (vanished) write_highest_modseq(context);
  co_await fetch_added(context, std::move(report.added));
}

// Does NOTIFY keep the changes of the selected mailbox from the client? Never those that it made itself.
bool keeps_still(const Context& context, const OwnStore* own) {
  if (!context.notify || context.notify->registration->selected.messages) return false;
  return own == nullptr && !context.notify->own_change;
}

// The newest version, and \Recent of messages that nobody has claimed yet, in one storage job.
struct News {
  storage::MailboxVersionPtr version;
  Uid recent_from;
};

class NewsJob {
 public:
  NewsJob(MailboxId mailbox, Uid known, ClaimRecent claim) : mailbox_(mailbox), known_(known), claim_(claim) {}

  Result<News> operator()(storage::AccountStore& store) const {
    News news;
    news.version = TRY(store.version(mailbox_));
    news.recent_from = news.version->facts().first_recent;
    if (claim_ == ClaimRecent::no || news.version->last_uid() <= known_) return news;
    news.recent_from = Uid(0);
    if (news.version->last_uid() >= news.version->facts().first_recent) {
      news.recent_from = TRY(store.claim_recent(mailbox_));
      news.version = TRY(store.version(mailbox_));
    }
    return news;
  }

 private:
  MailboxId mailbox_;
  Uid known_;
  ClaimRecent claim_;
};

void note_failure(Context& context, const Error& error) {
  if (error.kind == ErrorKind::not_found) {
    context.farewell = "The selected mailbox was deleted";
    context.next = Next::log_out;
    return;
  }
  // The client learns of the changes when they can be read again.
  context.log.warn("updates_failed", {{"error", error.text}, {"detail", error.detail}});
}

}  // namespace

server::Awaitable<void> send_updates(Context& context, ExpungeRule rule, const OwnStore* own) {
  const bool held_back = rule == ExpungeRule::allowed && !context.selected->view.ghosts().empty();
  const bool marked = context.selected->watch->take();
  if (marked || held_back || own != nullptr) co_await report_changes(context, rule, own);
}

server::Awaitable<bool> report_changes(Context& context, ExpungeRule rule, const OwnStore* own) {
  Selected& selected = *context.selected;
  if (keeps_still(context, own)) {
    const auto version = co_await context.gateway().version(context.account, selected.mailbox.id);
    if (!version) note_failure(context, version.error());
    co_return false;
  }
  const bool claims = selected.access == Access::read_write && !context.is_rev2();
  const Uid known = selected.view.messages().last_uid();
  NewsJob job(selected.mailbox.id, known, claims ? ClaimRecent::yes : ClaimRecent::no);
  auto news = co_await context.gateway().run(context.account, std::move(job));
  if (!news) {
    note_failure(context, news.error());
    co_return false;
  }
  const Uid recent_from = context.is_rev2() ? Uid(0) : news->recent_from;
  const std::optional<UidSet> told = flags_told(context, own);
  ViewReport report = selected.view.apply(std::move(news->version), rule, recent_from, own, told ? &*told : nullptr);
  if (context.notify) {
    context.notify->own_change = false;
    context.notify->own_seen = UidSet();
  }
  const bool tells = !report.empty();
  co_await write_report(context, std::move(report));
  co_return tells;
}

void write_settled(Context& context) {
  const MailboxView& view = context.selected->view;
  const bool behind = !view.ghosts().empty() || !view.withheld().empty();
  if (context.enabled.condstore && behind) write_highest_modseq(context);
}

}  // namespace postkeep::imap
