#include "server/net/connection.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "protocol/base/ensure.h"
#include "server/metrics/metrics.h"
#include "server/net/tls_context.h"
#include "server/runtime/awaits.h"

namespace postkeep::server {
namespace {

constexpr unsigned reads_before_yield = 16;       // see read_some()
constexpr std::size_t write_slice = 128 * 1024;   // offered to one write call
constexpr std::chrono::seconds park_delay{2};     // without traffic, before the memory of compression is given back
constexpr std::size_t drain_bytes_max = 4 << 20;  // thrown away at the end before we hang up on a flood

// Where bytes land before they are handed on. Never used across a suspension, so one for each thread does.
std::span<char> scratch() {
  thread_local std::array<char, Connection::read_bytes_max> buffer;
  return buffer;
}

SteadyTime after(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

}  // namespace

std::string_view to_string(Ending ending) {
  switch (ending) {
    case Ending::none:
      return "none";
    case Ending::timed_out:
      return "timed_out";
    case Ending::shutting_down:
      return "shutting_down";
    case Ending::stalled:
      return "stalled";
    case Ending::failed:
      return "failed";
    case Ending::aborted:
      return "aborted";
  }
  return "unknown";
}

Connection::Connection(asio::io_context& io, int descriptor, Peer peer, ConnectionTimeouts timeouts)
    : descriptor_(io.get_executor(), descriptor),
      transport_(descriptor),
      peer_(std::move(peer)),
      timeouts_(timeouts),
      deadline_(io.get_executor(), [this] { on_deadline(); }) {
  descriptor_.native_non_blocking(true);
}

Connection::~Connection() = default;

void Connection::set_time_limit(std::chrono::milliseconds from_now) { time_limit_ = after(from_now); }

asio::awaitable<std::size_t> Connection::read_some(std::string& into) {
  if (must_yield()) co_await yield_thread(executor());
  while (true) {
    check_alive(Direction::reading);
    if (deflate_) {
      const std::size_t count = inflate_some(into);
      if (count > 0 || deflate_->ended()) co_return count;
    }
    const std::span<char> buffer = scratch();
    const Step step = transport_.read(buffer);
    switch (step.result) {
      case StepResult::done:
        received_ += step.bytes;
        last_input_ = std::chrono::steady_clock::now();
        metrics().received_bytes.add(step.bytes);
        if (deflate_) {
          deflate_->feed(std::string_view(buffer.data(), step.bytes));
          // It may be that nothing comes out of it, for as long as the peer likes.
          if (must_yield()) co_await yield_thread(executor());
          continue;
        }
        into.append(buffer.data(), step.bytes);
        co_return step.bytes;
      case StepResult::ended:
        co_return 0;
      case StepResult::failed:
        throw ConnectionEnded(Ending::failed, transport_.error());
      case StepResult::want_read:
      case StepResult::want_write:
        break;
    }
    reads_in_a_row_ = 0;
    reader_held_ = transport_.half_written();
    co_await wait(step.result, Direction::reading);
    reader_held_ = false;
  }
}

asio::awaitable<std::string> Connection::peek() {
  while (true) {
    check_alive(Direction::reading);
    const std::span<char> buffer = scratch();
    const Step step = transport_.peek(buffer);
    if (step.result == StepResult::done) co_return std::string(buffer.data(), step.bytes);
    if (step.result == StepResult::ended) co_return std::string();
    if (step.result == StepResult::failed) throw ConnectionEnded(Ending::failed, transport_.error());
    co_await wait(step.result, Direction::reading);
  }
}

void Connection::skip(std::size_t octets) {
  while (octets > 0) {
    const std::span<char> buffer = scratch();
    const Step step = transport_.read(buffer.first(std::min(octets, buffer.size())));
    ENSURE(step.result == StepResult::done, "only what peek() has shown is skipped");
    octets -= step.bytes;
    received_ += step.bytes;
    metrics().received_bytes.add(step.bytes);
  }
}

// A peer whose bytes are always there already must not keep the thread from the others.
bool Connection::must_yield() {
  if (++reads_in_a_row_ <= reads_before_yield) return false;
  reads_in_a_row_ = 0;
  return true;
}

std::size_t Connection::inflate_some(std::string& into) {
  const Result<std::size_t> count = deflate_->inflate(into, read_bytes_max);
  if (!count) throw ConnectionEnded(Ending::failed, count.error().text);
  park_at_ = after(park_delay);
  return *count;
}

void Connection::start_deflate(int level) {
  ENSURE(output_.empty() && !flushing_ && !deflate_, "what came before compression is sent before it starts");
  deflate_ = std::make_unique<DeflateStream>(level);
}

std::string Connection::stop_deflate() {
  ENSURE(output_.empty() && !flushing_ && deflate_, "what is compressed is sent before compression ends");
  std::string behind = deflate_->take_rest();
  deflate_.reset();
  park_at_ = SteadyTime::max();
  return behind;
}

bool Connection::unread_plaintext() const {
  int count = 0;
  return !is_tls() && ::ioctl(transport_.descriptor(), FIONREAD, &count) == 0 && count > 0;
}

// Who writes to the peer says so here.
class Connection::Writing {
 public:
  explicit Writing(bool& flag) : flag_(flag) {
    ENSURE(!flag_, "one writer at a time");
    flag_ = true;
  }
  ~Writing() { flag_ = false; }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;

