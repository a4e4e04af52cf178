#include "server/net/listener.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <cstring>

#include "tests/server/net/tls_peer.h"

using namespace postkeep;
using namespace postkeep::server;
using namespace std::chrono_literals;

namespace {

ListenAddress tcp(std::string host, std::uint16_t port) {
  ListenAddress address;
  address.host = std::move(host);
  address.port = port;
  address.text = address.host + ":" + std::to_string(port);
  return address;
}

ListenAddress unix_socket(std::string path) {
  ListenAddress address;
  address.kind = ListenAddress::Kind::unix_socket;
  address.path = path;
  address.text = "unix:" + path;
  return address;
}

std::uint16_t port_of(const Listener& listener) {
  return static_cast<std::uint16_t>(std::stoul(listener.address().substr(listener.address().rfind(':') + 1)));
}

test::Socket connect_tcp(std::uint16_t port) {
  test::Socket client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(client.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return client;
}

test::Socket connect_unix(const std::string& path) {
  test::Socket client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  REQUIRE(::connect(client.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return client;
}

struct Accepted {
  std::vector<Peer> peers;
  std::vector<std::string> problems;
  void start(asio::io_context& io, Listener& listener) {
    asio::co_spawn(io,
                   listener.run(
                       [this](int descriptor, Peer peer) {
                         ::close(descriptor);
                         peers.push_back(std::move(peer));
                       },
                       [this](const std::string&, const std::string& reason) { problems.push_back(reason); }),
                   asio::detached);
  }
};

}  // namespace

TEST_CASE("port 0 is a free port, and the listener says which") {
  asio::io_context io{1};
  auto opened = Listener::open(io, tcp("127.0.0.1", 0)).value();
  REQUIRE(opened.size() == 1);
  CHECK(opened.front()->address().starts_with("127.0.0.1:"));
  Accepted accepted;
  accepted.start(io, *opened.front());
  const test::Socket client = connect_tcp(port_of(*opened.front()));
  io.run_for(50ms);
  REQUIRE(accepted.peers.size() == 1);
  CHECK(accepted.peers.front().address == "127.0.0.1");
  CHECK(accepted.peers.front().port != 0);
  CHECK(accepted.peers.front().loopback);
}

TEST_CASE("IPv4 clients of a socket for both families have their own addresses") {
  asio::io_context io;
  const int descriptor = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  REQUIRE(descriptor >= 0);
  const int off = 0;
  REQUIRE(::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0);
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  REQUIRE(::bind(descriptor, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0);
  REQUIRE(::listen(descriptor, 4) == 0);
  const auto listener = must(Listener::adopt(io, descriptor));
  Accepted accepted;
  accepted.start(io, *listener);
  const test::Socket client = connect_tcp(port_of(*listener));
  while (accepted.peers.empty()) io.run_one();
  CHECK(accepted.peers.front().address == "127.0.0.1");
  CHECK(accepted.peers.front().loopback);
  listener->close();
  io.run();
}

TEST_CASE("an address that is taken is in_use") {
  asio::io_context io{1};
  auto first = Listener::open(io, tcp("127.0.0.1", 0)).value();
  const auto second = Listener::open(io, tcp("127.0.0.1", port_of(*first.front())));
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == ErrorKind::in_use);
}

TEST_CASE("a Unix socket that a dead server left is replaced, a live one is not") {
  const test::TemporaryDirectory directory;
  const std::string path = directory / "lmtp.sock";
  asio::io_context io{1};
  {
    const test::Socket dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    REQUIRE(::bind(dead.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  auto opened = Listener::open(io, unix_socket(path)).value();
  const auto again = Listener::open(io, unix_socket(path));
  REQUIRE_FALSE(again);
  CHECK(again.error().kind == ErrorKind::in_use);
  Accepted accepted;
  accepted.start(io, *opened.front());
  const test::Socket client = connect_unix(path);
  io.run_for(50ms);
  CHECK(accepted.peers.size() == 2);  // the probe of the second open, and the client
  CHECK(accepted.peers.back().address == "unix");
  opened.clear();
  CHECK(::access(path.c_str(), F_OK) != 0);
}

TEST_CASE("a listener that is closed accepts no more and its loop ends") {
  asio::io_context io{1};
  auto opened = Listener::open(io, tcp("127.0.0.1", 0)).value();
  Accepted accepted;
  accepted.start(io, *opened.front());
  io.run_for(10ms);
  opened.front()->close();
  io.restart();
  io.run();  // returns: nothing waits any more
  CHECK(accepted.peers.empty());
}

TEST_CASE("without descriptors left a listener pauses, says so once, and goes on later") {
  asio::io_context io{1};
  auto opened = Listener::open(io, tcp("127.0.0.1", 0)).value();
  Accepted accepted;
  accepted.start(io, *opened.front());
  const test::Socket client = connect_tcp(port_of(*opened.front()));
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(client.fd());  // every descriptor below is open
  while (const int filler = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
    if (filler > client.fd()) {
      ::close(filler);
      break;
    }
  }
  ::setrlimit(RLIMIT_NOFILE, &none);
  const std::size_t handlers = io.run_for(450ms);
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(accepted.peers.empty());
  CHECK(accepted.problems.size() == 1);
  CHECK(handlers < 50);  // it did not spin
  io.restart();
  io.run_for(500ms);
  CHECK(accepted.peers.size() == 1);
}
