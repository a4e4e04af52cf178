// deliver's far side and its exit codes, on mail in memory; the program itself is tried by
// tests/integration/test_deliver.py.
#include <doctest/doctest.h>
#include <sysexits.h>

#include "tests/server/admin/fake_host.h"

using namespace postkeep;
using namespace postkeep::admin;
using Json = nlohmann::json;

namespace {

struct DeliverFixture {
  test::FakeHost host;
  DeliverFixture() {
    REQUIRE(host.request("user add", {{"name", "alice"}, {"verifiers", {"{PLAIN}x"}}}).contains("result"));
  }

  Result<Json> deliver(const std::string& text, std::size_t step = std::string::npos,
                       Json arguments = {{"user", "alice"}}) {
    test::FakeExchange exchange;
    for (std::size_t at = 0; at < text.size(); at += std::min(step, text.size()))
      exchange.put_octets(text.substr(at, step));
    return host.stream("deliver", "", arguments, exchange);
  }

  std::string stored(std::uint32_t uid) {
    std::string text;
    const auto read = [&](storage::AccountStore& account) -> Result<Json> {
      const storage::Mailbox inbox = account.find_mailbox(MailboxName::inbox()).value();
      const auto reader = account.open_message(inbox.id, Uid(uid)).value();
      return reader->read(0, reader->size(), text).has_value();
    };
    REQUIRE(host.with_account("alice", read).value() == true);
    return text;
  }
};

int exit_of(ErrorKind kind) {
  const Error error(kind, "");
  return find_command("deliver", "")->exit_status(exit_code(kind), &error);
}

}  // namespace

TEST_CASE_FIXTURE(DeliverFixture, "an mbox line goes and line ends are completed, in any cuts") {
  const std::string text = "From a@b Thu Nov 26 17:33:22 2026\r\nSubject: a\n\nFrom b\n";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    const std::uint32_t uid = deliver(text, step).value()["uid"];
    CHECK(stored(uid) == "Delivered-To: alice\r\nSubject: a\r\n\r\nFrom b\r\n");
  }
}

TEST_CASE_FIXTURE(DeliverFixture, "what only looks like the beginning of an mbox line stays") {
  for (const char* text : {"", "F", "From", "From: a@b", "Fr\r\n", "from a\r\n", ">From a\r\n"}) {
    CAPTURE(text);
    const std::uint32_t uid = deliver(text, 1).value()["uid"];
    CHECK(stored(uid) == std::string("Delivered-To: alice\r\n") + text);
  }
  const std::uint32_t uid = deliver("From a line without an end", 3).value()["uid"];
  CHECK(stored(uid) == "Delivered-To: alice\r\n");
}

TEST_CASE_FIXTURE(DeliverFixture, "the limit counts the message alone, and what is interrupted is not delivered") {
  host.settings_.limits.message_size = 10;
  CHECK(deliver(std::string(10, 'x')).has_value());
  CHECK(deliver(std::string(11, 'x')).error().kind == ErrorKind::too_big);
  test::FakeExchange exchange;
  exchange.put_octets("x");
  exchange.steps_left = 1;
  CHECK(host.stream("deliver", "", {{"user", "alice"}}, exchange).error().kind == ErrorKind::unavailable);
  CHECK(deliver("x").value()["uid"] == 2);
}

TEST_CASE_FIXTURE(DeliverFixture, "whose mail it is comes from the user, else from the address") {
  CHECK(deliver("x", 1, {{"address", "Alice+tag@localhost"}}).value()["user"] == "alice");
  CHECK(deliver("x", 1, {{"user", "alice"}, {"address", "nobody@example.com"}}).has_value());
  CHECK(deliver("x", 1, {{"address", "nobody@example.com"}}).error().kind == ErrorKind::not_found);
  CHECK(deliver("x", 1, {{"user", "alice"}, {"mailbox", "Nowhere"}}).value()["mailbox"] == "INBOX");
}

TEST_CASE("exit codes let an MTA bounce only what can never be delivered") {
  const auto status = find_command("deliver", "")->exit_status;
  CHECK(status(ExitCode::ok, nullptr) == 0);
  CHECK(status(ExitCode::usage, nullptr) == EX_USAGE);
  CHECK(status(ExitCode::bad_config, nullptr) == EX_TEMPFAIL);
  CHECK(exit_of(ErrorKind::not_found) == EX_NOUSER);
  CHECK(exit_of(ErrorKind::too_big) == EX_DATAERR);
  CHECK(exit_of(ErrorKind::quota_reached) == EX_NOPERM);
  for (const ErrorKind kind : {ErrorKind::unavailable, ErrorKind::in_use, ErrorKind::over_quota, ErrorKind::limit,
                               ErrorKind::no_permission, ErrorKind::corruption, ErrorKind::server_bug}) {
    CHECK(exit_of(kind) == EX_TEMPFAIL);
  }
}
