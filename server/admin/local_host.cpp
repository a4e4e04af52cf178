#include "server/admin/local_host.h"

#include "auth/backends.h"
#include "server/admin/user_rename.h"
#include "server/config/store_options.h"

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
  const auth::BackendEnvironment environment{files, storage::system_clock(), settings.data_dir, {}};
  host->users_ = TRY(auth::open_backends(settings.auth.backends, environment));
  auth::Authenticator::Options options;
  options.domains = own_domains(settings);
  options.detail_delimiters = settings.recipients.delimiter;
  host->authenticator_ = std::make_unique<auth::Authenticator>(*host->users_, std::move(options));
  const auto move_mail = [&host](const std::string& from, const std::string& to) { return host->move_mail(from, to); };
  TRY(finish_user_rename(files, settings.data_dir, *host->users_, move_mail));
  return host;
}

Result<storage::MailStore*> LocalHost::mail() {
  if (!mail_) {
    mail_ = TRY(storage::open_mail_store("maildir", store_options(settings_), files_, storage::system_clock()));
  }
  return mail_.get();
}

Result<storage::AccountStore*> LocalHost::account(const std::string& user) {
  if (account_ && account_user_ != user) TRY(close_account());
  if (!account_) {
    storage::MailStore* store = TRY(mail());
    account_ = TRY(store->open(user, [] {}));
    account_user_ = user;
  }
  return account_.get();
}

Outcome LocalHost::close_account() {
  if (!account_) return {};
  const std::unique_ptr<storage::AccountStore> account = std::move(account_);
  return account->close();
}

Result<auth::LastLogins*> LocalHost::last_logins() {
  if (!last_logins_) {
    last_logins_ = TRY(auth::LastLogins::open(files_, auth::last_logins_path(settings_.data_dir)));
  }
  return last_logins_.get();
}

Result<nlohmann::json> LocalHost::with_account(const std::string& user, const Work& work) {
  return work(*TRY(account(user)));
}

Result<auth::Recipient> LocalHost::resolve_recipient(std::string_view address) {
  return authenticator_->resolve_recipient(address);
}

Result<std::shared_ptr<storage::Incoming>> LocalHost::begin_incoming(std::uint64_t limit) {
  return TRY(mail())->begin_incoming(limit);
}

void LocalHost::end_sessions(const std::string&) {}  // there are none without a server

Outcome LocalHost::remove_mail(const std::string& user) {
  TRY(close_account());
  return TRY(mail())->remove(user);
}

Result<bool> LocalHost::has_mail(const std::string& user) { return TRY(mail())->exists(user); }

Result<std::vector<std::string>> LocalHost::mail_accounts() { return TRY(mail())->list_accounts(); }

Outcome LocalHost::move_mail(const std::string& from, const std::string& to) {
  TRY(close_account());
  return TRY(mail())->rename(from, to);
}

Outcome LocalHost::rename_user(const std::string& from, const std::string& to) {
  const auto move = [this](const std::string& old_name, const std::string& new_name) {
    return move_mail(old_name, new_name);
  };
  return admin::rename_user(files_, settings_.data_dir, *users_, from, to, move);
}

}  // namespace postkeep::admin
