// Transport: one non-blocking descriptor, plain or TLS, as steps that never wait. It says what to wait for
// and net/connection waits. OpenSSL works straight on the descriptor, and its buffers are released between
// records; asio::ssl would keep 34 KiB for each connection. One thread at a time.
//
// Invariants (each has a test): the error queue is empty before each OpenSSL call; none is made after a
// fatal error, but for freeing; a write that was refused is repeated with the same bytes first, and nothing is read
// meanwhile.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct ssl_st;

namespace postkeep::server {

class TlsContext;

enum class StepResult {
  done,        // `bytes` were moved (read, write), or it is finished (handshake, close)
  want_read,   // try again when the descriptor is readable; a write may say this too
  want_write,  // try again when it is writable; a read may say this too
  ended,       // the peer finished sending, properly or not
  failed,      // the connection is dead; error() says why
};

struct Step {
  StepResult result;
  std::size_t bytes = 0;
};

struct SslFree {
  void operator()(ssl_st* ssl) const;
};

class Transport {
 public:
  // Does not own the descriptor, which is non-blocking.
  explicit Transport(int descriptor) : descriptor_(descriptor) {}

  Step read(std::span<char> buffer);
  Step write(std::string_view bytes);  // not empty
  // As read(), but what it gives is still there. Plain only.
  Step peek(std::span<char> buffer);
  // From here on everything is TLS, as the server side; then handshake() until done.
  void begin_tls(const TlsContext& context);
  Step handshake();
  // Sends close_notify; does not wait for the peer's. `done` for plain.
  Step close_notify();

  int descriptor() const { return descriptor_; }
  // Nothing can be read until the write under way is finished.
  bool half_written() const { return half_written_; }
  bool is_tls() const { return ssl_ != nullptr; }
  const std::string& error() const { return error_; }
  // "TLSv1.3 TLS_AES_256_GCM_SHA384"; empty for plain.
  std::string tls_description() const;
  std::string tls_server_name() const;  // SNI; empty if the client sent none
  ssl_st* native_tls() const { return ssl_.get(); }

 private:
  Step receive(std::span<char> buffer, int flags);
  Step tls_step(int result);
  Step fail(std::string why);
  int descriptor_;
  // A record stands half written. Reading could find a KeyUpdate request (RFC 8446 §4.6.3) and OpenSSL would put its
  // answer into the middle, which it then calls a bad write retry, and fatal.
  bool half_written_ = false;
  bool dead_ = false;  // a fatal error happened: no OpenSSL call any more
  std::unique_ptr<ssl_st, SslFree> ssl_;
  std::string error_;
};

}  // namespace postkeep::server
