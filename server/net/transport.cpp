#include "server/net/transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "protocol/base/ensure.h"
#include "server/net/tls_context.h"

namespace postkeep::server {

void SslFree::operator()(ssl_st* ssl) const { SSL_free(ssl); }

Step Transport::fail(std::string why) {
  dead_ = true;
  if (error_.empty()) error_ = std::move(why);
  return Step{StepResult::failed};
}

Step Transport::read(std::span<char> buffer) {
  if (dead_) return Step{StepResult::failed};
  if (ssl_) {
    if (half_written_) return Step{StepResult::want_write};
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &count);
    if (result == 1) return Step{StepResult::done, count};
    return tls_step(result);
  }
  return receive(buffer, 0);
}

Step Transport::peek(std::span<char> buffer) {
  ENSURE(!ssl_, "what is inside TLS cannot be seen before it is read");
  return dead_ ? Step{StepResult::failed} : receive(buffer, MSG_PEEK);
}

Step Transport::receive(std::span<char> buffer, int flags) {
  while (true) {
    const ssize_t count = ::recv(descriptor_, buffer.data(), buffer.size(), flags);
    if (count > 0) return Step{StepResult::done, static_cast<std::size_t>(count)};
    if (count == 0) return Step{StepResult::ended};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Step{StepResult::want_read};
    if (errno == ECONNRESET) return Step{StepResult::ended};
    return fail(std::string("recv: ") + std::strerror(errno));
  }
}

Step Transport::write(std::string_view bytes) {
  if (dead_) return Step{StepResult::failed};
  if (ssl_) {
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
    half_written_ = false;
    if (result == 1) return Step{StepResult::done, count};
    const Step step = tls_step(result);
    half_written_ = step.result == StepResult::want_write;
    return step.result == StepResult::ended ? fail("write: the peer closed the connection") : step;
  }
  while (true) {
    const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) return Step{StepResult::done, static_cast<std::size_t>(count)};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Step{StepResult::want_write};
    return fail(std::string("send: ") + std::strerror(errno));
  }
}

void Transport::begin_tls(const TlsContext& context) {
  ENSURE(!ssl_, "a connection starts TLS once");
  ERR_clear_error();
  ssl_.reset(SSL_new(context.native()));
  if (!ssl_ || SSL_set_fd(ssl_.get(), descriptor_) != 1) throw std::bad_alloc();
  SSL_set_accept_state(ssl_.get());
}

Step Transport::handshake() {
  if (dead_) return Step{StepResult::failed};
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) return Step{StepResult::done};
  return tls_step(result);
}

Step Transport::close_notify() {
  if (dead_) return Step{StepResult::failed};
  // Before the handshake is over there is nothing to notify, and OpenSSL calls it an error.
  if (!ssl_ || SSL_in_init(ssl_.get())) return Step{StepResult::done};
  ERR_clear_error();
  const int result = SSL_shutdown(ssl_.get());
  if (result >= 0) return Step{StepResult::done};
  return tls_step(result);
}

// What a call that did not succeed wants, from SSL_get_error; remembers fatal ones.
Step Transport::tls_step(int result) {
  const int saved_errno = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Step{StepResult::want_read};
    case SSL_ERROR_WANT_WRITE:
      return Step{StepResult::want_write};
    case SSL_ERROR_ZERO_RETURN:
      return Step{StepResult::ended};
    case SSL_ERROR_SYSCALL:
      dead_ = true;
      if (saved_errno == 0 || saved_errno == ECONNRESET || saved_errno == EPIPE) return Step{StepResult::ended};
      return fail(std::string("TLS: ") + std::strerror(saved_errno));
    default:
      break;
  }
  const unsigned long code = ERR_peek_error();
  dead_ = true;
  // The peer hung up without close_notify: an end like any other to line protocols with their own QUIT.
  if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return Step{StepResult::ended};
  char text[256];
  ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return fail(std::string("TLS: ") + text);
}

std::string Transport::tls_description() const {
  if (!ssl_) return {};
  return std::string(SSL_get_version(ssl_.get())) + ' ' + SSL_get_cipher_name(ssl_.get());
}

std::string Transport::tls_server_name() const {
  if (!ssl_) return {};
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string() : std::string(name);
}

}  // namespace postkeep::server
