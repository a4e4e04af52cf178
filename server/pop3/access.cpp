#include "server/pop3/access.h"

#include <utility>
#include <vector>

#include "server/metrics/metrics.h"

namespace postkeep::pop3 {

namespace {

constexpr std::uint64_t row_batch = 500;      // messages a job reads rows of
constexpr std::uint64_t change_batch = 1000;  // messages a job marks or removes

struct Inbox {
  storage::Mailbox mailbox;
  storage::MailboxVersionPtr version;
};

Result<Inbox> open_inbox(storage::AccountStore& store) {
  Inbox inbox;
  inbox.mailbox = TRY(store.find_mailbox(MailboxName::inbox()));
  TRY(store.refresh(inbox.mailbox.id));
  inbox.version = TRY(store.version(inbox.mailbox.id));
  return inbox;
}

// Marked and removed in one job, so that nothing of anybody else's comes between.
class DeleteJob {
 public:
  DeleteJob(MailboxId mailbox, UidSet uids) : mailbox_(mailbox), uids_(std::move(uids)) {}

  Outcome operator()(storage::AccountStore& store) const {
    Flags deleted;
    deleted.set(SystemFlag::deleted);
    TRY(store.store_flags(mailbox_, uids_, FlagChange::add, deleted));
    const UidSet gone = TRY(store.expunge(mailbox_, uids_));
    server::metrics().messages_expunged.add(gone.size());
    return {};
  }

 private:
  MailboxId mailbox_;
  UidSet uids_;
};

}  // namespace

server::Awaitable<Result<std::unique_ptr<Maildrop>>> open_maildrop(server::Gateway& gateway, server::AccountPtr account,
                                                                   UidlFormat uidl_format) {
  auto opened = co_await gateway.run(account, open_inbox);
  const Inbox inbox = CO_TRY(std::move(opened));
  const MailboxId mailbox = inbox.mailbox.id;
  auto maildrop = std::make_unique<Maildrop>(mailbox, inbox.version->facts().uid_validity, std::move(uidl_format));
  storage::FetchWants wants;
  wants.size = true;
  wants.line_end = true;
  UidSet left = inbox.version->all_uids();
  while (!left.empty()) {
    UidSet batch = first_of(left, row_batch);
    left = left.subtract(batch);
    auto rows = co_await gateway.fetch(account, mailbox, std::move(batch), wants);
    if (!rows) co_return tl::unexpected<Error>(std::move(rows).error());
    for (const storage::MessageRow& row : *rows) maildrop->add(row);
  }
  co_return std::move(maildrop);
}

server::Awaitable<Outcome> delete_messages(server::Gateway& gateway, server::AccountPtr account, MailboxId mailbox,
                                           UidSet uids) {
  while (!uids.empty()) {
    UidSet batch = first_of(uids, change_batch);
    uids = uids.subtract(batch);
    DeleteJob job(mailbox, std::move(batch));
    Outcome done = co_await gateway.run(account, std::move(job));
    if (!done) co_return done;
  }
  co_return Outcome();
}

server::Awaitable<Outcome> add_flags(server::Gateway& gateway, server::AccountPtr account, MailboxId mailbox,
                                     UidSet uids, Flags flags) {
  while (!uids.empty()) {
    UidSet batch = first_of(uids, change_batch);
    uids = uids.subtract(batch);
    auto stored = co_await gateway.store_flags(account, mailbox, std::move(batch), FlagChange::add, flags);
    if (!stored) co_return tl::unexpected<Error>(std::move(stored).error());
  }
  co_return Outcome();
}

}  // namespace postkeep::pop3
