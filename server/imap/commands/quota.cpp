// GETQUOTA and GETQUOTAROOT. RFC 9208. One quota root holds all of a user's mailboxes; it is set by the administrator
// (`postkeep quota set`).
#include <algorithm>
#include <utility>
#include <vector>

#include "protocol/imap/responses/quota.h"
#include "server/imap/commands/handlers.h"

namespace postkeep::imap {

namespace {

constexpr std::string_view root_name = "user";
constexpr std::uint64_t storage_unit = 1024;  // octets (RFC 9208 §5.1)

struct Held {
  storage::Quota quota;
  std::uint64_t mailboxes = 0;
};

class HeldJob {
 public:
  Result<Held> operator()(storage::AccountStore& store) const {
    Held held;
    held.quota = TRY(store.quota());
    const std::vector<storage::Mailbox> mailboxes = TRY(store.list_mailboxes());
    held.mailboxes = static_cast<std::uint64_t>(
        std::count_if(mailboxes.begin(), mailboxes.end(), [](const storage::Mailbox& box) { return box.exists; }));
    return held;
  }
};

std::vector<QuotaResource> resources_of(const Held& held, std::uint64_t mailboxes_max) {
  const storage::Quota& quota = held.quota;
  std::vector<QuotaResource> resources;
  if (quota.limits.octets) {
    const std::uint64_t used = (quota.used.octets + storage_unit - 1) / storage_unit;
    resources.push_back({"STORAGE", used, *quota.limits.octets / storage_unit});
  }
  if (quota.limits.messages) resources.push_back({"MESSAGE", quota.used.messages, *quota.limits.messages});
  resources.push_back({"MAILBOX", held.mailboxes, mailboxes_max});
  return resources;
}

server::Awaitable<Outcome> tell_quota(Context& context) {
  HeldJob job;
  auto held = co_await context.gateway().run(context.account, job);
  if (!held) co_return tl::unexpected<Error>(std::move(held).error());
  Writer out = context.out();
  write_quota(out, root_name, resources_of(*held, context.settings().limits.mailboxes));
  co_return Outcome();
}

}  // namespace

Answer run_get_quota(Context& context, GetQuotaArgs arguments) {
  if (arguments.root != root_name) co_return failure(ErrorKind::not_found, "No such quota root");
  const Outcome told = co_await tell_quota(context);
  if (!told) co_return tl::unexpected<Error>(told.error());
  co_return Completion("Quota told");
}

// The mailbox need not exist (RFC 9208 §4.1.2).
Answer run_get_quota_root(Context& context, MailboxArgs arguments) {
  const MailboxName name = CO_TRY(context.mailbox_name(arguments.mailbox));
  Writer out = context.out();
  write_quota_root(out, context.wire_name(name), root_name);
  const Outcome told = co_await tell_quota(context);
  if (!told) co_return tl::unexpected<Error>(told.error());
  co_return Completion("Quota told");
}

}  // namespace postkeep::imap
