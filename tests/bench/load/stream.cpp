// See stream.h.
#include "tests/bench/load/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <zlib.h>

#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace postkeep::bench {

namespace {

constexpr std::size_t buffer_first = 2048;      // thousands of connections do nothing
constexpr std::size_t buffer_max = 256 * 1024;  // beyond it more only costs cache
constexpr std::size_t line_max = 64 * 1024 * 1024;

int on_new_session(SSL* ssl, SSL_SESSION* session) {
  static_cast<TlsClient*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0))->keep(session);
  return 1;
}

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

[[noreturn]] void fail_by_errno(const char* what) { fail(std::string(what) + ": " + std::strerror(errno)); }

bool must_wait() { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

TlsClient::TlsClient(bool resumes) : context_(SSL_CTX_new(TLS_client_method())), resumes_(resumes) {
  SSL_CTX_set_ex_data(context_, 0, this);
  SSL_CTX_set_read_ahead(context_, 1);
  SSL_CTX_set_default_read_buffer_len(context_, 64 * 1024);
  SSL_CTX_set_mode(context_,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context_, on_new_session);
}

TlsClient::~TlsClient() {
  SSL_SESSION_free(session_);
  SSL_CTX_free(context_);
}

SSL* TlsClient::start(int descriptor) {
  SSL* ssl = SSL_new(context_);
  SSL_set_fd(ssl, descriptor);
  SSL_set_connect_state(ssl);
  if (resumes_ && session_ != nullptr) SSL_set_session(ssl, session_);
  return ssl;
}

void TlsClient::keep(SSL_SESSION* session) {
  SSL_SESSION_free(session_);
  session_ = session;
}

Stream::Stream(asio::io_context& io) : socket_(io) {}

Stream::~Stream() { close(); }

void Stream::close() {
  if (ssl_ != nullptr) SSL_free(ssl_);
  ssl_ = nullptr;
  if (inflate_) ::inflateEnd(inflate_.get());
  if (deflate_) ::deflateEnd(deflate_.get());
  inflate_.reset();
  deflate_.reset();
  asio::error_code ignored;
  socket_.close(ignored);
}

asio::awaitable<void> Stream::connect(const asio::ip::tcp::endpoint& server, TlsClient* tls) {
  co_await socket_.async_connect(server, asio::use_awaitable);
  socket_.set_option(asio::ip::tcp::no_delay(true));
  socket_.native_non_blocking(true);
  if (tls == nullptr) co_return;
  ssl_ = tls->start(socket_.native_handle());
  for (;;) {
    const int done = SSL_do_handshake(ssl_);
    if (done == 1) co_return;
    const int error = SSL_get_error(ssl_, done);
    if (error == SSL_ERROR_WANT_READ) {
      co_await wait_readable();
    } else if (error == SSL_ERROR_WANT_WRITE) {
      co_await wait_writable();
    } else {
      fail("the TLS handshake failed");
    }
  }
}

bool Stream::was_resumed() const { return ssl_ != nullptr && SSL_session_reused(ssl_) == 1; }

void Stream::compress() {
  inflate_ = std::make_unique<z_stream_s>();
  deflate_ = std::make_unique<z_stream_s>();
  if (::inflateInit2(inflate_.get(), -MAX_WBITS) != Z_OK) fail("inflateInit2");
  if (::deflateInit2(deflate_.get(), 1, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) fail("deflateInit2");
  inflate_input_.resize(64 * 1024);
}

asio::awaitable<void> Stream::wait_readable() {
  co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, asio::use_awaitable);
}

asio::awaitable<void> Stream::wait_writable() {
  co_await socket_.async_wait(asio::ip::tcp::socket::wait_write, asio::use_awaitable);
}

asio::awaitable<void> Stream::send(std::string_view data) {
  if (!deflate_) {
    co_await write_raw(data);
    co_return;
  }
  std::vector<char> out(::deflateBound(deflate_.get(), data.size()) + 64);
  deflate_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  deflate_->avail_in = static_cast<uInt>(data.size());
  deflate_->next_out = reinterpret_cast<Bytef*>(out.data());
  deflate_->avail_out = static_cast<uInt>(out.size());
  ::deflate(deflate_.get(), Z_SYNC_FLUSH);
  const std::string_view deflated(out.data(), out.size() - deflate_->avail_out);
  co_await write_raw(deflated);
}

asio::awaitable<void> Stream::write_raw(std::string_view data) {
  while (!data.empty()) {
    if (ssl_ != nullptr) {
      ERR_clear_error();
      const int sent = SSL_write(ssl_, data.data(), static_cast<int>(std::min<std::size_t>(data.size(), 1 << 30)));
      if (sent > 0) {
        data.remove_prefix(static_cast<std::size_t>(sent));
        continue;
      }
      const int error = SSL_get_error(ssl_, sent);
      if (error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_WANT_READ) fail("SSL_write failed");
      if (error == SSL_ERROR_WANT_READ) fail("the server wants to renegotiate");
    } else {
      const ssize_t sent = ::send(socket_.native_handle(), data.data(), data.size(), MSG_NOSIGNAL);
      if (sent > 0) {
        data.remove_prefix(static_cast<std::size_t>(sent));
        continue;
      }
      if (!must_wait()) fail_by_errno("send");
    }
    co_await wait_writable();
  }
}

asio::awaitable<std::size_t> Stream::read_raw(char* to, std::size_t room) {
  for (;;) {
    if (ssl_ != nullptr) {
      ERR_clear_error();
      const int got = SSL_read(ssl_, to, static_cast<int>(room));
      if (got > 0) co_return static_cast<std::size_t>(got);
      const int error = SSL_get_error(ssl_, got);
      // Servers that close without a close_notify are at the end too.
      if (error == SSL_ERROR_ZERO_RETURN || error == SSL_ERROR_SYSCALL) co_return 0;
      if (error == SSL_ERROR_SSL && ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) co_return 0;
      if (error != SSL_ERROR_WANT_READ) fail("SSL_read failed");
    } else {
      const ssize_t got = ::recv(socket_.native_handle(), to, room, 0);
      if (got >= 0) co_return static_cast<std::size_t>(got);
      if (errno == ECONNRESET) co_return 0;
      if (!must_wait()) fail_by_errno("recv");
    }
    co_await wait_readable();
  }
}

asio::awaitable<std::size_t> Stream::read_inflated(char* to, std::size_t room) {
  for (;;) {
    inflate_->next_out = reinterpret_cast<Bytef*>(to);
    inflate_->avail_out = static_cast<uInt>(room);
    const int status = ::inflate(inflate_.get(), Z_SYNC_FLUSH);
    if (status != Z_OK && status != Z_BUF_ERROR && status != Z_STREAM_END) fail("what came is not deflated");
    const std::size_t made = room - inflate_->avail_out;
    if (made > 0) co_return made;
    if (status == Z_STREAM_END) co_return 0;
    const std::size_t got = co_await read_raw(inflate_input_.data(), inflate_input_.size());
    if (got == 0) co_return 0;
    received_raw_ += got;
    inflate_->next_in = reinterpret_cast<Bytef*>(inflate_input_.data());
    inflate_->avail_in = static_cast<uInt>(got);
  }
}

void Stream::make_room() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ < buffer_.size()) return;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    return;
  }
  if (buffer_.size() >= line_max) fail("a line has no end");
  buffer_.resize(buffer_.empty() ? buffer_first : buffer_.size() * 2);
}

