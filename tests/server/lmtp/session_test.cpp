// LMTP sessions over socket pairs on the memory backend.
#include "server/lmtp/session.h"

#include <doctest/doctest.h>

#include "server/runtime/runtime.h"
#include "server/runtime/session_host.h"
#include "storage/posix_file_system.h"
#include "tests/server/imap/imap_fixture.h"
#include "tests/server/net/tls_peer.h"

using namespace postkeep;
using namespace postkeep::server;
using namespace std::chrono_literals;
using test::must;

namespace {

class LmtpServer {
 public:
  explicit LmtpServer(const Settings& settings = test::test_settings())
      : log_(must(Log::open(settings.log))),
        settings_(std::make_shared<const Settings>(settings)),
        mail_(must(storage::open_mail_store("memory", storage::StoreOptions(), *files_, storage::system_clock()))),
        authenticator_(users_, options()),
        gateway_(runtime_.storage_pool(), *mail_, hub_, Gateway::Options(), [](const std::string&, const Error&) {}),
        auth_(authenticator_, runtime_.auth_pool(), runtime_.storage_pool()),
        services_{*log_, settings_, hub_, gateway_, auth_, admission_, tls_},
        host_(services_, runtime_) {}
  ~LmtpServer() {
    CHECK(host_.shut_down(5s));
    gateway_.close(5s);
    runtime_.join();
  }
  // The greeting is read.
  test::Socket connect() {
    auto ends = test::socket_pair();
    host_.accept(ends.first, Peer{"unix", 0, true}, protocol_);
    greeting = ends.second.receive_until("\r\n");
    return std::move(ends.second);
  }
  // Sends all of it in one piece, then reads to the end.
  std::string talk(const std::string& script) {
    const test::Socket client = connect();
    client.send(script);
    return client.receive_to_end();
  }
  // All messages of a user's INBOX, in order.
  std::vector<std::string> mail_of(const std::string& user) {
    return must(gateway_.run_blocking(
        gateway_.account(user), [](storage::AccountStore& store) -> Result<std::vector<std::string>> {
          std::vector<std::string> all;
          const storage::Mailbox inbox = TRY(store.find_mailbox(MailboxName::inbox()));
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
  void limit_messages(const std::string& user, std::uint64_t limit) {
    const auto set = [limit](storage::AccountStore& store) { return store.set_quota({std::nullopt, limit}); };
    must(gateway_.run_blocking(gateway_.account(user), set));
  }
  SessionHost& host() { return host_; }
  std::string greeting;

 private:
  static auth::Authenticator::Options options() {
    auth::Authenticator::Options made;
    made.domains = {"test.example", "localhost"};
    return made;
  }
  std::unique_ptr<Log> log_;
  SettingsHolder settings_;
  std::unique_ptr<storage::FileSystem> files_ = storage::posix_file_system();
  std::unique_ptr<storage::MailStore> mail_;
  test::TwoUsers users_;
  auth::Authenticator authenticator_;
  ChangeHub hub_;
  Runtime runtime_{Runtime::Options{2, 4, 1}};
  Gateway gateway_;
  AuthGateway auth_;
  Admission admission_{AdmissionLimits()};
  TlsStore tls_;
  Services services_;
  SessionHost host_;
  Protocol protocol_{"lmtp", run_lmtp_session, TlsMode::plain, lmtp_refusal};
};

std::vector<std::string> codes(const std::string& replies) {
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

const std::string hello = "LHLO mta.example.org\r\n";
const std::string to_alice = "MAIL FROM:<ann@example.org>\r\nRCPT TO:<alice@test.example>\r\nDATA\r\n";
const std::string quit = "QUIT\r\n";

}  // namespace

TEST_CASE("a pipelined delivery gets one reply per command and one per recipient") {
  LmtpServer server;
  const std::string replies =
      server.talk(hello +
                  "MAIL FROM:<ann@example.org>\r\nRCPT TO:<alice>\r\nRCPT TO:<nobody@test.example>\r\n"
                  "RCPT TO:<bob+lists@localhost>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\n" +
                  quit);
  CHECK(server.greeting.starts_with("220 test.example "));
  CHECK(codes(replies) == Codes{"250", "250", "250", "550", "250", "354", "250", "250", "221"});
  CHECK(replies.find("550 5.1.1 ") != std::string::npos);
  for (const std::string user : {"alice", "bob"}) {
    const auto mail = server.mail_of(user);
    REQUIRE(mail.size() == 1);
    CHECK(mail.front().starts_with("Return-Path: <ann@example.org>\r\nReceived: from mta.example.org"));
    CHECK(mail.front().ends_with("\r\nSubject: x\r\n\r\n.dot\r\n"));
    CHECK(mail.front().find("Delivered-To:") == std::string::npos);
  }
}

TEST_CASE("LHLO tells what is spoken") {
  LmtpServer server;
  const std::string replies = server.talk(hello + quit);
  for (const char* word : {"250-test.example", "PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE "}) {
    CHECK_MESSAGE(replies.find(word) != std::string::npos, word);
  }
}

TEST_CASE("Delivered-To stands in a message for one recipient only") {
  LmtpServer server;
  server.talk(hello + to_alice + "Subject: x\r\n\r\n.\r\n" + quit);
  REQUIRE(server.mail_of("alice").size() == 1);
  CHECK(server.mail_of("alice").front().find("\r\nDelivered-To: alice\r\n") != std::string::npos);
}

TEST_CASE("a delivery comes out the same wherever its octets are cut") {
  const std::string message = "Subject: cut\r\n\r\na\r\n..b\r\nc\nd\r\n";
  const std::string script = hello + to_alice + message + ".\r\n" + quit;
  LmtpServer server;
  for (std::size_t cut = 1; cut < script.size(); cut += 3) {
    const test::Socket client = server.connect();
    client.send(std::string_view(script).substr(0, cut));
    std::this_thread::sleep_for(200us);
    client.send(std::string_view(script).substr(cut));
    CHECK(codes(client.receive_to_end()) == Codes{"250", "250", "250", "354", "250", "221"});
  }
  const auto mail = server.mail_of("alice");
  CHECK(mail.size() == (script.size() + 1) / 3);
  for (const std::string& each : mail) CHECK(each.ends_with("\r\nSubject: cut\r\n\r\na\r\n.b\r\nc\r\nd\r\n"));
}

TEST_CASE("a peer that leaves at any place inside DATA has delivered nothing") {
  const std::string script = hello + to_alice + "Subject: half\r\n\r\nhalf a message\r\n.\r";
  LmtpServer server;
  for (std::size_t cut = 1; cut <= script.size(); cut += 5) {
    const test::Socket client = server.connect();
    client.send(std::string_view(script).substr(0, cut));
    ::shutdown(client.fd(), SHUT_WR);
    client.receive_to_end();
  }
  CHECK(server.mail_of("alice").empty());
}

TEST_CASE("a message over the limit is refused for each recipient, and the next one is taken") {
  Settings settings = test::test_settings();
  settings.limits.message_size = 2'000;
  LmtpServer server(settings);
  const std::string large = "Subject: large\r\n\r\n" + std::string(500'000, 'x') + "\r\n.\r\n";
  const std::string replies = server.talk(hello + "MAIL FROM:<>\r\nRCPT TO:<alice>\r\nRCPT TO:<bob>\r\nDATA\r\n" +
                                          large + to_alice + "Subject: small\r\n\r\n.\r\n" + quit);
  CHECK(codes(replies) == Codes{"250", "250", "250", "250", "354", "552", "552", "250", "250", "354", "250", "221"});
  CHECK(replies.find("552 5.3.4 ") != std::string::npos);
  CHECK(server.mail_of("alice").size() == 1);
  CHECK(server.mail_of("bob").empty());
  CHECK(codes(server.talk(hello + "MAIL FROM:<> SIZE=2001\r\n" + quit)) == Codes{"250", "552", "221"});
}

TEST_CASE("a message of exactly the limit is taken") {
  Settings settings = test::test_settings();
  settings.limits.message_size = 100;
  LmtpServer server(settings);
  const std::string exact = "Subject: x\r\n\r\n" + std::string(84, 'x') + "\r\n";
  REQUIRE(exact.size() == 100);
  CHECK(codes(server.talk(hello + to_alice + exact + ".\r\n" + quit)).at(4) == "250");
}

TEST_CASE("who has no room left gets no mail: put off, or sent back where the administrator wants that") {
  for (const OverQuota over_quota : {OverQuota::defer, OverQuota::reject}) {
    Settings settings = test::test_settings();
    settings.quota.on_delivery = over_quota;
    LmtpServer server(settings);
    server.limit_messages("alice", 1);
    const std::string both =
        "MAIL FROM:<ann@example.org>\r\nRCPT TO:<alice@test.example>\r\n"
        "RCPT TO:<bob@test.example>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n";
    const std::string replies = server.talk(hello + both + both + quit);
    CHECK(codes(replies) == Codes{"250", "250", "250", "250", "354", "250", "250", "250", "250", "250", "354",
                                  over_quota == OverQuota::defer ? "452" : "552", "250", "221"});
    const char* full = over_quota == OverQuota::defer ? "452 4.2.2 " : "552 5.2.2 ";
    CHECK(replies.find(full) != std::string::npos);
    CHECK(server.mail_of("alice").size() == 1);
    CHECK(server.mail_of("bob").size() == 2);
  }
}

TEST_CASE("somebody who is named twice gets the message once, and both names an answer") {
  LmtpServer server;
  const std::string replies = server.talk(
      hello + "MAIL FROM:<>\r\nRCPT TO:<alice>\r\nRCPT TO:<alice+x@localhost>\r\nDATA\r\nS: x\r\n\r\n.\r\n" + quit);
  CHECK(codes(replies) == Codes{"250", "250", "250", "250", "354", "250", "250", "221"});
  CHECK(server.mail_of("alice").size() == 1);
}

TEST_CASE("commands out of order are refused and change nothing") {
  LmtpServer server;
  const std::string replies = server.talk("MAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\n" + hello +
                                          "RCPT TO:<alice>\r\nDATA\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\n"
                                          "DATA\r\nRSET\r\nRCPT TO:<alice>\r\nVRFY alice\r\nNOOP\r\n" +
                                          quit);
  CHECK(codes(replies) ==
        Codes{"503", "503", "503", "250", "503", "503", "250", "503", "503", "250", "503", "252", "250", "221"});
}

TEST_CASE("too many errors end the session") {
  Settings settings = test::test_settings();
  settings.limits.bad_commands = 3;
  LmtpServer server(settings);
  const std::string replies = server.talk(hello + "BLURDY\r\nEHLO x\r\n" + std::string(10'000, 'A') + "\r\nNOOP\r\n");
  const Codes got = codes(replies);
  REQUIRE(got.size() == 5);
  CHECK(got.back() == "421");
}

TEST_CASE("a peer that says nothing is told so") {
  Settings settings = test::test_settings();
  settings.limits.lmtp_timeout = 1s;
  LmtpServer server(settings);
  const test::Socket client = server.connect();
  CHECK(client.receive_to_end().starts_with("421 4.4.2 "));
}

TEST_CASE("shutdown says 421 to who waits, and answers the delivery that has all its octets") {
  auto server = std::make_unique<LmtpServer>();
  const test::Socket waiting = server->connect();
  const test::Socket inside_data = server->connect();
  inside_data.send(hello + to_alice + "Subject: never finished\r\n");
  inside_data.receive_until("dot\r\n");
  std::thread ending([&] { CHECK(server->host().shut_down(5s)); });
  CHECK(waiting.receive_to_end().starts_with("421 4.3.2 "));
  CHECK(inside_data.receive_to_end().starts_with("421 4.3.2 "));
  ::shutdown(waiting.fd(), SHUT_WR);
  ::shutdown(inside_data.fd(), SHUT_WR);
  ending.join();
  CHECK(server->mail_of("alice").empty());
}

TEST_CASE("too many recipients are told to come again") {
  Settings settings = test::test_settings();
  settings.limits.recipients = 1;
  LmtpServer server(settings);
  const std::string replies =
      server.talk(hello + "MAIL FROM:<>\r\nRCPT TO:<alice>\r\nRCPT TO:<bob>\r\nDATA\r\nS: x\r\n\r\n.\r\n" + quit);
  CHECK(codes(replies) == Codes{"250", "250", "250", "452", "354", "250", "221"});
}
