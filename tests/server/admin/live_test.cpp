#include "server/admin/live_server.h"

#include <doctest/doctest.h>

#include <sstream>

#include "auth/user_name.h"
#include "server/metrics/metrics.h"
#include "server/status.h"
#include "tests/server/admin/fake_host.h"

using namespace postkeep;
using namespace postkeep::admin;
using auth::Origin;
using Json = nlohmann::json;

namespace {

class FakeServer final : public LiveServer {
 public:
  FakeServer() {
    for (const char* id : {"1", "2", "3"}) {
      server::SessionFacts session;
      session.id = id;
      session.protocol = "imap";
      session.user = id == std::string("3") ? "" : "alice";
      session.address = id == std::string("1") ? "192.0.2.1" : "2001:db8::1";
      session.tls = "TLSv1.3 TLS_AES_256_GCM_SHA384";
      session.idle = std::chrono::seconds(150);
      all.push_back(session);
    }
  }
  std::vector<server::SessionFacts> sessions() override { return all; }
  std::size_t end_sessions_if(const Which& which) override { return std::erase_if(all, which); }
  Reload reload() override { return answer; }
  LogLevel log_level() override { return level; }
  void set_log_level(LogLevel wanted) override { level = wanted; }
  nlohmann::json status() override {
    return server::describe_status(metrics, server::Activity{1, 2, 3, 4, 5}, std::chrono::system_clock::now());
  }

  auth::GuessGuard& guard() override { return guess_guard; }
  std::string account_key(std::string_view login) override { return auth::user_key(login); }

  auth::GuessGuard guess_guard{auth::GuessGuard::Options()};
  std::vector<server::SessionFacts> all;
  Reload answer;
  LogLevel level = LogLevel::info;
  server::Metrics metrics;
};

struct LiveFixture {
  test::FakeHost host;
  FakeServer server;
  LiveFixture() { host.live_server = &server; }

  std::string kind(const std::string& command, const Json& arguments = Json::object()) {
    const Json answer = host.request(command, arguments);
    return answer.contains("error") ? answer["error"]["kind"] : "ok";
  }
  std::string printed(const std::string& noun, const std::string& verb, const Json& arguments = Json::object()) {
    std::ostringstream out;
    const Json answer = host.request(verb.empty() ? noun : noun + " " + verb, arguments);
    find_command(noun, verb)->print(answer["result"], out);
    return out.str();
  }
};

}  // namespace

TEST_CASE_FIXTURE(LiveFixture, "without a server they all say so") {
  host.live_server = nullptr;
  for (const char* command : {"who", "kick", "reload", "log level", "status", "ban list", "ban lift"})
    CHECK(kind(command) == "unavailable");
}

TEST_CASE_FIXTURE(LiveFixture, "sessions are listed, all or a user's") {
  CHECK(host.request("who")["result"].size() == 3);
  CHECK(host.request("who", {{"user", "alice"}})["result"].size() == 2);
  CHECK(host.request("who", {{"user", "bob"}})["result"].empty());
  const std::string table = printed("who", "");
  CHECK(table.starts_with("SESSION  PROTOCOL  USER   ADDRESS      TLS      SINCE"));
  CHECK(table.find("3        imap      -      2001:db8::1  TLSv1.3") != std::string::npos);
  CHECK(table.find("2 min\n") != std::string::npos);
}

TEST_CASE_FIXTURE(LiveFixture, "sessions are ended by user, session or address, exactly one of which is named") {
  CHECK(kind("kick") == "bad_syntax");
  CHECK(kind("kick", {{"user", "alice"}, {"session", "1"}}) == "bad_syntax");
  CHECK(kind("kick", {{"user", "bob"}}) == "not_found");
  CHECK(printed("kick", "", {{"session", "3"}}) == "asked 1 session to end\n");
  CHECK(host.request("kick", {{"address", "2001:db8::1"}})["result"]["ended"] == 1);
  CHECK(host.request("kick", {{"user", "alice"}})["result"]["ended"] == 1);
  CHECK(server.all.empty());
}

