// STATUS. RFC 9051 §6.3.11, RFC 3501 §6.3.10, RFC 8438 (SIZE), RFC 8474 §4.3, RFC 7889 §4,
// RFC 9208 §4.1.4 (DELETED-STORAGE). See status.h.
#include "server/imap/commands/status.h"

#include <algorithm>
#include <utility>

#include "protocol/base/seeded_fault.h"
#include "protocol/imap/responses/status.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/condstore.h"

namespace postkeep::imap {

namespace {

constexpr std::uint64_t size_batch = 500;  // so that no job holds the account for long

bool asks_for(const std::vector<StatusItem>& items, StatusItem item) {
  return std::find(items.begin(), items.end(), item) != items.end();
}

// What EXPUNGE would give back: the only item that costs time, in proportion to the messages that have \Deleted.
server::Awaitable<Result<std::uint64_t>> octets_of_deleted(Context& context, MailboxId mailbox) {
  auto version = co_await context.gateway().version(context.account, mailbox);
  if (!version) co_return tl::unexpected<Error>(std::move(version).error());
  UidSet left = (*version)->uids_with(SystemFlag::deleted);
  storage::FetchWants wants;
  wants.size = true;
  std::uint64_t octets = 0;
  while (!left.empty()) {
    UidSet batch = first_of(left, size_batch);
    left = left.subtract(batch);
    const auto rows = co_await context.gateway().fetch(context.account, mailbox, std::move(batch), wants);
    if (!rows) co_return tl::unexpected<Error>(rows.error());
    for (const storage::MessageRow& row : *rows) octets += row.size;
  }
  co_return octets;
}

StatusValue value_of(const Context& context, const storage::Mailbox& mailbox, const FullStatus& full, StatusItem item) {
  const storage::MailboxStatus& status = full.status;
  StatusValue value;
  value.item = item;
  switch (item) {
    case StatusItem::messages:
      value.value = std::uint64_t{status.messages};
      break;
    case StatusItem::uid_next:
      value.value = std::uint64_t{status.uid_next.value()};
      break;
    case StatusItem::uid_validity:
      value.value = std::uint64_t{status.uid_validity.value()};
      break;
    case StatusItem::unseen:
      value.value = std::uint64_t{status.unseen};
      break;
    case StatusItem::deleted:
      value.value = std::uint64_t{status.deleted};
      break;
    case StatusItem::size:
      value.value = seeded(Fault::status_size_zero) ? 0 : status.size;
      break;
    case StatusItem::recent:
      value.value = std::uint64_t{status.recent};
      break;
    case StatusItem::highest_modseq:
      value.value = status.highest_modseq.value();
      break;
    case StatusItem::mailbox_id:
      value.value = mailbox.id;
      break;
    case StatusItem::append_limit:
      value.value = context.settings().limits.message_size;
      break;
    case StatusItem::deleted_storage:
      value.value = full.deleted_octets;
      break;
  }
  return value;
}

}  // namespace

void accept_status_items(Context& context, const std::vector<StatusItem>& items) {
  if (asks_for(items, StatusItem::highest_modseq)) enable_condstore(context);
}

server::Awaitable<Result<FullStatus>> load_status(Context& context, MailboxId mailbox, std::vector<StatusItem> items) {
  auto status = co_await context.gateway().status(context.account, mailbox);
  if (!status) co_return tl::unexpected<Error>(std::move(status).error());
  FullStatus full;
  full.status = *status;
  if (!asks_for(items, StatusItem::deleted_storage) || full.status.deleted == 0) co_return full;
  auto octets = co_await octets_of_deleted(context, mailbox);
  if (!octets) co_return tl::unexpected<Error>(std::move(octets).error());
  full.deleted_octets = *octets;
  co_return full;
}

void write_mailbox_status(Context& context, const storage::Mailbox& mailbox, const FullStatus& status,
                          const std::vector<StatusItem>& items) {
  std::vector<StatusValue> values;
  for (const StatusItem item : items) values.push_back(value_of(context, mailbox, status, item));
  Writer out = context.out();
  write_status(out, context.wire_name(mailbox.name), values);
}

Answer run_status(Context& context, StatusArgs arguments) {
  accept_status_items(context, arguments.items);
  auto name = context.mailbox_name(arguments.mailbox);
  if (!name) co_return tl::unexpected<Error>(std::move(name).error());
  auto mailbox = co_await context.gateway().find_mailbox(context.account, std::move(*name));
  if (!mailbox) co_return tl::unexpected<Error>(std::move(mailbox).error());
  // Other programs' deliveries count too; folders that nobody watches are looked at here.
  const Outcome refreshed = co_await context.gateway().refresh(context.account, mailbox->id);
  if (!refreshed) co_return tl::unexpected<Error>(refreshed.error());
  auto status = co_await load_status(context, mailbox->id, arguments.items);
  if (!status) co_return tl::unexpected<Error>(std::move(status).error());
  write_mailbox_status(context, *mailbox, *status, arguments.items);
  co_return Completion("Status told");
}

}  // namespace postkeep::imap