asio::awaitable<bool> Stream::fill_if_open() {
  make_room();
  const std::size_t room = buffer_.size() - end_;
  std::size_t got = 0;
  if (inflate_) {
    got = co_await read_inflated(buffer_.data() + end_, room);
  } else {
    got = co_await read_raw(buffer_.data() + end_, room);
    received_raw_ += got;
  }
  end_ += got;
  received_ += got;
  // A server with much to say fills what it is given: give it more.
  if (got == room && buffer_.size() < buffer_max) buffer_.resize(buffer_.size() * 2);
  co_return got > 0;
}

asio::awaitable<void> Stream::fill() {
  const bool open = co_await fill_if_open();
  if (!open) fail("the server closed the connection");
}

bool Stream::take_line(std::string_view& line) {
  const char* start = buffer_.data() + begin_;
  const auto* end = static_cast<const char*>(std::memchr(start, '\n', end_ - begin_));
  if (end == nullptr) return false;
  const auto length = static_cast<std::size_t>(end - start);
  line = std::string_view(start, length > 0 && end[-1] == '\r' ? length - 1 : length);
  begin_ += length + 1;
  return true;
}

std::size_t Stream::pass(std::size_t count) {
  const std::size_t passed = std::min(count, end_ - begin_);
  begin_ += passed;
  return passed;
}

}  // namespace postkeep::bench
