// FakeHost: what admin commands act on in tests: a real user database in a temporary directory, mail in memory.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "auth/user_database.h"
#include "server/admin/commands.h"
#include "server/config/config_file.h"
#include "storage/posix_file_system.h"
#include "tests/support/temporary_directory.h"

namespace postkeep::test {

class FakeHost final : public admin::Host {
 public:
  FakeHost() {
    settings_ = config::parse("").value();
    settings_.data_dir = directory_.path();
    users_ = auth::UserDatabase::open(*files_, auth::user_database_path(directory_.path())).value();
    storage::StoreOptions options;
    options.data_dir = directory_.path();
    mail_ = storage::open_mail_store("memory", options, *files_, storage::system_clock()).value();
  }

  const Settings& settings() override { return settings_; }
  auth::UserDirectory& users() override { return *users_; }
  Result<nlohmann::json> with_account(const std::string& user, const Work& work) override {
    const auto account = TRY(mail_->open(user, [] {}));
    return work(*account);
  }
  void end_sessions(const std::string& user) override { ended.push_back(user); }
  Outcome remove_mail(const std::string& user) override { return mail_->remove(user); }

  // What a client of the socket would get.
  nlohmann::json request(std::string command, nlohmann::json arguments = nlohmann::json::object()) {
    return admin::handle_request(*this, {{"command", std::move(command)}, {"arguments", std::move(arguments)}});
  }

  std::vector<std::string> ended;  // users whose sessions were to be ended
  Settings settings_;

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<storage::FileSystem> files_ = storage::posix_file_system();
  std::unique_ptr<auth::UserDatabase> users_;
  std::unique_ptr<storage::MailStore> mail_;
};

}  // namespace postkeep::test
