#include "server/net/proxy_peer.h"

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <thread>

#include "tests/server/net/tls_peer.h"

using namespace postkeep;
using namespace postkeep::server;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

// What came of it, and what was read behind the header.
struct ProxyOutcome {
  std::string peer;  // "192.0.2.1,12345", or why there is none
  std::string behind;
};

asio::awaitable<void> take_header(Connection& connection, ProxyOutcome& outcome) {
  try {
    const auto peer = co_await read_proxy_peer(connection, 200ms);
    outcome.peer = peer ? peer->address + "," + std::to_string(peer->port) : peer.error().text;
    if (peer) {
      const std::size_t count = co_await connection.read_some(outcome.behind);
      CHECK(count == outcome.behind.size());
    }
  } catch (const ConnectionEnded& ended) {
    outcome.peer = to_string(ended.ending());
  }
}

ProxyOutcome outcome_of(const std::function<void(test::Socket&)>& in_front) {
  asio::io_context io{1};
  auto ends = test::socket_pair();
  Connection connection(io, ends.first, Peer{"10.0.0.1", 7, false});
  ProxyOutcome outcome;
  std::thread other([&] { in_front(ends.second); });
  bool done = false;
  asio::co_spawn(io, take_header(connection, outcome), [&](std::exception_ptr) { done = true; });
  while (!done) io.run_one();
  other.join();
  return outcome;
}

}  // namespace

TEST_CASE("the header is taken, and nothing behind it") {
  const auto outcome = outcome_of(
      [](test::Socket& in_front) { in_front.send("PROXY TCP4 192.0.2.1 198.51.100.2 12345 993\r\n\x16\x03\x01"); });
  CHECK(outcome.peer == "192.0.2.1,12345");
  CHECK(outcome.behind == "\x16\x03\x01");
}

TEST_CASE("a header may come in any pieces") {
  const auto outcome = outcome_of([](test::Socket& in_front) {
    for (const char c : "PROXY TCP6 2001:db8::1 ::1 1 2\r\nHello"s) {
      in_front.send(std::string_view(&c, 1));
      std::this_thread::sleep_for(1ms);
    }
  });
  CHECK(outcome.peer == "2001:db8::1,1");
  CHECK(outcome.behind.starts_with("H"));
}

TEST_CASE("who speaks for itself is itself") {
  const auto outcome = outcome_of([](test::Socket& in_front) { in_front.send("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0x"s); });
  CHECK(outcome.peer == "10.0.0.1,7");
  CHECK(outcome.behind == "x");
}

TEST_CASE("who sends no header, or not in time, gets nowhere") {
  CHECK(outcome_of([](test::Socket& in_front) { in_front.send("a1 NOOP\r\n"); }).peer.starts_with("PROXY header: "));
  CHECK(outcome_of([](test::Socket& in_front) { in_front.send("PROXY TCP4 1"); }).peer == "timed_out");
  CHECK(outcome_of([](test::Socket& in_front) { in_front.close(); }).peer == "PROXY header: the connection ended");
}
