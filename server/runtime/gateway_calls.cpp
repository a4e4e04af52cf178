// Gateway's calls, each one job: the account's on its strand, those of open files beside it.
#include <utility>

#include "server/metrics/metrics.h"
#include "server/runtime/gateway.h"

namespace postkeep::server {

using storage::AccountStore;

Awaitable<Result<std::vector<storage::Mailbox>>> Gateway::list_mailboxes(AccountPtr account) {
  return run(std::move(account), [](AccountStore& store) { return store.list_mailboxes(); });
}

Awaitable<Result<storage::Mailbox>> Gateway::find_mailbox(AccountPtr account, MailboxName name) {
  return run(std::move(account), [name = std::move(name)](AccountStore& store) { return store.find_mailbox(name); });
}

Awaitable<Result<storage::Mailbox>> Gateway::create_mailbox(AccountPtr account, MailboxName name,
                                                            SpecialUse special_use) {
  return run(std::move(account), [name = std::move(name), special_use](AccountStore& store) {
    return store.create_mailbox(name, special_use);
  });
}

Awaitable<Outcome> Gateway::delete_mailbox(AccountPtr account, MailboxName name) {
  return run(std::move(account), [name = std::move(name)](AccountStore& store) { return store.delete_mailbox(name); });
}

Awaitable<Outcome> Gateway::rename_mailbox(AccountPtr account, MailboxName from, MailboxName to) {
  return run(std::move(account), [from = std::move(from), to = std::move(to)](AccountStore& store) {
    return store.rename_mailbox(from, to);
  });
}

Awaitable<Outcome> Gateway::subscribe(AccountPtr account, MailboxName name) {
  return run(std::move(account), [name = std::move(name)](AccountStore& store) { return store.subscribe(name); });
}

Awaitable<Outcome> Gateway::unsubscribe(AccountPtr account, MailboxName name) {
  return run(std::move(account), [name = std::move(name)](AccountStore& store) { return store.unsubscribe(name); });
}

Awaitable<Outcome> Gateway::ensure_default_mailboxes(AccountPtr account,
                                                     std::vector<std::pair<MailboxName, SpecialUse>> wanted) {
  return run(std::move(account),
             [wanted = std::move(wanted)](AccountStore& store) { return store.ensure_default_mailboxes(wanted); });
}

Awaitable<Result<storage::MailboxStatus>> Gateway::status(AccountPtr account, MailboxId mailbox) {
  return run(std::move(account), [mailbox](AccountStore& store) { return store.status(mailbox); });
}

Awaitable<Result<storage::MailboxVersionPtr>> Gateway::version(AccountPtr account, MailboxId mailbox) {
  return run(std::move(account), [mailbox](AccountStore& store) { return store.version(mailbox); });
}

Awaitable<Result<Uid>> Gateway::claim_recent(AccountPtr account, MailboxId mailbox) {
  return run(std::move(account), [mailbox](AccountStore& store) { return store.claim_recent(mailbox); });
}

Awaitable<Outcome> Gateway::refresh(AccountPtr account, MailboxId mailbox) {
  return run(std::move(account), [mailbox](AccountStore& store) { return store.refresh(mailbox); });
}

Awaitable<Result<UidSet>> Gateway::expunged_since(AccountPtr account, MailboxId mailbox, ModSeq since) {
  return run(std::move(account),
             [mailbox, since](AccountStore& store) { return store.expunged_since(mailbox, since); });
}

Awaitable<Result<storage::AppendResult>> Gateway::append(AccountPtr account, MailboxId mailbox,
                                                         std::vector<storage::AppendItem> items) {
  return run(std::move(account),
             [mailbox, items = std::move(items)](AccountStore& store) -> Result<storage::AppendResult> {
               auto appended = store.append(mailbox, items);
               if (appended) metrics().messages_appended.add(items.size());
               return appended;
             });
}

Awaitable<Result<storage::AppendResult>> Gateway::replace(AccountPtr account, MailboxId from, Uid uid, MailboxId to,
                                                          storage::AppendItem item) {
  return run(std::move(account),
             [from, uid, to, item = std::move(item)](AccountStore& store) -> Result<storage::AppendResult> {
               auto appended = store.replace(from, uid, to, item);
               if (appended) metrics().messages_appended.add();
               if (appended) metrics().messages_expunged.add();
               return appended;
             });
}

Awaitable<Result<std::vector<storage::MessageRow>>> Gateway::fetch(AccountPtr account, MailboxId mailbox, UidSet uids,
                                                                   storage::FetchWants wants) {
  return run(std::move(account), [mailbox, uids = std::move(uids), wants](AccountStore& store) {
    return store.fetch(mailbox, uids, wants);
  });
}

Awaitable<Result<std::shared_ptr<storage::MessageReader>>> Gateway::open_message(AccountPtr account, MailboxId mailbox,
                                                                                 Uid uid) {
  using Shared = std::shared_ptr<storage::MessageReader>;
  return run(std::move(account), [mailbox, uid](AccountStore& store) -> Result<Shared> {
    return Shared(TRY(store.open_message(mailbox, uid)));
  });
}

Awaitable<Result<storage::StoreResult>> Gateway::store_flags(AccountPtr account, MailboxId mailbox, UidSet uids,
                                                             FlagChange change, Flags flags,
                                                             std::optional<ModSeq> unchanged_since) {
  return run(std::move(account),
             [mailbox, uids = std::move(uids), change, flags = std::move(flags), unchanged_since](AccountStore& store) {
               return store.store_flags(mailbox, uids, change, flags, unchanged_since);
             });
}

Awaitable<Result<storage::CopyResult>> Gateway::copy(AccountPtr account, MailboxId from, UidSet uids, MailboxId to) {
  return run(std::move(account),
             [from, uids = std::move(uids), to](AccountStore& store) { return store.copy(from, uids, to); });
}

Awaitable<Result<storage::CopyResult>> Gateway::move(AccountPtr account, MailboxId from, UidSet uids, MailboxId to) {
  return run(std::move(account),
             [from, uids = std::move(uids), to](AccountStore& store) { return store.move(from, uids, to); });
}

Awaitable<Result<UidSet>> Gateway::expunge(AccountPtr account, MailboxId mailbox, UidSet uids) {
  return run(std::move(account), [mailbox, uids = std::move(uids)](AccountStore& store) -> Result<UidSet> {
    auto gone = store.expunge(mailbox, uids);
    if (gone) metrics().messages_expunged.add(gone->size());
    return gone;
  });
}

Awaitable<Result<UidSet>> Gateway::search(AccountPtr account, MailboxId mailbox, SearchKey key, UidSet candidates) {
  return run(std::move(account), [mailbox, key = std::move(key), candidates = std::move(candidates)](
                                     AccountStore& store) { return store.search(mailbox, key, candidates); });
}

Awaitable<Result<std::shared_ptr<storage::Incoming>>> Gateway::begin_incoming(std::uint64_t limit) {
  return run_beside([this, limit] { return mail_.begin_incoming(limit); });
}

// Up to finish(), without it.
Gateway::TakenMessage Gateway::write_whole(std::uint64_t limit, const WholeMessage& message) {
  std::shared_ptr<storage::Incoming> incoming = TRY(mail_.begin_incoming(limit));
  TRY(incoming->write(message.bytes));
  if (message.parts == BinaryParts::encode) TRY(incoming->encode_binary_parts());
  if (message.internal_date) incoming->set_internal_date(*message.internal_date);
  return incoming;
}

Awaitable<Gateway::TakenMessage> Gateway::take_incoming(std::uint64_t limit, WholeMessage message) {
  return run_beside([this, limit, message = std::move(message)]() -> TakenMessage {
    std::shared_ptr<storage::Incoming> incoming = TRY(write_whole(limit, message));
    TRY(incoming->finish());
    return incoming;
  });
}

Awaitable<std::vector<Gateway::TakenMessage>> Gateway::take_incoming(std::uint64_t limit,
                                                                     std::vector<WholeMessage> messages) {
  return run_beside([this, limit, messages = std::move(messages)] {
    std::vector<TakenMessage> taken;
    std::vector<std::shared_ptr<storage::Incoming>> written;
    for (const WholeMessage& message : messages) {
      taken.push_back(write_whole(limit, message));
      if (taken.back()) written.push_back(*taken.back());
    }
    const std::vector<Outcome> finished = mail_.finish_together(written);
    auto outcome = finished.begin();
    for (TakenMessage& message : taken) {
      if (!message) continue;
      if (!*outcome) message = tl::unexpected<Error>(outcome->error());
      ++outcome;
    }
    return taken;
  });
}

Awaitable<Outcome> Gateway::write(std::shared_ptr<storage::Incoming> incoming, std::string bytes) {
  return run_beside([incoming = std::move(incoming), bytes = std::move(bytes)] { return incoming->write(bytes); });
}

Awaitable<Outcome> Gateway::encode_binary_parts(std::shared_ptr<storage::Incoming> incoming) {
  return run_beside([incoming = std::move(incoming)] { return incoming->encode_binary_parts(); });
}

Awaitable<Outcome> Gateway::finish(std::shared_ptr<storage::Incoming> incoming) {
  return run_beside([incoming = std::move(incoming)] { return incoming->finish(); });
}

Awaitable<Result<std::string>> Gateway::read(std::shared_ptr<storage::MessageReader> reader, std::uint64_t offset,
                                             std::size_t count) {
  return run_beside([reader = std::move(reader), offset, count]() -> Result<std::string> {
    std::string bytes;
    TRY(reader->read(offset, count, bytes));
    metrics().fetched_octets.add(bytes.size());
    return bytes;
  });
}

}  // namespace postkeep::server
