#include "server/net/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "server/runtime/awaits.h"

namespace postkeep::server {
namespace {

constexpr int backlog = 1024;
constexpr int accepts_in_a_row = 64;  // then others on this thread have their turn
constexpr std::chrono::milliseconds pause_when_full{200};

tl::unexpected<Error> cannot_listen(const std::string& address, const char* call, int error) {
  const ErrorKind kind = error == EADDRINUSE ? ErrorKind::in_use : ErrorKind::unavailable;
  return failure(kind, "Cannot listen on " + address, std::string(call) + ": " + std::strerror(error));
}

std::string to_text(const sockaddr* address, std::string& host, std::uint16_t& port) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
    port = ntohs(v6->sin6_port);
    host = text;
    return "[" + host + "]:" + std::to_string(port);
  }
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
  inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
  port = ntohs(v4->sin_port);
  host = text;
  return host + ":" + std::to_string(port);
}

bool is_loopback(const sockaddr* address) {
  if (address->sa_family == AF_INET6) {
    return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
  }
  return (ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr) >> 24) == 127;
}

// A socket for both families, as systemd makes them, gives IPv4 addresses as IPv6 ones (RFC 4291 §2.5.5.2). All of them
// have one /64, and none is loopback.
sockaddr_storage unmapped(const sockaddr_storage& storage) {
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
  if (storage.ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return storage;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = v6.sin6_port;
  std::memcpy(&v4.sin_addr, &v6.sin6_addr.s6_addr[12], sizeof v4.sin_addr);
  sockaddr_storage plain{};
  std::memcpy(&plain, &v4, sizeof v4);
  return plain;
}

Peer peer_of(const sockaddr_storage& accepted) {
  const sockaddr_storage storage = unmapped(accepted);
  const auto* address = reinterpret_cast<const sockaddr*>(&storage);
  Peer peer;
  if (address->sa_family == AF_INET || address->sa_family == AF_INET6) {
    to_text(address, peer.address, peer.port);
    peer.loopback = is_loopback(address);
  } else {
    peer.address = "unix";
    peer.loopback = true;
  }
  return peer;
}

// A listening socket, or -1 with errno.
int listen_on(const addrinfo& info, std::uint16_t port) {
  const int descriptor = ::socket(info.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (info.ai_family == AF_INET6) ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  sockaddr_storage address{};
  std::memcpy(&address, info.ai_addr, info.ai_addrlen);
  if (info.ai_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&address)->sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in*>(&address)->sin_port = htons(port);
  }
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), info.ai_addrlen) != 0 ||
      ::listen(descriptor, backlog) != 0) {
    const int saved = errno;
    ::close(descriptor);
    errno = saved;
    return -1;
  }
  return descriptor;
}

bool answers(const sockaddr_un& address) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const bool connected = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(probe);
  return connected;
}

}  // namespace

Listener::Listener(asio::io_context& io, int descriptor, std::string address, std::string unix_path)
    : descriptor_(io.get_executor(), descriptor),
      pause_(io.get_executor()),
      address_(std::move(address)),
      unix_path_(std::move(unix_path)) {}

Listener::~Listener() { close(); }

Result<std::vector<std::unique_ptr<Listener>>> Listener::open(asio::io_context& io, const ListenAddress& address) {
  std::vector<std::unique_ptr<Listener>> opened;
  if (address.kind == ListenAddress::Kind::unix_socket) {
    opened.push_back(TRY(open_unix(io, address)));
    return opened;
  }
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const bool everywhere = address.host.empty() || address.host == "*";
  const int error = ::getaddrinfo(everywhere ? nullptr : address.host.c_str(), "0", &hints, &found);
  if (error != 0) return failure(ErrorKind::unavailable, "Cannot listen on " + address.text, ::gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  std::uint16_t port = address.port;
  int last_error = 0;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    const int descriptor = listen_on(*info, port);
    if (descriptor < 0) {
      last_error = errno;
      // A machine without IPv6 still has both addresses of "localhost" or "*" in its tables.
      if (last_error == EAFNOSUPPORT || last_error == EADDRNOTAVAIL) continue;
      return cannot_listen(address.text, "bind", last_error);
    }
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size);
    std::string host;
    std::string text = to_text(reinterpret_cast<const sockaddr*>(&bound), host, port);  // port 0: one for all
    opened.push_back(std::unique_ptr<Listener>(new Listener(io, descriptor, std::move(text), {})));
  }
  if (opened.empty()) return cannot_listen(address.text, "bind", last_error);
  return opened;
}

