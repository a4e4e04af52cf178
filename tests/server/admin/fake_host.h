// FakeHost: what admin commands act on in tests: a real user database in a temporary directory, mail in memory.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "auth/user_database.h"
#include "server/admin/commands.h"
#include "server/admin/exchange.h"
#include "server/admin/user_rename.h"
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
    auth::Authenticator::Options names;
    names.domains = own_domains(settings_);
    authenticator_ = std::make_unique<auth::Authenticator>(*users_, std::move(names));
    storage::StoreOptions options;
    options.data_dir = directory_.path();
    mail_ = storage::open_mail_store("memory", options, *files_, storage::system_clock()).value();
  }

  const Settings& settings() override { return settings_; }
  auth::UserDirectory& users() override { return *users_; }
  Result<auth::LastLogins*> last_logins() override { return last_logins_.get(); }
  Result<nlohmann::json> with_account(const std::string& user, const Work& work) override {
    const auto account = TRY(mail_->open(user, [] {}));
    return work(*account);
  }
  void end_sessions(const std::string& user) override { ended.push_back(user); }
  Outcome remove_mail(const std::string& user) override { return mail_->remove(user); }
  Result<auth::Recipient> resolve_recipient(std::string_view address) override {
    return authenticator_->resolve_recipient(address);
  }
  Result<std::shared_ptr<storage::Incoming>> begin_incoming(std::uint64_t limit) override {
    return mail_->begin_incoming(limit);
  }

  // What the far side of a command that streams returns.
  Result<nlohmann::json> stream(std::string_view noun, std::string_view verb, nlohmann::json arguments,
                                admin::Exchange& exchange) {
    return admin::find_command(noun, verb)->stream(*this, arguments, exchange);
  }
  Result<bool> has_mail(const std::string& user) override { return mail_->exists(user); }
  Result<std::vector<std::string>> mail_accounts() override { return mail_->list_accounts(); }
  Outcome rename_user(const std::string& from, const std::string& to) override {
    const auto move_mail = [this](const std::string& old_name, const std::string& new_name) {
      end_sessions(old_name);
      return mail_->rename(old_name, new_name);
    };
    return admin::rename_user(*files_, directory_.path(), *users_, from, to, move_mail);
  }

  // `count` small messages of different sizes.
  void deliver(const std::string& user, const std::string& mailbox, unsigned count) {
    const auto append = [&](storage::AccountStore& account) -> Result<nlohmann::json> {
      const storage::Mailbox found = TRY(account.find_mailbox(MailboxName::from_utf8(mailbox).value()));
      std::vector<storage::AppendItem> items(count);
      for (unsigned i = 0; i < count; ++i) {
        items[i].message = TRY(account.begin_incoming(100'000));
        TRY(items[i].message->write("From: Bob <bob@example.org>\r\nSubject: Number " + std::to_string(i) +
                                    "\r\n\r\nText " + std::to_string(i) + "\r\n"));
        TRY(items[i].message->finish());
      }
      TRY(account.append(found.id, items));
      return nlohmann::json();
    };
    if (!with_account(user, append)) throw std::runtime_error("the messages cannot be delivered");
  }

  // What a client of the socket would get.
  nlohmann::json request(std::string command, nlohmann::json arguments = nlohmann::json::object()) {
    return admin::handle_request(*this, {{"command", std::move(command)}, {"arguments", std::move(arguments)}});
  }

  admin::LiveServer* live() override { return live_server; }

  admin::LiveServer* live_server = nullptr;
  std::vector<std::string> ended;  // users whose sessions were to be ended
  Settings settings_;

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<storage::FileSystem> files_ = storage::posix_file_system();
  std::unique_ptr<auth::UserDatabase> users_;
  std::unique_ptr<auth::Authenticator> authenticator_;
  std::unique_ptr<auth::LastLogins> last_logins_ =
      auth::LastLogins::open(*files_, auth::last_logins_path(directory_.path())).value();
  std::unique_ptr<storage::MailStore> mail_;
};

// The far side's Exchange without a channel: what a command that streams is given, and what it sent.
class FakeExchange final : public admin::Exchange {
 public:
  Outcome send(const nlohmann::json& piece) override {
    TRY(check());
    pieces.push_back(piece);
    return {};
  }
  Outcome send_octets(std::string_view sent) override {
    TRY(check());
    octets += sent;
    return {};
  }
  void progress(const admin::Progress& progress) override { last_progress = progress; }
  Result<Item> receive() override {
    TRY(check());
    if (input.empty()) return Item{};
    Item item = std::move(input.front());
    input.pop_front();
    return item;
  }
  Outcome check() override {
    if (steps_left == 0) return failure(ErrorKind::unavailable, "Interrupted; what was done until then stays");
    --steps_left;
    return {};
  }

  void put(nlohmann::json value) { input.push_back({Item::Kind::value, std::move(value), {}}); }
  void put_octets(std::string text) { input.push_back({Item::Kind::octets, {}, std::move(text)}); }

  std::deque<Item> input;
  std::vector<nlohmann::json> pieces;
  std::string octets;
  admin::Progress last_progress;
  std::size_t steps_left = std::size_t(-1);  // then it is interrupted
};

}  // namespace postkeep::test