 private:
  bool& flag_;
};

asio::awaitable<void> Connection::flush() {
  const Writing writing(flushing_);
  while (!output_.empty()) {
    take_output();
    co_await send(sending_);
  }
  std::string().swap(sending_);                       // an idle connection keeps no buffer
  if (park_at_ != SteadyTime::max()) arm_deadline();  // the reader may be waiting for long already
}

asio::awaitable<void> Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    check_alive(Direction::writing);
    const Step step = transport_.write(bytes.substr(0, write_slice));
    if (step.result == StepResult::done) {
      bytes.remove_prefix(step.bytes);
      sent_ += step.bytes;
      metrics().sent_bytes.add(step.bytes);
      // Its turn is between two records, or it would wait for as long as there is something to send.
      if (reader_held_) co_await yield_thread(executor());
      continue;
    }
    if (step.result == StepResult::failed) throw ConnectionEnded(Ending::failed, transport_.error());
    co_await wait(step.result, Direction::writing);
  }
}

void Connection::take_output() {
  sending_.clear();
  if (!deflate_) {
    sending_.swap(output_);
    return;
  }
  deflate_->compress(output_, sending_);
  std::string().swap(output_);
  park_at_ = after(park_delay);
}

asio::awaitable<void> Connection::flush_if_large() {
  if (output_.size() >= output_bytes_high) co_await flush();
}

asio::awaitable<void> Connection::write(std::string_view bytes) {
  output_.append(bytes);
  if (output_.size() >= output_bytes_high) co_await flush();
}

asio::awaitable<void> Connection::write_large(std::string_view bytes) {
  // What is compressed is copied, so it goes in small pieces.
  while (!bytes.empty() && (deflate_ || bytes.size() < output_bytes_high)) {
    output_.append(bytes.substr(0, output_bytes_high));
    bytes.remove_prefix(std::min(bytes.size(), output_bytes_high));
    co_await flush_if_large();
  }
  if (bytes.empty()) co_return;
  co_await flush();
  const Writing writing(flushing_);
  co_await send(bytes);
}

asio::awaitable<Outcome> Connection::start_tls(std::shared_ptr<const TlsContext> context) {
  ENSURE(output_.empty() && !flushing_, "plaintext output is sent before TLS starts");
  transport_.begin_tls(*context);
  const SteadyTime limit_before = std::exchange(time_limit_, std::min(time_limit_, after(timeouts_.handshake)));
  while (true) {
    if (dead_ || ending_ != Ending::none) {
      co_return failure(ErrorKind::unavailable, "TLS handshake not finished", std::string(to_string(ending_)));
    }
    const Step step = transport_.handshake();
    if (step.result == StepResult::done) break;
    if (step.result == StepResult::ended) {
      co_return failure(ErrorKind::unavailable, "TLS handshake not finished", "the peer closed the connection");
    }
    if (step.result == StepResult::failed) {
      co_return failure(ErrorKind::unavailable, "TLS handshake failed", transport_.error());
    }
    co_await wait(step.result, Direction::reading);
  }
  time_limit_ = limit_before;
  co_return Outcome();
}

