#include "server/mta/maps.h"

#include <algorithm>
#include <array>
#include <utility>

namespace postkeep::server {
namespace {

using socketmap::Answer;
using socketmap::Status;

// MTAs look up more than addresses: "@example.org" for all of a domain, "alice@", "example.org". Those are nobody's.
bool is_part_of_address(std::string_view key) { return key.starts_with('@') || key.ends_with('@'); }

Answer lookup_failed(SessionContext& context, std::string_view map, const Error& error) {
  context.logger.error("map_lookup_failed", {{"map", map}, {"reason", error.detail}});
  return Answer(Status::temp, "Cannot look the address up, try again later");
}

// Whose an address is, as at LMTP's RCPT: details, own domains and aliases included.
Awaitable<Result<auth::RecipientSet>> resolve_key(SessionContext& context, std::string key) {
  if (is_part_of_address(key)) co_return failure(ErrorKind::not_found, "Not an address");
  co_return co_await context.services.auth.resolve_recipients(std::move(key));
}

Awaitable<Answer> look_up_user(SessionContext& context, std::string key) {
  const auto found = co_await resolve_key(context, std::move(key));
  if (!found && found.error().kind == ErrorKind::not_found) co_return Answer();
  if (!found) co_return lookup_failed(context, "users", found.error());
  std::string users;
  for (const auth::Recipient& recipient : found->recipients) users += (users.empty() ? "" : ",") + recipient.user;
  co_return Answer(Status::ok, std::move(users));
}

// A named function, so that the job is away from co_await.
Awaitable<Result<storage::Quota>> quota_of(Gateway& gateway, const std::string& user) {
  return gateway.run(gateway.account(user), [](storage::AccountStore& store) { return store.quota(); });
}

// The smallest message finds no room any more.
bool is_full(const storage::Quota& quota) {
  storage::QuotaUsage least;
  least.octets = least.messages = 1;
  return !storage::check_room(quota.limits, quota.used, least);
}

Awaitable<Answer> look_up_quota(SessionContext& context, std::string key) {
  const auto found = co_await resolve_key(context, std::move(key));
  if (!found && found.error().kind == ErrorKind::not_found) co_return Answer();
  if (!found) co_return lookup_failed(context, "quota", found.error());
  // Of several users behind an alias, those who have room shall have the mail.
  for (const auth::Recipient& recipient : found->recipients) {
    const auto quota = co_await quota_of(context.services.gateway, recipient.user);
    if (!quota) co_return lookup_failed(context, "quota", quota.error());
    if (!is_full(*quota)) co_return Answer();
  }
  const bool rejects = context.settings->quota.on_delivery == OverQuota::reject;
  co_return Answer(Status::ok, rejects ? "552 5.2.2 The mailbox is full" : "452 4.2.2 The mailbox is full");
}

constexpr std::array map_table = {
    MapRow{
        "users", look_up_user,
        "Of an address, the users whom it belongs to, with commas between them if an alias has several; nothing for an "
        "address of nobody."},
    MapRow{"quota", look_up_quota,
           "Of an address whose user has no room left, the reply to RCPT (by `quota.on_delivery`); nothing for all "
           "others."},
};

}  // namespace

std::span<const MapRow> maps() { return map_table; }

Awaitable<Answer> look_up(SessionContext& context, socketmap::Query query) {
  const auto row = std::ranges::find(map_table, query.map, &MapRow::name);
  if (row == map_table.end()) co_return Answer(Status::perm, "There is no such map");
  Answer answer = co_await row->look_up(context, std::move(query.key));
  co_return answer;
}

}  // namespace postkeep::server
