// GETQUOTA, GETQUOTAROOT and SETQUOTA. RFC 9208. One quota root holds all of a user's mailboxes. Its limits are set by
// the administrator (`postkeep quota set`), or by a user who is one by the configuration (imap.quota_admins).
#include <algorithm>
#include <utility>
#include <vector>

#include "auth/user_name.h"
#include "protocol/imap/responses/quota.h"
#include "server/imap/commands/handlers.h"

namespace postkeep::imap {

namespace {

constexpr std::string_view own_root = "user";
constexpr std::string_view root_prefix = "user/";  // of everybody's root, to those who may ask for it
constexpr std::uint64_t storage_unit = 1024;       // octets (RFC 9208 §5.1)

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

// Sets the account's own limits; returns those before.
class SetQuotaJob {
 public:
  explicit SetQuotaJob(storage::QuotaLimits own) : own_(own) {}
  Result<storage::QuotaLimits> operator()(storage::AccountStore& store) const {
    const storage::QuotaLimits before = TRY(store.quota()).own;
    if (!(own_ == before)) TRY(store.set_quota(own_));
    return before;
  }

 private:
  storage::QuotaLimits own_;
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

// `root` is as the client wrote it.
server::Awaitable<Outcome> tell_quota(Context& context, server::AccountPtr account, std::string root) {
  HeldJob job;
  auto held = co_await context.gateway().run(std::move(account), job);
  if (!held) co_return tl::unexpected<Error>(std::move(held).error());
  Writer out = context.out();
  write_quota(out, root, resources_of(*held, context.settings().limits.mailboxes));
  co_return Outcome();
}

// Whose root it is. Who may not ask for that of another user is told nothing of whether there is one (RFC 9208 §8).
// Errors: not_found.
server::Awaitable<Result<server::AccountPtr>> find_quota_root(Context& context, std::string root) {
  const Error none(ErrorKind::not_found, "No such quota root");
  if (root == own_root) co_return context.account;
  if (!is_quota_admin(context) || !root.starts_with(root_prefix)) co_return tl::unexpected<Error>(none);
  const std::string name = root.substr(root_prefix.size());
  auto found = co_await context.services.auth.resolve_recipient(name);
  if (!found) co_return tl::unexpected<Error>(found.error().kind == ErrorKind::not_found ? none : found.error());
  // Addresses find their user too, with a detail or a domain of ours; they are no names of roots.
  if (auth::user_key(found->user) != auth::user_key(name)) co_return tl::unexpected<Error>(none);
  co_return context.gateway().account(found->user);
}

// The bounds of `postkeep quota set`. 0, which lets nobody use anything, cannot be kept: it is storage's "no limit".
Result<std::uint64_t> limit_within(const ResourceLimit& wanted, std::uint64_t max) {
  if (wanted.limit >= 1 && wanted.limit <= max) return wanted.limit;
  return failure(ErrorKind::cannot,
                 "The limit of " + wanted.resource + " is a number from 1 to " + std::to_string(max));
}

// As storage keeps what SETQUOTA asks for: what it does not name has no limit from now on, that of the configuration
// neither (RFC 9208 §4.1.3). Errors: cannot.
Result<storage::QuotaLimits> own_limits_of(const std::vector<ResourceLimit>& resources, std::uint64_t mailboxes_max) {
  storage::QuotaLimits own;
  own.octets = 0;
  own.messages = 0;
  for (const ResourceLimit& wanted : resources) {
    if (wanted.resource == "STORAGE") {
      own.octets = TRY(limit_within(wanted, quota_storage_max / storage_unit)) * storage_unit;
    } else if (wanted.resource == "MESSAGE") {
      own.messages = TRY(limit_within(wanted, quota_messages_max));
    } else if (wanted.resource != "MAILBOX") {
      return failure(ErrorKind::cannot, "There is no such resource here");
    } else if (wanted.limit != mailboxes_max) {  // a client may give back what it was told
      return failure(ErrorKind::cannot, "The limit of MAILBOX is the same for all users");
    }
  }
  return own;
}

// In the words of `postkeep quota set`.
std::string logged_limit(std::optional<std::uint64_t> limit) {
  if (!limit) return "default";
  return *limit == 0 ? "none" : std::to_string(*limit);
}

server::Awaitable<Outcome> set_quota(Context& context, server::AccountPtr account, storage::QuotaLimits own) {
  SetQuotaJob job(own);
  auto before = co_await context.gateway().run(account, job);
  if (!before) co_return tl::unexpected<Error>(std::move(before).error());
  context.log.info("quota_set", {{"on", account->user()},
                                 {"octets", logged_limit(own.octets)},
                                 {"messages", logged_limit(own.messages)},
                                 {"octets_before", logged_limit(before->octets)},
                                 {"messages_before", logged_limit(before->messages)}});
  co_return Outcome();
}

}  // namespace

bool is_quota_admin(const Context& context) {
  const std::vector<std::string>& admins = context.settings().imap.quota_admins;
  if (!context.account || admins.empty()) return false;
  const std::string user = auth::user_key(context.account->user());
  return std::any_of(admins.begin(), admins.end(),
                     [&](const std::string& admin) { return auth::user_key(admin) == user; });
}

Answer run_get_quota(Context& context, GetQuotaArgs arguments) {
  auto account = co_await find_quota_root(context, arguments.root);
  if (!account) co_return tl::unexpected<Error>(std::move(account).error());
  const Outcome told = co_await tell_quota(context, *account, arguments.root);
  if (!told) co_return tl::unexpected<Error>(told.error());
  co_return Completion("Quota told");
}

// The mailbox need not exist (RFC 9208 §4.1.2).
Answer run_get_quota_root(Context& context, MailboxArgs arguments) {
  const MailboxName name = CO_TRY(context.mailbox_name(arguments.mailbox));
  Writer out = context.out();
  write_quota_root(out, context.wire_name(name), own_root);
  const Outcome told = co_await tell_quota(context, context.account, std::string(own_root));
  if (!told) co_return tl::unexpected<Error>(told.error());
  co_return Completion("Quota told");
}

Answer run_set_quota(Context& context, SetQuotaArgs arguments) {
  if (!is_quota_admin(context)) co_return failure(ErrorKind::no_permission, "You may not set limits");
  const storage::QuotaLimits own = CO_TRY(own_limits_of(arguments.resources, context.settings().limits.mailboxes));
  auto account = co_await find_quota_root(context, arguments.root);
  if (!account) co_return tl::unexpected<Error>(std::move(account).error());
  const Outcome set = co_await set_quota(context, *account, own);
  if (!set) co_return tl::unexpected<Error>(set.error());
  const Outcome told = co_await tell_quota(context, *account, arguments.root);
  if (!told) co_return tl::unexpected<Error>(told.error());
  co_return Completion("Limits set");
}

}  // namespace postkeep::imap
