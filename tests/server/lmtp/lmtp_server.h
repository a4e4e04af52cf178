// LmtpServer: real LMTP sessions over socket pairs, in this process, on the memory backend. Users "alice" and "bob";
// test.example is ours.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/lmtp/delivered_before.h"
#include "server/lmtp/session.h"
#include "server/runtime/runtime.h"
#include "server/runtime/session_host.h"
#include "storage/posix_file_system.h"
#include "tests/server/imap/imap_fixture.h"
#include "tests/server/net/tls_peer.h"

namespace postkeep::test {

using namespace postkeep::server;

class LmtpServer {
 public:
  explicit LmtpServer(const Settings& settings = test_settings(), std::string_view aliases = {})
      : log_(must(Log::open(settings.log))),
        settings_(std::make_shared<const Settings>(settings)),
        mail_(must(storage::open_mail_store("memory", storage::StoreOptions(), *files_, storage::system_clock()))),
        authenticator_(users_, options(settings, aliases)),
        gateway_(runtime_.storage_pool(), *mail_, hub_, Gateway::Options(), [](const std::string&, const Error&) {}),
        auth_(authenticator_, runtime_.auth_pool(), runtime_.storage_pool()),
        services_{*log_, settings_, hub_, gateway_, auth_, admission_, tls_, nullptr, &delivered_},
        host_(services_, runtime_) {}
  ~LmtpServer() {
    auth_.stop_waiting();
    CHECK(host_.shut_down(std::chrono::seconds(5)));
    gateway_.close(std::chrono::seconds(5));
    runtime_.join();
  }
  // The greeting is read.
  Socket connect() {
    auto ends = socket_pair();
    host_.accept(ends.first, Peer{"unix", 0, true}, protocol_);
    greeting = ends.second.receive_until("\r\n");
    return std::move(ends.second);
  }
  // Sends all of it in one piece, then reads to the end.
  std::string talk(const std::string& script) {
    const Socket client = connect();
    client.send(script);
    return client.receive_to_end();
  }
  // All messages of a mailbox, in order.
  std::vector<std::string> mail_of(const std::string& user, std::string_view mailbox = "INBOX") {
    const MailboxName name = must(MailboxName::from_utf8(mailbox));
    return must(gateway_.run_blocking(
        gateway_.account(user), [&name](storage::AccountStore& store) -> Result<std::vector<std::string>> {
          std::vector<std::string> all;
          const storage::Mailbox inbox = TRY(store.find_mailbox(name));
          const storage::MailboxVersionPtr version = TRY(store.version(inbox.id));
          for (std::uint32_t i = 1; i <= version->count(); ++i) {
            const auto reader = TRY(store.open_message(inbox.id, version->at(SeqNum(i)).uid));
            std::string bytes;
            TRY(reader->read(0, reader->size(), bytes));
            all.push_back(std::move(bytes));
          }
          return all;
        }));
  }
  bool has_mailbox(const std::string& user, std::string_view mailbox) {
    const MailboxName name = must(MailboxName::from_utf8(mailbox));
    const auto find = [&name](storage::AccountStore& store) { return store.find_mailbox(name); };
    return gateway_.run_blocking(gateway_.account(user), find).has_value();
  }
  void make_mailbox(const std::string& user, std::string_view mailbox) {
    const MailboxName name = must(MailboxName::from_utf8(mailbox));
    const auto make = [&name](storage::AccountStore& store) { return store.create_mailbox(name); };
    must(gateway_.run_blocking(gateway_.account(user), make));
  }
  void limit_octets(const std::string& user, std::uint64_t limit) {
    const auto set = [limit](storage::AccountStore& store) { return store.set_quota({limit, std::nullopt}); };
    must(gateway_.run_blocking(gateway_.account(user), set));
  }
  void limit_messages(const std::string& user, std::uint64_t limit) {
    const auto set = [limit](storage::AccountStore& store) { return store.set_quota({std::nullopt, limit}); };
    must(gateway_.run_blocking(gateway_.account(user), set));
  }
  SessionHost& host() { return host_; }
  std::string greeting;

 private:
  static auth::Authenticator::Options options(const Settings& settings, std::string_view aliases) {
    auth::Authenticator::Options made;
    made.detail_delimiters = settings.recipients.delimiter;
    made.aliases = std::make_shared<const auth::AliasTable>(must(auth::AliasTable::parse(aliases)));
    made.domains = {"test.example", "localhost"};
    return made;
  }
  std::unique_ptr<Log> log_;
  SettingsHolder settings_;
  std::unique_ptr<storage::FileSystem> files_ = storage::posix_file_system();
  std::unique_ptr<storage::MailStore> mail_;
  TwoUsers users_;
  auth::Authenticator authenticator_;
  ChangeHub hub_;
  Runtime runtime_{Runtime::Options{2, 4, 1}};
  Gateway gateway_;
  AuthGateway auth_;
  Admission admission_{AdmissionLimits()};
  TlsStore tls_;
  DeliveredBefore delivered_;
  Services services_;
  SessionHost host_;
  Protocol protocol_{"lmtp", run_lmtp_session, TlsMode::plain, lmtp_refusal};
};

// The codes of all replies, of a reply of several lines once.
inline std::vector<std::string> codes(const std::string& replies) {
  std::vector<std::string> all;
  for (std::size_t begin = 0; begin < replies.size();) {
    const std::size_t end = replies.find("\r\n", begin);
    const std::string line = replies.substr(begin, end - begin);
    if (line.size() > 3 && line[3] == ' ') all.push_back(line.substr(0, 3));
    begin = end == std::string::npos ? replies.size() : end + 2;
  }
  return all;
}

using Codes = std::vector<std::string>;

inline const std::string hello = "LHLO mta.example.org\r\n";
inline const std::string to_alice = "MAIL FROM:<ann@example.org>\r\nRCPT TO:<alice@test.example>\r\nDATA\r\n";
inline const std::string quit = "QUIT\r\n";

}  // namespace postkeep::test
