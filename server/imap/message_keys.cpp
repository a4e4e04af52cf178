// See message_keys.h.
#include "server/imap/message_keys.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/message_facts.h"

namespace postkeep::imap {

namespace {

constexpr std::uint64_t key_row_batch = 500;     // rows that a storage job reads
constexpr std::uint64_t key_header_batch = 100;  // likewise with headers; a file of each may be open

struct KeyMessage {
  std::uint32_t number = 0;
  storage::MessageRow row;
  std::shared_ptr<storage::MessageReader> reader;  // where the header is wanted and the row has it not
};

class ReadRowsJob {
 public:
  ReadRowsJob(MailboxId mailbox, UidSet uids, storage::FetchWants wants)
      : mailbox_(mailbox), uids_(std::move(uids)), wants_(wants) {}

  Result<std::vector<KeyMessage>> operator()(storage::AccountStore& store) const {
    std::vector<KeyMessage> messages;
    for (storage::MessageRow& row : TRY(store.fetch(mailbox_, uids_, wants_))) {
      KeyMessage message;
      if (wants_.headers && !row.cached_headers) {
        Result<std::unique_ptr<storage::MessageReader>> reader = store.open_message(mailbox_, row.uid);
        if (!reader && reader.error().kind == ErrorKind::expunge_issued) continue;
        message.reader = TRY(std::move(reader));
      }
      message.row = std::move(row);
      messages.push_back(std::move(message));
    }
    return messages;
  }

 private:
  MailboxId mailbox_;
  UidSet uids_;
  storage::FetchWants wants_;
};

// The caller waits for it, so that it may work on the caller's own vector and sink.
class AddKeysJob {
 public:
  AddKeysJob(std::vector<KeyMessage>& messages, MessageKeySink& sink) : messages_(messages), sink_(sink) {}

  Result<bool> operator()() const {
    for (KeyMessage& message : messages_) {
      if (message.reader) message.row.cached_headers = TRY(storage::read_header_block(*message.reader));
      message.reader.reset();
      sink_.add(message.number, message.row, mime::read_header(message.row.cached_headers.value_or("")));
    }
    return true;
  }

 private:
  std::vector<KeyMessage>& messages_;
  MessageKeySink& sink_;
};

// As the client counts.
void set_numbers(const Context& context, std::vector<KeyMessage>& messages) {
  for (KeyMessage& message : messages) {
    message.number = message.row.uid.value();
    if (context.uid_form == UidForm::yes) continue;
    const std::optional<SeqNum> number = context.selected->view.messages().seq_of(message.row.uid);
    message.number = number ? number->value() : 0;
  }
  std::erase_if(messages, [](const KeyMessage& message) { return message.number == 0; });
}

}  // namespace

server::Awaitable<Outcome> read_message_keys(Context& context, UidSet uids, storage::FetchWants wants,
                                             MessageKeySink& sink) {
  while (!uids.empty()) {
    UidSet batch = first_of(uids, wants.headers ? key_header_batch : key_row_batch);
    uids = uids.subtract(batch);
    ReadRowsJob rows_job(context.selected->mailbox.id, std::move(batch), wants);
    auto messages = co_await context.gateway().run(context.account, std::move(rows_job));
    if (!messages) co_return tl::unexpected<Error>(std::move(messages).error());
    set_numbers(context, *messages);
    AddKeysJob keys_job(*messages, sink);
    auto added = co_await context.gateway().run_beside(std::move(keys_job));
    if (!added) co_return tl::unexpected<Error>(std::move(added).error());
    if (context.connection.ending() != server::Ending::none) {
      co_return failure(ErrorKind::unavailable, "The server is shutting down");
    }
  }
  co_return Outcome();
}

}  // namespace postkeep::imap
