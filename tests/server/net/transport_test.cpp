// The rules for OpenSSL on a non-blocking socket, each with a test (docs: TLS rules).
#include "server/net/transport.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <poll.h>

#include <array>
#include <thread>

#include "tests/server/net/tls_peer.h"

using namespace postkeep;
using namespace postkeep::server;
using test::Certificate;
using test::Socket;
using test::TlsClient;

namespace {

void wait_for(int descriptor, StepResult want) {
  pollfd waiting{descriptor, static_cast<short>(want == StepResult::want_read ? POLLIN : POLLOUT), 0};
  REQUIRE(::poll(&waiting, 1, 10'000) == 1);
}

bool readable(int descriptor) {
  pollfd waiting{descriptor, POLLIN, 0};
  return ::poll(&waiting, 1, 0) == 1;
}

// A transport after its handshake with a client in another thread.
struct Pair {
  explicit Pair(int min_version = 0, int max_version = 0, int buffer = 0)
      : ends(test::socket_pair(buffer)),
        owner(ends.first),
        transport(ends.first),
        client(ends.second.fd(), min_version, max_version) {
    ::fcntl(ends.first, F_SETFL, O_NONBLOCK);
    transport.begin_tls(*certificate.context());
    std::thread other([this] { client_done = client.handshake(); });
    Step step{};
    while ((step = transport.handshake()).result != StepResult::done) {
      if (step.result == StepResult::failed || step.result == StepResult::ended) break;
      wait_for(ends.first, step.result);
    }
    server_done = step.result == StepResult::done;
    if (!server_done) ::shutdown(ends.first, SHUT_RDWR);
    other.join();
  }
  Certificate certificate;
  std::pair<int, Socket> ends;
  Socket owner;
  Transport transport;
  TlsClient client;
  bool client_done = false;
  bool server_done = false;
};

std::string read_all_there_is(Transport& transport, std::size_t at_a_time) {
  std::string all;
  std::string buffer(at_a_time, '\0');
  while (true) {
    const Step step = transport.read(buffer);
    if (step.result != StepResult::done) return all;
    all.append(buffer, 0, step.bytes);
  }
}

}  // namespace

TEST_CASE("a record larger than the read buffer is given out though the socket has nothing more") {
  Pair pair;
  REQUIRE(pair.server_done);
  read_all_there_is(pair.transport, 100);
  const std::string sent(10'000, 'x');
  pair.client.send(sent);
  std::string buffer(100, '\0');
  const Step first = pair.transport.read(buffer);
  REQUIRE(first.result == StepResult::done);
  CHECK_FALSE(readable(pair.ends.first));  // who waited now would wait for ever
  CHECK(read_all_there_is(pair.transport, 100).size() + first.bytes == sent.size());
}

TEST_CASE("errors that others left in OpenSSL's queue do not end a connection") {
  Pair pair;
  REQUIRE(pair.server_done);
  read_all_there_is(pair.transport, 100);
  std::array<char, 100> buffer{};
  ERR_raise(ERR_LIB_USER, 1);
  CHECK(pair.transport.read(buffer).result == StepResult::want_read);
  ERR_raise(ERR_LIB_USER, 1);
  CHECK(pair.transport.write("x").result == StepResult::done);
  ERR_raise(ERR_LIB_USER, 1);
  CHECK(pair.transport.close_notify().result == StepResult::done);
}

TEST_CASE("after a fatal error nothing is asked of OpenSSL any more") {
  auto ends = test::socket_pair();
  const Socket owner(ends.first);
  ::fcntl(ends.first, F_SETFL, O_NONBLOCK);
  Certificate certificate;
  Transport transport(ends.first);
  transport.begin_tls(*certificate.context());
  ends.second.send("a1 LOGIN in plain text, where a ClientHello should be\r\n");
  REQUIRE(transport.handshake().result == StepResult::failed);
  const std::string reason = transport.error();
  CHECK_FALSE(reason.empty());
  std::array<char, 100> buffer{};
  CHECK(transport.handshake().result == StepResult::failed);
  CHECK(transport.read(buffer).result == StepResult::failed);
  CHECK(transport.write("x").result == StepResult::failed);
  CHECK(transport.close_notify().result == StepResult::failed);
  CHECK(transport.error() == reason);
}

TEST_CASE("a client that hangs up without close_notify has ended, not failed") {
  Pair pair;
  REQUIRE(pair.server_done);
  read_all_there_is(pair.transport, 100);
  pair.ends.second.close();
  std::array<char, 100> buffer{};
  CHECK(pair.transport.read(buffer).result == StepResult::ended);
  CHECK(pair.transport.write("x").result == StepResult::failed);
}

TEST_CASE("TLS 1.2 and 1.3 are spoken, TLS 1.1 is not") {
  CHECK(Pair(TLS1_3_VERSION, TLS1_3_VERSION).transport.tls_description().starts_with("TLSv1.3 "));
  CHECK(Pair(TLS1_2_VERSION, TLS1_2_VERSION).transport.tls_description().starts_with("TLSv1.2 "));
  const Pair old(TLS1_1_VERSION, TLS1_1_VERSION);
  CHECK_FALSE(old.server_done);
  CHECK_FALSE(old.client_done);
}

TEST_CASE("a client cannot renegotiate") {
  Pair pair(TLS1_2_VERSION, TLS1_2_VERSION);
  REQUIRE(pair.server_done);
  SSL_renegotiate(pair.client.ssl());
  bool renegotiated = true;
  std::thread other([&] { renegotiated = pair.client.handshake(); });
  wait_for(pair.ends.first, StepResult::want_read);
  std::array<char, 100> buffer{};
  // The refusal is a warning alert, after which the connection could go on. OpenSSL's client gives up on it, with an
  // alert of its own that may be here already.
  const StepResult result = pair.transport.read(buffer).result;
  CHECK((result == StepResult::want_read || result == StepResult::failed));
  other.join();
  CHECK_FALSE(renegotiated);
}

TEST_CASE("a write that was refused is repeated from other memory and loses nothing") {
  Pair pair(0, 0, 4096);
  REQUIRE(pair.server_done);
  std::string sent;
  for (int i = 0; sent.size() < 1'000'000; ++i) sent += std::to_string(i) + ',';
  std::string received;
  std::thread other([&] {
    while (received.size() < sent.size()) received += pair.client.receive(3000);
  });
  std::size_t offset = 0;
  unsigned refused = 0;
  while (offset < sent.size()) {
    const std::string elsewhere = sent.substr(offset);  // moves with every try
    const Step step = pair.transport.write(elsewhere);
    if (step.result == StepResult::done) {
      CHECK(step.bytes <= elsewhere.size());
      offset += step.bytes;
    } else {
      ++refused;
      wait_for(pair.ends.first, step.result);
    }
  }
  other.join();
  CHECK(refused > 0);
  CHECK(received == sent);
}

TEST_CASE("a session is resumed by its ticket for two key periods and no longer") {
  const Certificate certificate;
  auto now = std::chrono::steady_clock::time_point{};
  const auto keys = std::make_shared<TicketKeys>(std::chrono::hours(1), [&now] { return now; });
  const auto context = certificate.context(keys);
  SSL_SESSION* session = nullptr;
  const auto connect = [&] {
    auto ends = test::socket_pair();
    const Socket owner(ends.first);
    ::fcntl(ends.first, F_SETFL, O_NONBLOCK);
    Transport transport(ends.first);
    transport.begin_tls(*context);
    TlsClient client(ends.second.fd(), TLS1_2_VERSION, TLS1_2_VERSION);
    if (session != nullptr) SSL_set_session(client.ssl(), session);
    std::thread other([&] { client.handshake(); });
    for (Step step{}; (step = transport.handshake()).result != StepResult::done;) {
      wait_for(ends.first, step.result);
    }
    other.join();
    const bool resumed = SSL_session_reused(client.ssl()) == 1;
    if (session == nullptr) session = SSL_get1_session(client.ssl());
    SSL_shutdown(client.ssl());  // else OpenSSL takes the session for broken
    return resumed;
  };
  CHECK_FALSE(connect());
  CHECK(connect());
  now += std::chrono::minutes(61);
  CHECK(connect());  // by the previous key
  now += std::chrono::minutes(61);
  CHECK_FALSE(connect());
  SSL_SESSION_free(session);
}

TEST_CASE("ticket keys nobody used for two periods are forgotten") {
  auto now = std::chrono::steady_clock::time_point{};
  TicketKeys keys(std::chrono::hours(1), [&now] { return now; });
  const TicketKeys::Key first = keys.current();
  now += std::chrono::hours(5);
  TicketKeys::Key found;
  CHECK(keys.find(first.name, found) == TicketKeys::Age::unknown);
}
