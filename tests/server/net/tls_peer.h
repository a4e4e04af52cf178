// The other end of a connection in tests: a socket pair, and an OpenSSL client that blocks, for a thread of its own.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "server/net/tls_context.h"
#include "tests/support/temporary_directory.h"

namespace postkeep::test {

// A descriptor that is closed at the end. Reads give up after 10 s, so that a broken test ends.
class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {
    const timeval limit{10, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() { close(); }
  int fd() const { return descriptor_; }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }
  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) throw std::runtime_error("send");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Up to `max` octets; "" at the end of the stream.
  std::string receive(std::size_t max = 65536) const {
    std::string bytes(max, '\0');
    const ssize_t got = ::recv(descriptor_, bytes.data(), max, 0);
    if (got < 0) throw std::runtime_error("recv");
    bytes.resize(static_cast<std::size_t>(got));
    return bytes;
  }
  std::string receive_to_end() const {
    std::string all;
    while (true) {
      const std::string some = receive();
      if (some.empty()) return all;
      all += some;
    }
  }
  std::string receive_until(std::string_view end) const {
    std::string all;
    while (!all.ends_with(end)) {
      const std::string some = receive();
      if (some.empty()) throw std::runtime_error("end of stream after: " + all);
      all += some;
    }
    return all;
  }

 private:
  int descriptor_;
};

// {the server's end, not owned, which takes `buffer_octets` before the client must read; the client's}
inline std::pair<int, Socket> socket_pair(int buffer_octets = 0) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("socketpair");
  if (buffer_octets != 0) {
    ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &buffer_octets, sizeof buffer_octets);
  }
  return {ends[0], Socket(ends[1])};
}

// A server context with a certificate of its own.
class Certificate {
 public:
  Certificate() : files(server::ensure_self_signed(directory_.path(), "mail.example.org").value()) {}
  std::shared_ptr<const server::TlsContext> context(
      std::shared_ptr<server::TicketKeys> keys = std::make_shared<server::TicketKeys>()) const {
    return server::TlsContext::load({files}, server::TlsMinimum::tls_1_2, std::move(keys)).value();
  }

 private:
  TemporaryDirectory directory_;

 public:
  server::CertificateFiles files;
};

class TlsClient {
 public:
  // Versions 0: OpenSSL's own choice.
  explicit TlsClient(int descriptor, int min_version = 0, int max_version = 0)
      : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free), ssl_(nullptr, SSL_free) {
    SSL_CTX_set_min_proto_version(context_.get(), min_version);
    SSL_CTX_set_max_proto_version(context_.get(), max_version);
    if (max_version != 0 && max_version < TLS1_2_VERSION) SSL_CTX_set_cipher_list(context_.get(), "ALL:@SECLEVEL=0");
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), descriptor);
    SSL_set_connect_state(ssl_.get());
  }
  bool handshake() {
    ERR_clear_error();
    return SSL_do_handshake(ssl_.get()) == 1;
  }
  void send(std::string_view bytes) {
    ERR_clear_error();
    if (SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) != static_cast<int>(bytes.size())) {
      char why[256] = "";
      ERR_error_string_n(ERR_peek_error(), why, sizeof why);
      throw std::runtime_error(std::string("SSL_write: ") + why);
    }
  }
  // "" when the server has sent close_notify (then ended_properly()) or is gone.
  std::string receive(int max = 65536) {
    ERR_clear_error();
    std::string bytes(static_cast<std::size_t>(max), '\0');
    const int got = SSL_read(ssl_.get(), bytes.data(), max);
    if (got <= 0) {
      ended_properly_ = SSL_get_error(ssl_.get(), got) == SSL_ERROR_ZERO_RETURN;
      return {};
    }
    bytes.resize(static_cast<std::size_t>(got));
    return bytes;
  }
  std::string receive_to_end() {
    std::string all;
    while (true) {
      const std::string some = receive();
      if (some.empty()) return all;
      all += some;
    }
  }
  bool ended_properly() const { return ended_properly_; }
  SSL* ssl() { return ssl_.get(); }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  bool ended_properly_ = false;
};

}  // namespace postkeep::test
