// See connection.h.
#include "conformance/runner/connection.h"

#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace postkeep::conformance {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t logged_octets_max = 2000;  // of one piece of traffic

// A server that stalls within the handshake, or takes nothing, ends the wait too; connect() keeps to it as well.
void limit_waits(int descriptor) {
  timeval limit{};
  limit.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(patience).count();
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    ::setsockopt(descriptor, SOL_SOCKET, option, &limit, sizeof limit);
  }
}

int connect_to(const Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(endpoint.host.c_str(), endpoint.port.c_str(), &hints, &found) != 0) return -1;
  int descriptor = -1;
  for (const addrinfo* at = found; at != nullptr && descriptor < 0; at = at->ai_next) {
    descriptor = ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (descriptor < 0) continue;
    limit_waits(descriptor);
    if (::connect(descriptor, at->ai_addr, at->ai_addrlen) != 0) ::close(std::exchange(descriptor, -1));
  }
  ::freeaddrinfo(found);
  return descriptor;
}

}  // namespace

Result<Endpoint> parse_endpoint(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return failure(ErrorKind::bad_syntax, "expected host:port, not " + text);
  Endpoint endpoint;
  endpoint.host = text.substr(0, colon);
  endpoint.port = text.substr(colon + 1);
  if (endpoint.host.starts_with('[') && endpoint.host.ends_with(']')) {
    endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
  }
  return endpoint;
}

Result<std::unique_ptr<Connection>> Connection::open(const Endpoint& endpoint, std::string name,
                                                     std::vector<std::string>& log) {
  const int descriptor = connect_to(endpoint);
  if (descriptor < 0) {
    return failure(ErrorKind::unavailable, "cannot connect to " + endpoint.host + ":" + endpoint.port);
  }
  std::unique_ptr<Connection> connection(new Connection(descriptor, std::move(name), log));
  if (endpoint.tls) TRY(connection->start_tls());
  return connection;
}

Connection::~Connection() {
  if (tls_ != nullptr) SSL_free(tls_);
  if (tls_context_ != nullptr) SSL_CTX_free(tls_context_);
  ::close(descriptor_);
}

Outcome Connection::start_tls() {
  tls_context_ = SSL_CTX_new(TLS_client_method());
  // What is no data (a session ticket) must not keep a read waiting.
  SSL_CTX_clear_mode(tls_context_, SSL_MODE_AUTO_RETRY);
  tls_ = SSL_new(tls_context_);
  SSL_set_fd(tls_, descriptor_);
  if (SSL_connect(tls_) == 1) return {};
  return failure(ErrorKind::unavailable, "the TLS handshake failed");
}

void Connection::start_deflate() { deflate_ = std::make_unique<Deflate>(); }

void Connection::send(std::string_view octets) {
  note("C", octets);
  if (deflate_) {
    write(deflate_->compress(octets));
  } else {
    write(octets);
  }
}

void Connection::write(std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t count = tls_ != nullptr ? SSL_write(tls_, octets.data(), static_cast<int>(octets.size()))
                                          : ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (count <= 0) return;  // the server has hung up; what is read will tell
    octets.remove_prefix(static_cast<std::size_t>(count));
  }
}

bool Connection::wait_readable(Clock::time_point until) const {
  if (tls_ != nullptr && SSL_pending(tls_) > 0) return true;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
  pollfd wait{descriptor_, POLLIN, 0};
  return left.count() >= 0 && ::poll(&wait, 1, static_cast<int>(left.count())) == 1;
}

bool Connection::fill(Clock::time_point until) {
  std::array<char, 16384> buffer;  // NOLINT: filled by the read
  ssize_t count = 0;
  while (count <= 0) {
    if (closed_ || !wait_readable(until)) return false;
    const int size = static_cast<int>(buffer.size());
    count =
        tls_ != nullptr ? SSL_read(tls_, buffer.data(), size) : ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    const bool again = tls_ != nullptr ? SSL_get_error(tls_, static_cast<int>(count)) == SSL_ERROR_WANT_READ
                                       : count < 0 && (errno == EAGAIN || errno == EINTR);
    if (count > 0 || again) continue;
    closed_ = true;
    log_.push_back(name_ + " (closed)");
  }
  const std::string_view octets(buffer.data(), static_cast<std::size_t>(count));
  if (!deflate_) {
    take(octets);
    return true;
  }
  const std::optional<std::string> inflated = deflate_->inflate(octets);
  if (inflated) {
    take(*inflated);
  } else {
    closed_ = true;
    log_.push_back(name_ + " (what came is not DEFLATE)");
  }
  return inflated.has_value();
}

void Connection::take(std::string_view octets) {
  note("S", octets);
  received_ += octets;
  parser_.feed(octets);
  lines_ += octets;
}

Result<std::optional<imap::client::Response>> Connection::next(std::chrono::milliseconds limit) {
  const Clock::time_point until = Clock::now() + limit;
  for (;;) {
    auto response = parser_.next();
    if (!response) return failure(ErrorKind::bad_syntax, "what came is no IMAP response: " + response.error().text);
    if (*response) return response;
    if (!fill(until)) return std::optional<imap::client::Response>();
  }
}

std::optional<std::string> Connection::next_line(std::chrono::milliseconds limit) {
  const Clock::time_point until = Clock::now() + limit;
  for (;;) {
    const std::size_t end = lines_.find("\r\n");
    if (end != std::string::npos) {
      std::string line = lines_.substr(0, end);
      lines_.erase(0, end + 2);
      return line;
    }
    if (!fill(until)) return std::nullopt;
  }
}

void Connection::note(std::string_view direction, std::string_view octets) {
  const std::string_view shown = octets.substr(0, logged_octets_max);
  std::string line = name_ + " " + std::string(direction) + ": ";
  for (const char c : shown) {
    if (c == '\r') continue;
    line += c;
    if (c == '\n') line += name_ + " " + std::string(direction) + ": ";
  }
  if (line.ends_with("\n" + name_ + " " + std::string(direction) + ": ")) line.erase(line.rfind('\n'));
  if (octets.size() > shown.size()) line += " ... (" + std::to_string(octets.size()) + " octets)";
  log_.push_back(std::move(line));
}

}  // namespace postkeep::conformance