TEST_CASE_FIXTURE(LiveFixture, "a reload tells what came of it, and fails if nothing did") {
  server.answer.problems = {"a.toml:3: nonsense"};
  CHECK(printed("reload", "").starts_with("a.toml:3: nonsense\nNothing was changed"));
  CHECK_FALSE(find_command("reload", "")->check(host.request("reload")["result"]).has_value());
  server.answer = {true, {}, {"storage.threads"}};
  CHECK(printed("reload", "").ends_with("needs a restart: storage.threads\n"));
  CHECK(find_command("reload", "")->check(host.request("reload")["result"]).has_value());
}

TEST_CASE_FIXTURE(LiveFixture, "the log level is shown and set") {
  CHECK(printed("log", "level") == "info\n");
  CHECK(printed("log", "level", {{"level", "trace"}}) == "trace\n");
  CHECK(server.level == LogLevel::trace);
  CHECK(kind("log level", {{"level", "TRACE"}}) == "bad_syntax");
}

TEST_CASE_FIXTURE(LiveFixture, "the status has figures by protocol and of the last minute") {
  server.metrics.connections.at("imaps").add(1234);
  server.metrics.connections.at("lmtp").add(0);
  const std::string text = printed("status", "");
  CHECK(text.find("connections:  imaps 1,234\n") != std::string::npos);
  CHECK(text.find("last minute:  1 connections, 2 logins (3 failed), 4 deliveries, 5 commands\n") != std::string::npos);
  CHECK(text.find("MiB") != std::string::npos);
}

TEST_CASE_FIXTURE(LiveFixture, "bans are listed, and lifted by address, by user or all") {
  const auto guess = [&](const char* address, int times) {
    for (int i = 0; i < times; ++i) {
      const std::string account = "nobody" + std::to_string(i);
      const Secret password(std::string("guess from ") + address);
      const Origin origin = IpAddress::parse(address).value();
      server.guess_guard.begin(server.account_key(account), account + "\xFF", origin)->wrong(&password);
    }
  };
  CHECK(host.request("ban list")["result"].empty());
  CHECK(kind("ban lift", {{"address", "192.0.2.7"}}) == "not_found");
  guess("192.0.2.7", 20);
  guess("2001:db8:1:2::3", 20);
  guess("192.0.2.8", 19);
  const Json bans = host.request("ban list")["result"];
  REQUIRE(bans.size() == 2);
  CHECK(bans[0]["times"] == 1);
  CHECK(bans[0]["seconds"].get<int>() > 590);
  const std::string table = printed("ban", "list");
  CHECK(table.starts_with("ADDRESS "));
  CHECK(table.find("2001:db8:1:2::/64 ") != std::string::npos);
  CHECK(table.find("  nobody19") != std::string::npos);
  CHECK_NOTHROW(host.request("ban list").dump());  // whatever the login was made of

  CHECK(kind("ban lift") == "bad_syntax");
  CHECK(kind("ban lift", {{"all", true}, {"address", "192.0.2.7"}}) == "bad_syntax");
  CHECK(kind("ban lift", {{"address", "localhost"}}) == "bad_syntax");
  CHECK(printed("ban", "lift", {{"address", "2001:db8:1:2::/64"}}) == "lifted 1\n");
  CHECK(host.request("ban lift", {{"all", true}})["result"]["lifted"] == 1);
  CHECK(host.request("ban list")["result"].empty());
  CHECK(host.request("ban lift", {{"user", "Nobody3"}})["result"]["lifted"] == 1);
  CHECK(kind("ban lift", {{"user", "nobody3"}}) == "not_found");
}

TEST_CASE("activity adds up what the metrics have by label") {
  server::Metrics metrics;
  metrics.connections_total.at("imap").add(2);
  metrics.connections_total.at("lmtp").add(1);
  metrics.logins.at("imap", "PLAIN", "ok").add(5);
  metrics.logins.at("pop3", "PLAIN", "failed").add(1);
  metrics.logins.at("pop3", "PLAIN", "error").add(1);
  metrics.deliveries.at("ok").add(7);
  metrics.deliveries.at("tempfail").add(1);
  metrics.command_seconds.at("imap", "NOOP").observe(std::chrono::seconds(1));
  const server::Activity all = server::activity_of(metrics);
  CHECK(all.connections == 3);
  CHECK(all.logins == 5);
  CHECK(all.failed_logins == 2);
  CHECK(all.deliveries == 7);
  CHECK(all.commands == 1);
}
