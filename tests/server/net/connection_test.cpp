#include "server/net/connection.h"

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>

#include "server/runtime/awaits.h"
#include "server/runtime/task_group.h"
#include "tests/server/net/tls_peer.h"
#include "tests/support/results.h"

using namespace postkeep;
using namespace postkeep::server;
using namespace std::chrono_literals;
using test::Certificate;
using test::must;
using test::TlsClient;

namespace {

// A connection on this thread and its peer's socket.
struct World {
  explicit World(ConnectionTimeouts timeouts = quick(), int buffer = 0)
      : ends(test::socket_pair(buffer)), connection(io, ends.first, Peer{"unix", 0, true}, timeouts) {}
  static ConnectionTimeouts quick() {
    ConnectionTimeouts timeouts;
    timeouts.close = 100ms;  // the peers here do not close their side
    return timeouts;
  }
  test::Socket& peer() { return ends.second; }
  // Runs the coroutine to its end here while `client` runs on a thread.
  void run(
      asio::awaitable<void> server, const std::function<void()>& client = [] {}) {
    std::thread other(client);
    std::exception_ptr failure;
    bool done = false;
    asio::co_spawn(io, std::move(server), [&](std::exception_ptr ended) {
      failure = std::move(ended);
      done = true;
    });
    while (!done) io.run_one();  // not run(): a disarmed deadline's timer stays
    other.join();
    if (failure) std::rethrow_exception(failure);
  }
  asio::io_context io{1};
  std::pair<int, test::Socket> ends;
  Connection connection;
};

asio::awaitable<void> echo_lines(Connection& connection, std::string& all) {
  while (true) {
    std::string input;
    const std::size_t count = co_await connection.read_some(input);
    if (count == 0) break;
    all += input;
    co_await connection.write(input);
    co_await connection.flush();
  }
  co_await connection.close();
}

asio::awaitable<void> serve_tls(Connection& connection, std::shared_ptr<const TlsContext> context, std::string& all) {
  const Outcome started = co_await connection.start_tls(std::move(context));
  CHECK(started.has_value());
  if (started) co_await echo_lines(connection, all);
}

asio::awaitable<void> expect_ending(Connection& connection, Ending expected, std::string_view farewell) {
  std::optional<Ending> ended;
  try {
    std::string input;
    while (true) {
      const std::size_t count = co_await connection.read_some(input);
      if (count == 0) break;
    }
  } catch (const ConnectionEnded& reason) {
    ended = reason.ending();
  }
  CHECK(ended == expected);
  connection.output() += farewell;
  co_await connection.close();
}

asio::awaitable<void> stop_after(Connection& connection, std::chrono::milliseconds time, Ending ending) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
  connection.request_end(ending);
}

std::string numbers(std::size_t octets) {
  std::string text;
  for (int i = 0; text.size() < octets; ++i) text += std::to_string(i) + "\r\n";
  return text;
}

// The octets of write_large() between others, and a piece that is not large.
asio::awaitable<void> send_around(Connection& connection, std::string_view large) {
  connection.output() += "before";
  co_await connection.write_large(large);
  co_await connection.write_large("small");
  connection.output() += "after";
  co_await connection.close();
}

}  // namespace

