#include "storage/maildir_mail_store.h"

#include <algorithm>
#include <atomic>

#include "storage/account/context.h"
#include "storage/account/folder_watches.h"
#include "storage/account/maildir_account.h"
#include "storage/maildir/folder.h"
#include "storage/maildir/layout.h"
#include "storage/spool.h"

namespace postkeep::storage {
namespace {

Outcome make_directory(FileSystem& files, const std::string& path) {
  Outcome made = files.make_directory(path);
  if (!made && made.error().kind == ErrorKind::already_exists) return {};
  return made;
}

class MaildirMailStore final : public MailStore {
 public:
  MaildirMailStore(StoreOptions options, FileSystem& files, Clock& clock)
      : shared_(files, clock, std::move(options)), watches_(open_watcher(shared_.options)) {}

  // Accounts are closed by now; what was not is on the list for the next start.
  ~MaildirMailStore() override { (void)shared_.in_use.shorten(1); }
  MaildirMailStore(const MaildirMailStore&) = delete;
  MaildirMailStore& operator=(const MaildirMailStore&) = delete;

  Outcome prepare() {
    FileSystem& files = shared_.files;
    for (const std::string& path : {shared_.options.data_dir, shared_.mail_directory(), shared_.spool_directory()}) {
      TRY(make_directory(files, path));
    }
    TRY(files.sync_directory(shared_.options.data_dir));
    TRY(shared_.in_use.open());
    TRY(clear_removed());
    return clear_spool(files, shared_.spool_directory());
  }

  Result<std::unique_ptr<AccountStore>> open(const std::string& user, ChangeListener listener) override {
    std::string path = TRY(path_of(user));
    std::unique_ptr<AccountStore> account =
        TRY(MaildirAccount::open(shared_, watches_, user, std::move(path), std::move(listener)));
    return account;
  }

  Result<bool> exists(const std::string& user) override {
    const std::string path = TRY(path_of(user));
    const Result<FileInfo> info = shared_.files.info(path);
    if (info) return info->type == FileInfo::Type::directory;
    if (info.error().kind == ErrorKind::not_found) return false;
    return tl::unexpected<Error>(info.error());
  }

  Result<std::vector<std::string>> list_accounts() override {
    std::vector<std::string> users;
    for (const std::string& name : TRY(shared_.files.list(shared_.mail_directory()))) {
      if (std::optional<std::string> user = maildir::user_of_directory(name)) users.push_back(std::move(*user));
    }
    std::sort(users.begin(), users.end());
    return users;
  }

  // One rename takes the account away; its files go afterwards, at the latest with the next start.
  Outcome remove(const std::string& user) override {
    const std::string path = TRY(path_of(user));
    const std::string removed = shared_.mail_directory() + "/" + removed_prefix + std::to_string(++removed_);
    const Outcome renamed = shared_.files.rename(path, removed);
    if (!renamed && renamed.error().kind == ErrorKind::not_found) {
      return failure(ErrorKind::not_found, "No such account");
    }
    TRY(Outcome(renamed));
    TRY(shared_.files.sync_directory(shared_.mail_directory()));
    shared_.in_use.leave(directory_of(path));
    return maildir::MessageFolder::remove_tree(shared_.files, removed);
  }

  // Nothing in an account says whose it is, so the directory's name is all there is to change.
  Outcome rename(const std::string& from, const std::string& to) override {
    const std::string source = TRY(path_of(from));
    const std::string target = TRY(path_of(to));
    TRY(shared_.in_use.rename(directory_of(source), directory_of(target)));
    const Outcome renamed = shared_.files.rename_new(source, target);
    if (!renamed && renamed.error().kind == ErrorKind::not_found) {
      return failure(ErrorKind::not_found, "No such account");
    }
    if (!renamed && renamed.error().kind == ErrorKind::already_exists) {
      return failure(ErrorKind::already_exists, "There is already mail under that name");
    }
    TRY(Outcome(renamed));
    const Outcome synced = shared_.files.sync_directory(shared_.mail_directory());
    if (!synced) {
      // Refused, so it must not have happened: what comes next under the old name would be another account.
      (void)shared_.files.rename_new(target, source);
      (void)shared_.files.sync_directory(shared_.mail_directory());
    } else {
      shared_.in_use.leave(directory_of(source));
    }
    return synced;
  }

  Result<std::shared_ptr<Incoming>> begin_incoming(std::uint64_t limit) override {
    return TRY(Spool::create(shared_.files, shared_.clock, shared_.spool_directory(), shared_.names, limit));
  }

  std::vector<Outcome> finish_together(const std::vector<std::shared_ptr<Incoming>>& incoming) override {
    std::vector<Spool*> spools;
    for (const std::shared_ptr<Incoming>& one : incoming) spools.push_back(&dynamic_cast<Spool&>(*one));
    return Spool::finish_together(shared_.files, spools);
  }

  int foreign_change_descriptor() override { return watches_.descriptor(); }
  std::vector<ForeignChange> take_foreign_changes() override { return watches_.read(); }
  void unwatch(const std::string& user, MailboxId mailbox) override { watches_.unwatch(user, mailbox); }

 private:
  // No user's directory starts with a dot.
  static constexpr char removed_prefix[] = ".removed.";

  static std::string directory_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

  Result<std::string> path_of(const std::string& user) const {
    const std::string directory = TRY(maildir::user_directory(user));
    return shared_.mail_directory() + "/" + directory;
  }

  Outcome clear_removed() {
    for (const std::string& name : TRY(shared_.files.list(shared_.mail_directory()))) {
      if (!name.starts_with(removed_prefix)) continue;
      TRY(maildir::MessageFolder::remove_tree(shared_.files, shared_.mail_directory() + "/" + name));
    }
    return {};
  }

  // Where there is no inotify the server polls.
  static std::unique_ptr<maildir::Watcher> open_watcher(const StoreOptions& options) {
    if (!options.watch_folders) return nullptr;
    Result<std::unique_ptr<maildir::Watcher>> watcher = maildir::Watcher::open();
    return watcher ? std::move(*watcher) : nullptr;
  }

  StoreShared shared_;
  FolderWatches watches_;
  std::atomic<std::uint64_t> removed_{0};
};

}  // namespace

Result<std::unique_ptr<MailStore>> open_maildir_store(StoreOptions options, FileSystem& files, Clock& clock) {
  auto store = std::make_unique<MaildirMailStore>(std::move(options), files, clock);
  TRY(store->prepare());
  std::unique_ptr<MailStore> opened = std::move(store);
  return opened;
}

}  // namespace postkeep::storage
