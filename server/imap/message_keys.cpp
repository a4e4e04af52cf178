// See message_keys.h.
#include "server/imap/message_keys.h"

#include <utility>

namespace postkeep::imap {

namespace {

class ReadKeysJob {
 public:
  ReadKeysJob(MailboxId mailbox, UidSet uids, std::vector<storage::Column> columns)
      : mailbox_(mailbox), uids_(std::move(uids)), columns_(std::move(columns)) {}

  Result<storage::MessageKeys> operator()(storage::AccountStore& store) const {
    return store.message_keys(mailbox_, uids_, columns_);
  }

 private:
  MailboxId mailbox_;
  UidSet uids_;
  std::vector<storage::Column> columns_;
};

}  // namespace

server::Awaitable<Result<std::vector<storage::MessageKeys>>> read_message_keys(Context& context, UidSet uids,
                                                                               std::vector<storage::Column> columns) {
  std::vector<storage::MessageKeys> keys;
  while (!uids.empty()) {
    ReadKeysJob job(context.selected->mailbox.id, uids, columns);
    auto part = co_await context.gateway().run(context.account, std::move(job));
    if (!part) co_return tl::unexpected<Error>(std::move(part).error());
    uids = uids.subtract(part->uids);
    keys.push_back(std::move(*part));
    if (context.connection.ending() != server::Ending::none) {
      co_return failure(ErrorKind::unavailable, "The server is shutting down");
    }
  }
  co_return keys;
}

}  // namespace postkeep::imap
