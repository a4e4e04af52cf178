#include "server/admin/local_host.h"

namespace postkeep::admin {

namespace {

// A directory with what is missing above it.
Outcome make_directories(storage::FileSystem& files, const std::string& path) {
  if (files.info(path)) return {};
  const std::string parent = storage::parent_directory(path);
  if (parent != path && parent != "." && parent != "/" && !parent.empty()) TRY(make_directories(files, parent));
  const Outcome made = files.make_directory(path);
  if (!made && made.error().kind != ErrorKind::already_exists) return made;
  return {};
}

}  // namespace

std::string lock_path(std::string_view data_dir) { return std::string(data_dir) + "/lock"; }

Result<std::unique_ptr<LocalHost>> LocalHost::open(const Settings& settings, storage::FileSystem& files) {
  std::unique_ptr<LocalHost> host(new LocalHost(settings, files));
  TRY(make_directories(files, settings.data_dir));
  host->lock_ = TRY(files.lock(lock_path(settings.data_dir)));
  host->users_ = TRY(auth::UserDatabase::open(files, auth::user_database_path(settings.data_dir)));
  return host;
}

Result<storage::MailStore*> LocalHost::mail() {
  if (!mail_) {
    storage::StoreOptions options;
    options.data_dir = settings_.data_dir;
    options.hostname = settings_.hostname;
    options.mailboxes_max = static_cast<std::uint32_t>(settings_.limits.mailboxes);
    options.keywords_max = static_cast<std::uint32_t>(settings_.limits.keywords);
    mail_ = TRY(storage::open_mail_store("maildir", std::move(options), files_, storage::system_clock()));
  }
  return mail_.get();
}

Result<nlohmann::json> LocalHost::with_account(const std::string& user, const Work& work) {
  storage::MailStore* store = TRY(mail());
  const std::unique_ptr<storage::AccountStore> account = TRY(store->open(user, [] {}));
  Result<nlohmann::json> result = work(*account);
  TRY(account->close());
  return result;
}

void LocalHost::end_sessions(const std::string&) {}  // there are none without a server

Outcome LocalHost::remove_mail(const std::string& user) { return TRY(mail())->remove(user); }

}  // namespace postkeep::admin
