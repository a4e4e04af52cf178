// Listener: one listening socket and the loop that accepts from it. TCP addresses and Unix sockets. Made by the App
// before it is ready; gives what it accepts to a function. Lives on the App's own thread.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "server/config/settings.h"
#include "server/net/connection.h"

namespace postkeep::server {

class Listener {
 public:
  // Gets a connected, non-blocking, close-on-exec descriptor, which it owns from then on.
  using OnAccept = std::function<void(int descriptor, Peer peer)>;
  // Told once when descriptors run out, and the like.
  using OnProblem = std::function<void(const std::string& address, const std::string& reason)>;

  // Binds and listens on everything that the address means: a name may have several, "*" has one for IPv4 and one for
  // IPv6. Port 0 is any free one. A Unix socket's stale file is removed; a live one is in_use. Blocking (name look-up).
  // Errors: unavailable, in_use; `detail` has address and reason.
  static Result<std::vector<std::unique_ptr<Listener>>> open(asio::io_context& io, const ListenAddress& address);
  // Takes over a socket that listens already, of the service manager's: never unlinked by us. Errors: cannot.
  static Result<std::unique_ptr<Listener>> adopt(asio::io_context& io, int descriptor);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Accepts until close(). `on_accept` runs on the io thread.
  asio::awaitable<void> run(OnAccept on_accept, OnProblem on_problem);
  // Stops listening at once; run() returns.
  void close();
  // "127.0.0.1:1143", "[::1]:1143" with the actual port, or "unix:/path".
  const std::string& address() const { return address_; }
  // Whether connections begin with a PROXY header.
  bool proxied() const { return proxied_; }
  void set_proxied(bool proxied) { proxied_ = proxied; }

 private:
  Listener(asio::io_context& io, int descriptor, std::string address, std::string unix_path);
  static Result<std::unique_ptr<Listener>> open_unix(asio::io_context& io, const ListenAddress& address);
  // Accepts what is there; false if the machine has no room for more connections right now.
  bool accept_waiting(const OnAccept& on_accept, std::string& reason);

  asio::posix::basic_stream_descriptor<asio::io_context::executor_type> descriptor_;
  asio::basic_waitable_timer<std::chrono::steady_clock> pause_;
  std::string address_;
  std::string unix_path_;
  bool proxied_ = false;
};

}  // namespace postkeep::server
