// MtaServer: sessions of listen.mta_auth or listen.socketmap over socket pairs, in this process, on the memory backend;
// users as in TwoUsers.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "server/mta/auth_session.h"
#include "server/mta/socketmap_session.h"
#include "server/runtime/runtime.h"
#include "server/runtime/session_host.h"
#include "storage/posix_file_system.h"
#include "tests/server/imap/imap_fixture.h"
#include "tests/server/net/tls_peer.h"

namespace postkeep::test {

class MtaServer {
 public:
  explicit MtaServer(server::RunSession run, const Settings& settings = test_settings())
      : log_(must(Log::open(settings.log))),
        settings_(std::make_shared<const Settings>(settings)),
        mail_(must(storage::open_mail_store("memory", storage::StoreOptions(), *files_, storage::system_clock()))),
        authenticator_(users_, options()),
        gateway_(runtime_.storage_pool(), *mail_, hub_, server::Gateway::Options(),
                 [](const std::string&, const Error&) {}),
        auth_(authenticator_, runtime_.auth_pool(), runtime_.storage_pool()),
        services_{*log_, settings_, hub_, gateway_, auth_, admission_, tls_},
        host_(services_, runtime_),
        protocol_{"mta", run, server::TlsMode::plain, ""} {}
  ~MtaServer() {
    auth_.stop_waiting();
    CHECK(host_.shut_down(std::chrono::seconds(5)));
    gateway_.close(std::chrono::seconds(5));
    runtime_.join();
  }
  Socket connect() {
    auto ends = socket_pair();
    host_.accept(ends.first, server::Peer{"unix", 0, true}, protocol_);
    return std::move(ends.second);
  }
  void limit_messages(const std::string& user, std::uint64_t limit) {
    const auto set = [limit](storage::AccountStore& store) { return store.set_quota({std::nullopt, limit}); };
    must(gateway_.run_blocking(gateway_.account(user), set));
  }
  void append_message(const std::string& user) {
    must(gateway_.run_blocking(gateway_.account(user), [](storage::AccountStore& store) -> Outcome {
      const storage::Mailbox inbox = TRY(store.find_mailbox(MailboxName::inbox()));
      std::vector<storage::AppendItem> items(1);
      items.front().message = TRY(store.begin_incoming(1000));
      TRY(items.front().message->write("Subject: x\r\n\r\n"));
      TRY(items.front().message->finish());
      TRY(store.append(inbox.id, items));
      return {};
    }));
  }

 private:
  static auth::Authenticator::Options options() {
    auth::Authenticator::Options made;
    made.domains = {"test.example", "localhost"};
    return made;
  }
  std::unique_ptr<Log> log_;
  server::SettingsHolder settings_;
  std::unique_ptr<storage::FileSystem> files_ = storage::posix_file_system();
  std::unique_ptr<storage::MailStore> mail_;
  TwoUsers users_;
  auth::Authenticator authenticator_;
  server::ChangeHub hub_;
  server::Runtime runtime_{server::Runtime::Options{2, 4, 2}};
  server::Gateway gateway_;
  server::AuthGateway auth_;
  server::Admission admission_{server::AdmissionLimits()};
  server::TlsStore tls_;
  server::Services services_;
  server::SessionHost host_;
  server::Protocol protocol_;
};

}  // namespace postkeep::test
