// LocalHost: what admin commands act on when no server runs on this data. Takes the data lock for as long as it lives,
// so that no server can start meanwhile. Blocking, one thread.
#pragma once

#include <memory>
#include <string>

#include "auth/authenticator.h"
#include "auth/user_directory.h"
#include "server/admin/commands.h"
#include "storage/account_store.h"
#include "storage/file_system.h"

namespace postkeep::admin {

class LocalHost final : public Host {
 public:
  // Makes data_dir if it is missing. Errors: in_use (another process holds the lock), those of the user database.
  static Result<std::unique_ptr<LocalHost>> open(const Settings& settings, storage::FileSystem& files);

  const Settings& settings() override { return settings_; }
  auth::UserDirectory& users() override { return *users_; }
  Result<auth::LastLogins*> last_logins() override;
  Result<nlohmann::json> with_account(const std::string& user, const Work& work) override;
  void end_sessions(const std::string& user) override;
  Outcome remove_mail(const std::string& user) override;
  Result<auth::Recipient> resolve_recipient(std::string_view address) override;
  Result<std::shared_ptr<storage::Incoming>> begin_incoming(std::uint64_t limit) override;
  // Writes what a clean stop would: at the end of a command. Errors: those of AccountStore::close().
  Outcome close_account();
  Result<bool> has_mail(const std::string& user) override;
  Result<std::vector<std::string>> mail_accounts() override;
  Outcome rename_user(const std::string& from, const std::string& to) override;

 private:
  LocalHost(Settings settings, storage::FileSystem& files) : settings_(std::move(settings)), files_(files) {}
  Result<storage::MailStore*> mail();
  Result<storage::AccountStore*> account(const std::string& user);
  Outcome move_mail(const std::string& from, const std::string& to);

  Settings settings_;
  storage::FileSystem& files_;
  std::unique_ptr<storage::FileLock> lock_;  // first made, last gone
  std::unique_ptr<auth::UserDirectory> users_;
  std::unique_ptr<auth::Authenticator> authenticator_;
  std::unique_ptr<storage::MailStore> mail_;       // opened when a command first needs it
  std::unique_ptr<auth::LastLogins> last_logins_;  // likewise
  // The one that was asked for last, kept open for a command that works in many small steps.
  std::unique_ptr<storage::AccountStore> account_;
  std::string account_user_;
};

// "<data_dir>/lock"
std::string lock_path(std::string_view data_dir);

}  // namespace postkeep::admin
