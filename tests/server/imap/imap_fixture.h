// ImapServer and ImapClient: real sessions over socket pairs, in this process; on the memory backend if no other is
// asked for. What a test sends and gets is text; literals in answers are kept in their lines.
#pragma once

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "auth/authenticator.h"
#include "auth/user_directory.h"
#include "server/imap/session.h"
#include "server/runtime/runtime.h"
#include "server/runtime/session_host.h"
#include "storage/backends.h"
#include "storage/posix_file_system.h"
#include "tests/support/results.h"
#include "tests/support/temporary_directory.h"

namespace postkeep::test {

// Users "alice" and "bob", both with the password "secret".
class TwoUsers final : public auth::UserDirectory {
 public:
  Result<std::optional<auth::User>> find(std::string_view name) override {
    if (name != "alice" && name != "bob") return std::optional<auth::User>();
    auth::User user;
    user.name = std::string(name);
    return std::optional<auth::User>(std::move(user));
  }
  Result<std::vector<auth::Verifier>> verifiers(std::string_view) override {
    auth::Verifier verifier;
    verifier.scheme = auth::Scheme::plain;
    verifier.hash = Secret("secret");
    return std::vector<auth::Verifier>{verifier};
  }
  Result<std::vector<auth::User>> list() override { return std::vector<auth::User>(); }
  Outcome add(const auth::User&, const std::vector<auth::Verifier>&) override { return {}; }
  Outcome set_verifiers(std::string_view, const std::vector<auth::Verifier>&) override { return {}; }
  bool can_supply_keys() const override { return true; }
  bool is_writable(std::string_view) override { return false; }
  Outcome add_verifier(std::string_view, const auth::Verifier&, const std::vector<auth::Verifier>&) override {
    return {};
  }
  Outcome set_enabled(std::string_view, bool) override { return {}; }
  Outcome remove(std::string_view) override { return {}; }
};

using Lines = std::vector<std::string>;

// One client, blocking. Fails the test when nothing comes for ten seconds.
class ImapClient {
 public:
  explicit ImapClient(int descriptor) : descriptor_(descriptor) {}
  ~ImapClient() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  ImapClient(ImapClient&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), buffer_(std::move(other.buffer_)), tags_(other.tags_) {}
  ImapClient& operator=(ImapClient&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(buffer_, other.buffer_);
    std::swap(tags_, other.tags_);
    return *this;
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;  // the server has hung up; what the test reads will tell
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  // One response with its literals, without the last CRLF; "" at the end of the stream.
  std::string read() {
    std::string line;
    for (;;) {
      const std::size_t end = buffer_.find("\r\n");
      if (end == std::string::npos) {
        if (!fill()) return line;
        continue;
      }
      line += buffer_.substr(0, end);
      buffer_.erase(0, end + 2);
      const std::size_t literal = announced(line);
      if (literal == SIZE_MAX) return line;
      while (buffer_.size() < literal) {
        if (!fill()) return line;
      }
      line += "\r\n" + buffer_.substr(0, literal);
      buffer_.erase(0, literal);
    }
  }
  // Responses up to and with the one that starts with `start` (a tag, "+", "* BYE").
  Lines read_to(std::string_view start) {
    Lines lines;
    for (;;) {
      lines.push_back(read());
      if (lines.back().empty() || lines.back().starts_with(start)) return lines;
    }
  }
  // Sends it under a new tag and returns all responses; the tagged one comes last, without its tag.
  Lines run(const std::string& command) {
    const std::string tag = "t" + std::to_string(++tags_);
    send(tag + " " + command + "\r\n");
    Lines lines = read_to(tag + " ");
    if (lines.back().starts_with(tag + " ")) lines.back().erase(0, tag.size() + 1);
    return lines;
  }
  // Only the tagged reply.
  std::string ok(const std::string& command) { return run(command).back(); }
  void append(const std::string& mailbox, const std::string& message, const std::string& flags = "") {
    const std::string count = std::to_string(message.size());
    const std::string reply =
        ok("APPEND " + mailbox + (flags.empty() ? " " : " (" + flags + ") ") + "{" + count + "+}\r\n" + message);
    REQUIRE(reply.starts_with("OK"));
  }
  // Whatever has come, at least one octet; "" at the end of the stream.
  std::string read_octets() {
    if (buffer_.empty()) fill();
    return std::exchange(buffer_, {});
  }
  // Whether the server closes within the time.
  bool at_end() { return buffer_.empty() && !fill(); }
  bool quiet_for(std::chrono::milliseconds time) {
    pollfd wait{descriptor_, POLLIN, 0};
    return buffer_.empty() && ::poll(&wait, 1, static_cast<int>(time.count())) == 0;
  }
  void half_close() { ::shutdown(descriptor_, SHUT_WR); }
  void hang_up() { ::close(std::exchange(descriptor_, -1)); }

 private:
  static std::size_t announced(const std::string& line) {
    if (line.empty() || line.back() != '}') return SIZE_MAX;
    const std::size_t open = line.rfind('{');
    if (open == std::string::npos) return SIZE_MAX;
    return std::stoul(line.substr(open + 1));
  }
  bool fill() {
    pollfd wait{descriptor_, POLLIN, 0};
    if (::poll(&wait, 1, 10'000) != 1) {
      FAIL_CHECK("the server sent nothing for ten seconds");
      return false;
    }
    char bytes[16384];
    const ssize_t count = ::recv(descriptor_, bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  int descriptor_;
  std::string buffer_;
  unsigned tags_ = 0;
};

inline Settings test_settings() {
  Settings settings;
  settings.hostname = "test.example";
  settings.log.file = "/dev/null";
  settings.limits.bad_commands = 1000;
  return settings;
}

class ImapServer {
 public:
  explicit ImapServer(const Settings& settings = test_settings(), std::string_view backend = "memory")
      : log_(must(Log::open(settings.log))),
        settings_(std::make_shared<const Settings>(settings)),
        files_(storage::posix_file_system()),
        mail_(must(storage::open_mail_store(backend, store_options(), *files_, storage::system_clock()))),
        authenticator_(users_, auth::Authenticator::Options()),
        gateway_(runtime_.storage_pool(), *mail_, hub_, server::Gateway::Options(),
                 [](const std::string&, const Error&) {}),
        auth_(authenticator_, runtime_.auth_pool(), runtime_.storage_pool()),
        admission_(server::AdmissionLimits()),
        services_{*log_, settings_, hub_, gateway_, auth_, admission_, tls_},
        host_(services_, runtime_) {
    services_.login_intervals = &login_intervals_;
  }
  ~ImapServer() {
    CHECK(host_.shut_down(std::chrono::seconds(5)));
    gateway_.close(std::chrono::seconds(5));
    runtime_.join();
  }

  enum class From { loopback, elsewhere };
  // Greeted already.
  ImapClient connect(From from = From::loopback) { return connect_to(protocol_, from); }
  // `protocol` outlives the server.
  ImapClient connect_to(const server::Protocol& protocol, From from) {
    int pair[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    server::Peer peer;
    peer.address = from == From::loopback ? "unix" : "192.0.2.1";
    peer.loopback = from == From::loopback;
    host_.accept(pair[0], peer, protocol);
    ImapClient client(pair[1]);
    greeting_ = client.read();
    return client;
  }
  ImapClient login(const std::string& user = "alice") {
    ImapClient client = connect();
    REQUIRE(client.ok("LOGIN " + user + " secret").starts_with("OK"));
    return client;
  }
  ImapClient select(const std::string& mailbox = "INBOX") {
    ImapClient client = login();
    REQUIRE(client.ok("SELECT " + mailbox).starts_with("OK"));
    return client;
  }
  const std::string& greeting() const { return greeting_; }
  server::Gateway& gateway() { return gateway_; }
  const std::string& data_dir() const { return directory_.path(); }
  server::SessionHost& host() { return host_; }
  void limit_sessions_per_user(std::uint64_t count) {
    server::AdmissionLimits limits;
    limits.per_user = count;
    admission_.set_limits(limits);
  }

 private:
  storage::StoreOptions store_options() const {
    storage::StoreOptions options;
    options.data_dir = directory_.path();
    const SettingsPtr settings = settings_.get();
    const Settings::Quota& quota = settings->quota;
    if (quota.storage != 0) options.quota.octets = quota.storage;
    if (quota.messages != 0) options.quota.messages = quota.messages;
    return options;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Log> log_;
  server::SettingsHolder settings_;
  std::unique_ptr<storage::FileSystem> files_;
  std::unique_ptr<storage::MailStore> mail_;
  TwoUsers users_;
  auth::Authenticator authenticator_;
  server::ChangeHub hub_;
  server::Runtime runtime_{server::Runtime::Options{2, 4, 1}};
  server::Gateway gateway_;
  server::AuthGateway auth_;
  server::Admission admission_;
  server::TlsStore tls_;
  server::LoginIntervals login_intervals_;
  server::Services services_;
  server::SessionHost host_;
  server::Protocol protocol_{"imap", imap::run_session, server::TlsMode::plain, imap::refusal};
  std::string greeting_;
};

inline bool contains(const Lines& lines, std::string_view part) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

inline const std::string small_message =
    "From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: Hello\r\n"
    "Date: Mon, 2 Mar 2026 10:00:00 +0100\r\nMessage-ID: <1@example.org>\r\n\r\nGood day.\r\n";

}  // namespace postkeep::test
