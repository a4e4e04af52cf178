#include "storage/memory/memory_store.h"

#include <map>
#include <mutex>

#include "protocol/mime/binary_parts.h"
#include "storage/memory/memory_account.h"

namespace postkeep::storage {
namespace memory {

Outcome MemoryIncoming::write(std::string_view bytes) {
  if (finished_) return failure(ErrorKind::server_bug, "Internal error", "write after finish");
  if (bytes.size() > limit_ - bytes_->size()) return failure(ErrorKind::too_big, "The message is too big");
  *bytes_ += bytes;
  return {};
}

Outcome MemoryIncoming::encode_binary_parts() {
  const std::string plain = *bytes_;
  const auto source = [&](std::uint64_t offset, std::span<char> buffer) -> Result<std::size_t> {
    return plain.copy(buffer.data(), buffer.size(), static_cast<std::size_t>(offset));
  };
  const std::vector<mime::BinaryPart> parts = TRY(mime::find_binary_parts(source));
  bytes_->clear();
  return mime::encode_binary_parts(source, parts, [this](std::string_view octets) { return write(octets); });
}

Outcome MemoryIncoming::finish() {
  finished_ = true;
  return {};
}

namespace {

class MemoryMailStore final : public MailStore {
 public:
  MemoryMailStore(StoreOptions options, Clock& clock) : options_(std::move(options)), clock_(clock) {}

  Result<std::unique_ptr<AccountStore>> open(const std::string& user, ChangeListener listener) override {
    if (user.empty()) return failure(ErrorKind::cannot, "A user needs a name");
    const std::lock_guard lock(mutex_);
    std::shared_ptr<AccountData>& data = accounts_[user];
    if (!data) data = make_account_data(clock_);
    return std::make_unique<MemoryAccount>(data, options_, clock_, std::move(listener));
  }

  Result<bool> exists(const std::string& user) override {
    const std::lock_guard lock(mutex_);
    return accounts_.count(user) == 1;
  }

  Result<std::vector<std::string>> list_accounts() override {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> users;
    for (const auto& [user, data] : accounts_) users.push_back(user);
    return users;
  }

  Outcome remove(const std::string& user) override {
    const std::lock_guard lock(mutex_);
    if (accounts_.erase(user) == 0) return failure(ErrorKind::not_found, "No such account");
    return {};
  }

  Outcome rename(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(mutex_);
    if (accounts_.count(from) == 0) return failure(ErrorKind::not_found, "No such account");
    if (accounts_.count(to) == 1) return failure(ErrorKind::already_exists, "There is already mail under that name");
    auto account = accounts_.extract(from);
    account.key() = to;
    accounts_.insert(std::move(account));
    return {};
  }

  Result<std::shared_ptr<Incoming>> begin_incoming(std::uint64_t limit) override {
    return std::make_shared<MemoryIncoming>(limit);
  }

  std::vector<Outcome> finish_together(const std::vector<std::shared_ptr<Incoming>>& incoming) override {
    std::vector<Outcome> outcomes;
    for (const std::shared_ptr<Incoming>& one : incoming) outcomes.push_back(one->finish());
    return outcomes;
  }

  int foreign_change_descriptor() override { return -1; }
  std::vector<ForeignChange> take_foreign_changes() override { return {}; }
  void unwatch(const std::string&, MailboxId) override {}

 private:
  StoreOptions options_;
  Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<AccountData>> accounts_;
};

}  // namespace
}  // namespace memory

std::unique_ptr<MailStore> open_memory_store(StoreOptions options, Clock& clock) {
  return std::make_unique<memory::MemoryMailStore>(std::move(options), clock);
}

}  // namespace postkeep::storage