asio::awaitable<void> Connection::close() {
  if (!descriptor_.is_open()) co_return;
  close_until_ = after(timeouts_.close);
  arm_deadline();
  try {
    co_await flush();
    // Sent in one step or not at all: an alert fits into any socket buffer that has room.
    if (!dead_) transport_.close_notify();
    if (ending_ == Ending::shutting_down) close_until_ = std::min(close_until_, after(timeouts_.drain_at_stop));
    if (!dead_) co_await drain();
  } catch (const ConnectionEnded&) {
    // There is nobody left to say goodbye to.
  }
  shutdown_descriptor();
}

// Without this the kernel resets the connection when unread input is thrown away, and the reset can
// overtake our last words (RFC 1122 §4.2.2.13).
asio::awaitable<void> Connection::drain() {
  ::shutdown(transport_.descriptor(), SHUT_WR);
  std::size_t drained = 0;
  while (!dead_ && drained < drain_bytes_max) {
    const std::span<char> buffer = scratch();
    const ssize_t count = ::recv(transport_.descriptor(), buffer.data(), buffer.size(), 0);
    if (count > 0) {
      drained += static_cast<std::size_t>(count);
      continue;
    }
    if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) co_return;
    co_await wait(StepResult::want_read, Direction::writing);
  }
}

void Connection::request_end(Ending ending) {
  if (ending_ == Ending::none) ending_ = ending;
  // Cancels the wait of a writer too, which then sees that it may go on.
  if (descriptor_.is_open()) descriptor_.cancel();
}

void Connection::abort(Ending ending) {
  if (dead_) return;
  dead_ = true;
  ending_ = ending;
  if (descriptor_.is_open()) {
    ::shutdown(transport_.descriptor(), SHUT_RDWR);
    descriptor_.cancel();
  }
}

void Connection::shutdown_descriptor() {
  dead_ = true;
  deadline_.disarm();
  asio::error_code ignored;
  descriptor_.close(ignored);
}

void Connection::check_alive(Direction direction) const {
  if (!descriptor_.is_open()) throw ConnectionEnded(Ending::failed, "the connection is closed");
  if (dead_) throw ConnectionEnded(ending_, std::string("cut: ") + std::string(to_string(ending_)));
  if (direction == Direction::reading && ending_ != Ending::none) {
    throw ConnectionEnded(ending_, std::string(to_string(ending_)));
  }
}

asio::awaitable<void> Connection::wait(StepResult want, Direction direction) {
  SteadyTime& until = direction == Direction::reading ? read_until_ : write_until_;
  until = after(direction == Direction::reading ? read_timeout_ : timeouts_.write);
  arm_deadline();
  asio::error_code error;  // only cancellation, and the caller looks at our state anyway
  const auto event = want == StepResult::want_read ? asio::posix::descriptor_base::wait_read
                                                   : asio::posix::descriptor_base::wait_write;
  co_await descriptor_.async_wait(event, into(error));
  until = SteadyTime::max();
}

void Connection::arm_deadline() {
  SteadyTime when = std::min({write_until_, close_until_, park_at_});
  if (read_until_ != SteadyTime::max()) when = std::min({when, read_until_, time_limit_});
  if (when == SteadyTime::max()) {
    deadline_.disarm();
  } else {
    deadline_.arm(when);
  }
}

void Connection::on_deadline() {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (now >= close_until_) return abort(Ending::stalled);
  if (now >= write_until_) return abort(Ending::stalled);
  if (now >= park_at_) {
    park_at_ = SteadyTime::max();
    deflate_->park();
  }
  const bool reading = read_until_ != SteadyTime::max();
  if (reading && now >= std::min(read_until_, time_limit_)) {
    read_until_ = SteadyTime::max();
    request_end(Ending::timed_out);
  }
  arm_deadline();
}

}  // namespace postkeep::server