TEST_CASE("what a peer sends comes out, and the other way, however it is cut") {
  World world(World::quick(), 4096);
  const std::string sent = numbers(200'000);
  std::string received, all;
  world.run(echo_lines(world.connection, all), [&] {
    std::thread reader([&] { received = world.peer().receive_to_end(); });
    for (std::size_t i = 0; i < sent.size(); i += 777) world.peer().send(std::string_view(sent).substr(i, 777));
    ::shutdown(world.peer().fd(), SHUT_WR);
    reader.join();
  });
  CHECK(all == sent);
  CHECK(received == sent);
  CHECK(world.connection.bytes_received() == sent.size());
  CHECK(world.connection.bytes_sent() == sent.size());
}

TEST_CASE("the same over TLS, and the end is announced by close_notify") {
  World world(World::quick(), 4096);
  const Certificate certificate;
  const std::string sent = numbers(200'000);
  std::string received, all;
  bool proper = false;
  world.run(serve_tls(world.connection, certificate.context(), all), [&] {
    TlsClient client(world.peer().fd());
    REQUIRE(client.handshake());
    std::size_t got = 0;
    for (std::size_t i = 0; i < sent.size(); i += 7'777) {
      const std::string part = sent.substr(i, 7'777);
      client.send(part);
      while (got < i + part.size()) {
        received += client.receive();
        got = received.size();
      }
    }
    SSL_shutdown(client.ssl());
    received += client.receive_to_end();
    proper = client.ended_properly();
  });
  CHECK(all == sent);
  CHECK(received == sent);
  CHECK(proper);
  CHECK(world.connection.is_tls());
}

namespace {

asio::awaitable<void> stream(Connection& connection, std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 10'000) co_await connection.write(bytes.substr(i, 10'000));
  co_await connection.flush();
}

asio::awaitable<void> collect(Connection& connection, std::string& all, std::size_t octets) {
  while (all.size() < octets) {
    const std::size_t count = co_await connection.read_some(all);
    if (count == 0) co_return;
  }
}

asio::awaitable<void> stream_and_collect(Connection& connection, std::shared_ptr<const TlsContext> context,
                                         std::string_view out, std::string& in, std::size_t in_octets) {
  const Outcome started = co_await connection.start_tls(std::move(context));
  REQUIRE(started.has_value());
  TaskGroup group(connection.executor());
  group.spawn(stream(connection, out));
  group.spawn(collect(connection, in, in_octets));
  co_await group.join();
  co_await connection.close();
}

}  // namespace

TEST_CASE("reading may want to write and writing may want to read: key updates in both directions") {
  World world(World::quick(), 8192);
  const Certificate certificate;
  const std::string out = numbers(600'000);
  std::string in, expected_in, received;
  for (int i = 0; i < 200; ++i) expected_in += "line " + std::to_string(i) + "\r\n";
  world.run(stream_and_collect(world.connection, certificate.context(), out, in, expected_in.size()), [&] {
    TlsClient client(world.peer().fd(), TLS1_3_VERSION, TLS1_3_VERSION);
    REQUIRE(client.handshake());
    // The server's socket is full of output by now, and each request wants an answer through it.
    for (int i = 0; i < 200; ++i) {
      REQUIRE(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED) == 1);
      client.send("line " + std::to_string(i) + "\r\n");
      received += client.receive(2'000);
    }
    received += client.receive_to_end();
  });
  CHECK(in == expected_in);
  CHECK(received == out);
}

TEST_CASE("an idle connection holds no output buffer") {
  World world;
  std::string received;
  world.run(stream(world.connection, numbers(300'000)), [&] {
    while (received.size() < 300'000) received += world.peer().receive();
  });
  CHECK(world.connection.output().capacity() < 64);
}

TEST_CASE("a peer that says nothing is told so when its time is over") {
  World world;
  world.connection.set_read_timeout(30ms);
  std::string received;
  world.run(expect_ending(world.connection, Ending::timed_out, "* BYE too slow\r\n"),
            [&] { received = world.peer().receive_to_end(); });
  CHECK(received == "* BYE too slow\r\n");
}

TEST_CASE("a peer that sends an octet now and then cannot stretch its time limit") {
  World world;
  world.connection.set_read_timeout(10s);
  world.connection.set_time_limit(60ms);
  const auto start = std::chrono::steady_clock::now();
  world.run(expect_ending(world.connection, Ending::timed_out, "bye"), [&] {
    for (int i = 0; i < 20; ++i) {
      if (::send(world.peer().fd(), "x", 1, MSG_NOSIGNAL) < 0) break;
      std::this_thread::sleep_for(10ms);
    }
    world.peer().close();
  });
  CHECK(std::chrono::steady_clock::now() - start < 5s);
}

TEST_CASE("shutdown ends the wait for input, and the farewell still goes out") {
  World world;
  std::string received;
  asio::co_spawn(world.io, stop_after(world.connection, 20ms, Ending::shutting_down), asio::detached);
  world.run(expect_ending(world.connection, Ending::shutting_down, "* BYE\r\n"),
            [&] { received = world.peer().receive_to_end(); });
  CHECK(received == "* BYE\r\n");
}

TEST_CASE("shutdown does not cut a command's output short") {
  World world(World::quick(), 4096);
  const std::string out = numbers(300'000);
  std::string received;
  asio::co_spawn(world.io, stop_after(world.connection, 10ms, Ending::shutting_down), asio::detached);
  world.run(stream(world.connection, out), [&] {
    std::this_thread::sleep_for(50ms);
    while (received.size() < out.size()) received += world.peer().receive();
  });
  CHECK(received == out);
}

TEST_CASE("what is large goes out behind what waits, before what follows, compressed or not") {
  for (const bool compressed : {false, true}) {
    CAPTURE(compressed);
    World world(World::quick(), 4096);
    if (compressed) world.connection.start_deflate(6);
    const std::string large = numbers(300'000);
    std::string received;
    world.run(send_around(world.connection, large), [&] { received = world.peer().receive_to_end(); });
    if (compressed) {
      DeflateStream inflater(6);
      inflater.feed(received);
      received.clear();
      while (must(inflater.inflate(received, 65536)) > 0) continue;
    }
    CHECK((received == "before" + large + "small" + "after"));
  }
}

TEST_CASE("a reader that takes nothing is cut off") {
  ConnectionTimeouts timeouts;
  timeouts.write = 50ms;
  World world(timeouts, 4096);
  std::optional<Ending> ended;
  try {
    world.run(stream(world.connection, numbers(1'000'000)));
  } catch (const ConnectionEnded& reason) {
    ended = reason.ending();
    CHECK_FALSE(reason.may_say_goodbye());
  }
  CHECK(ended == Ending::stalled);
}

TEST_CASE("a handshake has its deadline") {
  ConnectionTimeouts timeouts;
  timeouts.handshake = 30ms;
  World world(timeouts);
  const Certificate certificate;
  bool failed = false;
  const auto handshake = [](Connection& connection, std::shared_ptr<const TlsContext> context,
                            bool& out) -> asio::awaitable<void> {
    const Outcome started = co_await connection.start_tls(std::move(context));
    out = !started;
  };
  world.run(handshake(world.connection, certificate.context(), failed));
  CHECK(failed);
}

TEST_CASE("what came in plain text before STARTTLS was answered is noticed") {
  World world;
  CHECK_FALSE(world.connection.unread_plaintext());
  world.peer().send("a2 LOGIN smuggled in\r\n");
  CHECK(world.connection.unread_plaintext());
}

TEST_CASE("close waits for a slow peer no longer than its time") {
  ConnectionTimeouts timeouts;
  timeouts.close = 50ms;
  World world(timeouts);
  const auto start = std::chrono::steady_clock::now();
  world.run(world.connection.close());  // the peer never closes its side
  CHECK(std::chrono::steady_clock::now() - start < 5s);
  CHECK(world.peer().receive().empty());
}

TEST_CASE("a server that stops waits for an idle peer only shortly") {
  ConnectionTimeouts timeouts;
  timeouts.close = 60s;
  timeouts.drain_at_stop = 50ms;
  World world(timeouts);
  world.connection.request_end(Ending::shutting_down);
  world.connection.output() += "421 The server is shutting down\r\n";
  const auto start = std::chrono::steady_clock::now();
  world.run(world.connection.close());  // the peer never closes its side
  CHECK(std::chrono::steady_clock::now() - start < 30s);
  CHECK(world.peer().receive() == "421 The server is shutting down\r\n");
}

TEST_CASE("a connection that was cut throws at whoever waits on it") {
  World world;
  asio::post(world.io, [&] { world.connection.abort(); });
  world.run(expect_ending(world.connection, Ending::aborted, ""));
}
