// Stream: one client connection of the load generator, plain or under TLS, and with COMPRESS=DEFLATE (RFC 4978) from
// when it is asked to. It reads and writes the socket itself and asks Asio only to wait, so that a large answer costs
// one copy. Certificates are not checked. Used by one coroutine at a time, all on one thread. Whatever goes wrong is a
// std::runtime_error: a benchmark that meets a fault has no figure.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;
struct z_stream_s;

namespace postkeep::bench {

// What TLS connections share: the settings, and the last session if connections are to resume it (RFC 8446 §2.2).
class TlsClient {
 public:
  explicit TlsClient(bool resumes);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // A new connection's state, to be freed by SSL_free.
  ssl_st* start(int descriptor);
  // Called by OpenSSL, which hands over one reference.
  void keep(ssl_session_st* session);

 private:
  ssl_ctx_st* context_;
  ssl_session_st* session_ = nullptr;
  bool resumes_;
};

class Stream {
 public:
  explicit Stream(asio::io_context& io);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // With `tls` the handshake is done too; it outlives the stream.
  asio::awaitable<void> connect(const asio::ip::tcp::endpoint& server, TlsClient* tls);

  // Both directions are deflated from now on.
  void compress();

  asio::awaitable<void> send(std::string_view data);

  // The next line without its CRLF, if all of it has come; valid until fill().
  bool take_line(std::string_view& line);

  // Passes over octets that have come, `count` at most; tells how many.
  std::size_t pass(std::size_t count);

  // What has come and was not taken, without taking it.
  std::string_view waiting() const { return {buffer_.data() + begin_, end_ - begin_}; }

  // Waits for more; throws at the end of the stream.
  asio::awaitable<void> fill();

  // Like fill(), but false at the end of the stream.
  asio::awaitable<bool> fill_if_open();

  void close();

  bool was_resumed() const;

  // Octets that the program has taken from this stream, after decryption and inflation.
  std::uint64_t received() const { return received_; }
  // The same as they came over the wire, but for TLS records.
  std::uint64_t received_raw() const { return received_raw_; }

 private:
  asio::awaitable<std::size_t> read_raw(char* to, std::size_t room);  // 0: the end
  asio::awaitable<void> write_raw(std::string_view data);
  asio::awaitable<std::size_t> read_inflated(char* to, std::size_t room);
  asio::awaitable<void> wait_readable();
  asio::awaitable<void> wait_writable();
  void make_room();

  asio::ip::tcp::socket socket_;
  ssl_st* ssl_ = nullptr;
  std::unique_ptr<z_stream_s> inflate_, deflate_;
  std::vector<char> inflate_input_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t received_ = 0, received_raw_ = 0;
};

}  // namespace postkeep::bench
