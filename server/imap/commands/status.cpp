// STATUS. RFC 9051 §6.3.11, RFC 3501 §6.3.10, RFC 8438 (SIZE), RFC 8474 §4.3, RFC 7889 §4. See status.h.
#include "server/imap/commands/status.h"

#include <algorithm>
#include <utility>

#include "protocol/imap/responses/status.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/condstore.h"

namespace postkeep::imap {

namespace {

StatusValue value_of(const Context& context, const storage::Mailbox& mailbox, const storage::MailboxStatus& status,
                     StatusItem item) {
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
      value.value = status.size;
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
      value.value = std::uint64_t{0};
      break;  // refused by accept_status_items()
  }
  return value;
}

}  // namespace

Outcome accept_status_items(Context& context, const std::vector<StatusItem>& items) {
  for (const StatusItem item : items) {
    if (item == StatusItem::deleted_storage) return failure(ErrorKind::bad_syntax, "STATUS item not supported");
  }
  if (std::find(items.begin(), items.end(), StatusItem::highest_modseq) != items.end()) enable_condstore(context);
  return {};
}

void write_mailbox_status(Context& context, const storage::Mailbox& mailbox, const storage::MailboxStatus& status,
                          const std::vector<StatusItem>& items) {
  std::vector<StatusValue> values;
  for (const StatusItem item : items) values.push_back(value_of(context, mailbox, status, item));
  Writer out = context.out();
  write_status(out, context.wire_name(mailbox.name), values);
}

Answer run_status(Context& context, StatusArgs arguments) {
  CO_TRY(accept_status_items(context, arguments.items));
  auto name = context.mailbox_name(arguments.mailbox);
  if (!name) co_return tl::unexpected<Error>(std::move(name).error());
  auto mailbox = co_await context.gateway().find_mailbox(context.account, std::move(*name));
  if (!mailbox) co_return tl::unexpected<Error>(std::move(mailbox).error());
  // Other programs' deliveries count too; folders that nobody watches are looked at here.
  const Outcome refreshed = co_await context.gateway().refresh(context.account, mailbox->id);
  if (!refreshed) co_return tl::unexpected<Error>(refreshed.error());
  auto status = co_await context.gateway().status(context.account, mailbox->id);
  if (!status) co_return tl::unexpected<Error>(std::move(status).error());
  write_mailbox_status(context, *mailbox, *status, arguments.items);
  co_return Completion("Status told");
}

}  // namespace postkeep::imap