Result<std::unique_ptr<Listener>> Listener::open_unix(asio::io_context& io, const ListenAddress& address) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (address.path.size() >= sizeof name.sun_path) return cannot_listen(address.text, "bind", ENAMETOOLONG);
  std::memcpy(name.sun_path, address.path.data(), address.path.size());
  struct stat info {};
  if (::lstat(address.path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode)) {
    if (answers(name)) return cannot_listen(address.text, "bind", EADDRINUSE);
    ::unlink(address.path.c_str());  // of a server that was killed
  }
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return cannot_listen(address.text, "socket", errno);
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
      ::listen(descriptor, backlog) != 0) {
    const int saved = errno;
    ::close(descriptor);
    return cannot_listen(address.text, "bind", saved);
  }
  // The MTA runs as another user. Who may come near is decided by the folder's mode.
  ::chmod(address.path.c_str(), 0666);
  return std::unique_ptr<Listener>(new Listener(io, descriptor, "unix:" + address.path, address.path));
}

Result<std::unique_ptr<Listener>> Listener::adopt(asio::io_context& io, int descriptor) {
  int listens = 0, type = 0;
  socklen_t size = sizeof listens;
  const bool is_socket = ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 &&
                         ::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
  if (!is_socket || listens == 0 || type != SOCK_STREAM) {
    return failure(ErrorKind::cannot, "A descriptor that was passed is no listening stream socket",
                   "descriptor " + std::to_string(descriptor));
  }
  sockaddr_storage bound{};
  size = sizeof bound;
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size);
  std::string text;
  if (bound.ss_family == AF_UNIX) {
    text = std::string("unix:") + reinterpret_cast<const sockaddr_un*>(&bound)->sun_path;
  } else {
    std::string host;
    std::uint16_t port = 0;
    text = to_text(reinterpret_cast<const sockaddr*>(&bound), host, port);
  }
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  return std::unique_ptr<Listener>(new Listener(io, descriptor, std::move(text), {}));
}

void Listener::close() {
  if (!descriptor_.is_open()) return;
  asio::error_code ignored;
  descriptor_.close(ignored);
  pause_.cancel();
  if (!unix_path_.empty()) ::unlink(unix_path_.c_str());
}

asio::awaitable<void> Listener::run(OnAccept on_accept, OnProblem on_problem) {
  bool told = false;
  while (descriptor_.is_open()) {
    asio::error_code error;
    co_await descriptor_.async_wait(asio::posix::descriptor_base::wait_read, into(error));
    if (error || !descriptor_.is_open()) break;
    std::string reason;
    if (accept_waiting(on_accept, reason)) {
      told = false;
      continue;
    }
    // The connection that found no room keeps the socket readable: without a pause this would spin.
    if (!std::exchange(told, true)) on_problem(address_, reason);
    pause_.expires_after(pause_when_full);
    co_await pause_.async_wait(into(error));
  }
}

bool Listener::accept_waiting(const OnAccept& on_accept, std::string& reason) {
  for (int i = 0; i < accepts_in_a_row && descriptor_.is_open(); ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int accepted = ::accept4(descriptor_.native_handle(), reinterpret_cast<sockaddr*>(&address), &size,
                                   SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) {
      const int on = 1;
      if (address.ss_family != AF_UNIX) {
        ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::setsockopt(accepted, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);  // phones vanish without a word
      }
      on_accept(accepted, peer_of(address));
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      reason = std::strerror(errno);
      return false;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
    // Anything else is about that one connection, which is gone already (accept(2)).
  }
  return true;
}

}  // namespace postkeep::server
