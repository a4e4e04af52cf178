#include "server/lmtp/filing.h"

#include <algorithm>
#include <utility>

#include "protocol/base/ascii.h"
#include "server/metrics/metrics.h"

namespace postkeep::server {
namespace {

// On the account's strand.
class FilingJob {
 public:
  explicit FilingJob(FilingRequest request) : request_(std::move(request)) {}

  Result<Filed> operator()(storage::AccountStore& store) const {
    std::vector<storage::Mailbox> targets;
    for (const std::optional<MailboxName>& name : request_.mailboxes) {
      storage::Mailbox target = TRY(target_of(store, name));
      const bool there = std::ranges::find(targets, target.id, &storage::Mailbox::id) != targets.end();
      if (!there && !was_here(target.name)) targets.push_back(std::move(target));
    }
    // All of them or none, as far as that can be known.
    if (targets.size() > 1) {
      TRY(store.look_for_room(storage::QuotaUsage{request_.message->size() * targets.size(), targets.size()}));
    }
    Filed filed;
    for (const storage::Mailbox& target : targets) {
      filed.places.push_back(TRY(append_to(store, target)));
      remember(target.name);
    }
    return filed;
  }

 private:
  Result<FiledPlace> append_to(storage::AccountStore& store, const storage::Mailbox& target) const {
    std::vector<storage::AppendItem> items(1);
    items.front().message = request_.message;
    const storage::AppendResult appended = TRY(store.append(target.id, items));
    metrics().messages_appended.add();
    return FiledPlace{target.name, appended.uids.min()};
  }

  Result<storage::Mailbox> target_of(storage::AccountStore& store, const std::optional<MailboxName>& name) const {
    if (name) {
      auto found = store.find_mailbox(*name);
      if (found && found->exists) return found;
      if (!found && found.error().kind != ErrorKind::not_found) return found;
      if (request_.make) {
        auto made = store.create_mailbox(*name);
        if (made) {
          const Outcome subscribed = store.subscribe(*name);  // a matter of comfort
          static_cast<void>(subscribed);
          return made;
        }
      }
    }
    return store.find_mailbox(MailboxName::inbox());
  }

  DeliveredBefore::Key key_of(const MailboxName& mailbox) const {
    return DeliveredBefore::key_of(request_.remembered.message_id, request_.user + '/' + mailbox.utf8());
  }
  bool was_here(const MailboxName& mailbox) const {
    const DeliveredBefore* before = request_.remembered.before;
    return before != nullptr && before->knows(key_of(mailbox), DeliveredBefore::Clock::now());
  }
  void remember(const MailboxName& mailbox) const {
    if (request_.remembered.before == nullptr) return;
    request_.remembered.before->add(key_of(mailbox), DeliveredBefore::Clock::now() + request_.remembered.window);
  }

  FilingRequest request_;
};

// No coroutine: see runtime/offload.h.
Awaitable<Outcome> ask_for_room(Gateway& gateway, AccountPtr account, std::uint64_t octets) {
  return gateway.run(std::move(account), [octets](storage::AccountStore& store) {
    return store.look_for_room(storage::QuotaUsage{octets, 1});
  });
}

}  // namespace

std::optional<MailboxName> mailbox_of_detail(const std::string& detail, const Settings& settings) {
  if (detail.empty() || settings.recipients.detail_folder == DetailFolder::off) return std::nullopt;
  const std::string wanted = settings.recipients.lower_case_detail ? ascii::to_lower(detail) : detail;
  auto name = MailboxName::from_wire(wanted, MailboxName::Encoding::utf8, settings.mailbox.separator);
  if (!name || name->components().size() > detail_levels_max) return std::nullopt;
  return std::move(*name);
}

Awaitable<Result<Filed>> file_message(Gateway& gateway, FilingRequest request) {
  AccountPtr account = gateway.account(request.user);
  return gateway.run(std::move(account), FilingJob(std::move(request)));
}

Awaitable<Outcome> look_for_room(Gateway& gateway, std::string user, std::uint64_t octets) {
  const AccountPtr account = gateway.account(user);
  if (Gateway::is_unlimited(*account)) co_return Outcome();
  co_return co_await ask_for_room(gateway, account, octets);
}

}  // namespace postkeep::server
