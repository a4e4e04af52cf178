// Connection: one peer's byte stream for a session coroutine: TCP, Unix socket, or TLS on either. Used by
// all protocols' sessions. Knows no protocol.
//
// Lives on one thread from the first byte to the last. While it waits for input it holds no read buffer
// and no output buffer: bytes are read into a buffer that all connections of the thread share, and are
// handed on at once. One reader and one writer may be suspended at the same time (IDLE), never two of a kind.
//
// Reads are never raced and never cancelled in favour of anything else: what interrupts a wait for input
// (shutdown, a time limit) ends the session. Timeouts are times by which a *wait* must be over, all in one
// timer.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "protocol/base/result.h"
#include "server/net/deflate_stream.h"
#include "server/net/transport.h"
#include "server/runtime/deadline.h"

namespace postkeep::server {

enum class Ending {
  none,
  timed_out,      // the peer sent nothing for the read timeout, or did not finish in its time limit
  shutting_down,  // the server stops: say BYE
  stalled,        // the peer did not take our output
  failed,         // the socket or TLS broke
  aborted,        // cut by the server
};
std::string_view to_string(Ending ending);

// Thrown out of read_some(), write() and flush() when the session cannot go on. After timed_out and
// shutting_down the session may still write its farewell and should close(); after the others it just ends.
class ConnectionEnded : public std::runtime_error {
 public:
  ConnectionEnded(Ending ending, const std::string& why) : std::runtime_error(why), ending_(ending) {}
  Ending ending() const { return ending_; }
  bool may_say_goodbye() const { return ending_ == Ending::timed_out || ending_ == Ending::shutting_down; }

 private:
  Ending ending_;
};

struct Peer {
  std::string address;  // "192.0.2.1", "2001:db8::1", "unix"; without port
  std::uint16_t port = 0;
  bool loopback = false;  // 127/8, ::1, or a Unix socket
};

struct ConnectionTimeouts {
  std::chrono::milliseconds write{60'000};       // the peer takes nothing of our output for so long
  std::chrono::milliseconds handshake{30'000};   // the whole TLS handshake
  std::chrono::milliseconds close{5'000};        // farewell, close_notify and drain together
  std::chrono::milliseconds drain_at_stop{500};  // of that, the drain, where the server stops: a peer that idles
                                                 // has nothing under way, and shall not hold up a restart
};

class Connection {
 public:
  static constexpr std::size_t read_bytes_max = 16 * 1024;     // appended by one read_some()
  static constexpr std::size_t output_bytes_high = 64 * 1024;  // write() flushes from here on

  // Takes the descriptor, a connected stream socket. To be used on io's thread only.
  Connection(asio::io_context& io, int descriptor, Peer peer, ConnectionTimeouts timeouts = {});
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // --- Input
  // How long read_some() may wait, from now on. Default: 60 s.
  void set_read_timeout(std::chrono::milliseconds timeout) { read_timeout_ = timeout; }
  // A point in time by which all waiting for input ends whatever arrives (time to authenticate, say);
  // clear_time_limit() lifts it.
  void set_time_limit(std::chrono::milliseconds from_now);
  void clear_time_limit() { time_limit_ = SteadyTime::max(); }
  // Waits for input and appends 1 to read_bytes_max octets. Returns how many; 0: the peer has finished.
  // Throws ConnectionEnded.
  asio::awaitable<std::size_t> read_some(std::string& into);
  // Waits for input and shows what has arrived, at most read_bytes_max; read_some() will give it all the same. Empty:
  // the peer has finished. Plain connections only. Throws ConnectionEnded.
  asio::awaitable<std::string> peek();
  // Takes away so many octets of what peek() has shown.
  void skip(std::size_t octets);
  // Whether octets have arrived that read_some() has not given out: for STARTTLS, where the session must
  // also have an empty framer (RFC 9051 §11.1). Plain connections only.
  bool unread_plaintext() const;

  // --- Output
  // What is to be sent; append to it (imap::Writer does), then flush.
  std::string& output() { return output_; }
  // Sends what output() has, and releases the buffer. The wait for a slow reader is here. Throws ConnectionEnded.
  asio::awaitable<void> flush();
  // flush() if there is much: for loops that produce.
  asio::awaitable<void> flush_if_large();
  // output() += bytes, then flush_if_large().
  asio::awaitable<void> write(std::string_view bytes);
  // The same for what is large: sent from where it lies, which stays as it is until this returns. It may be still to be
  // sent then if it is small or compressed.
  asio::awaitable<void> write_large(std::string_view bytes);

  // --- TLS
  // Handshakes as the server, in its own time limit. All output must have been flushed. An error means
  // that the connection is of no use any more.
  asio::awaitable<Outcome> start_tls(std::shared_ptr<const TlsContext> context);
  bool is_tls() const { return transport_.is_tls(); }
  std::string tls_description() const { return transport_.tls_description(); }
  Transport& transport() { return transport_; }

  // --- Compression (RFC 4978)
  // From here on everything is DEFLATE in both directions, inside of TLS. All output must have been flushed and all
  // input given out. `level` as in DeflateStream. While the connection waits it keeps little for this.
  void start_deflate(int level);
  // The end of it (RFC 8437 §4.1), likewise with all output flushed. What the peer has sent behind the end of its
  // stream.
  std::string stop_deflate();
  bool is_compressed() const { return deflate_ != nullptr; }

  // --- End
  // Sends what is left, close_notify and the end of our stream, and drains the peer's until it ends, all
  // within timeouts.close. Then the descriptor is closed. Never throws. Nothing else may be suspended here.
  asio::awaitable<void> close();
  // Ends the wait for input, now or the next time there is one, with ConnectionEnded(ending). A running
  // command goes on and its output is sent.
  void request_end(Ending ending);
  // Why the session should end after the current command; Ending::none if it should not.
  Ending ending() const { return ending_; }
  // Ends everything that is suspended here, at once.
  void abort(Ending ending = Ending::aborted);

  const Peer& peer() const { return peer_; }
  // Who it is in truth, where a program in front of us has told. Before anything is read for a session.
  void set_peer(Peer peer) { peer_ = std::move(peer); }
  bool is_loopback() const { return peer_.loopback; }
  // Whether passwords may travel here by the "loopback" policy.
  bool is_private() const { return is_tls() || peer_.loopback; }
  asio::any_io_executor executor() { return descriptor_.get_executor(); }
  std::uint64_t bytes_received() const { return received_; }
  std::uint64_t bytes_sent() const { return sent_; }
  SteadyTime last_input() const { return last_input_; }  // when octets came last, at first when the connection began

 private:
  using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;
  enum class Direction { reading, writing };
  class Writing;
  // Waits until the descriptor is ready for `want`; `direction` says whose time limit holds.
  asio::awaitable<void> wait(StepResult want, Direction direction);
  void check_alive(Direction direction) const;
  void on_deadline();
  void arm_deadline();
  bool must_yield();
  // Decompressed octets, 0 if there are none before more is read.
  std::size_t inflate_some(std::string& into);
  // Moves output_ to sending_, compressed where that is on.
  void take_output();
  asio::awaitable<void> send(std::string_view bytes);
  asio::awaitable<void> drain();
  void shutdown_descriptor();

  Descriptor descriptor_;
  Transport transport_;
  Peer peer_;
  ConnectionTimeouts timeouts_;
  Deadline deadline_;
  std::chrono::milliseconds read_timeout_{60'000};
  SteadyTime time_limit_ = SteadyTime::max();
  SteadyTime read_until_ = SteadyTime::max();   // max: no wait for input
  SteadyTime write_until_ = SteadyTime::max();  // max: no wait to write
  SteadyTime close_until_ = SteadyTime::max();
  SteadyTime park_at_ = SteadyTime::max();  // max: nothing to park
  Ending ending_ = Ending::none;
  bool dead_ = false;  // aborted: nothing is tried any more
  bool flushing_ = false;
  bool reader_held_ = false;     // read_some() waits for a record to be written; see Transport
  unsigned reads_in_a_row_ = 0;  // that did not have to wait; see read_some()
  std::string output_;
  std::string sending_;
  std::unique_ptr<DeflateStream> deflate_;
  std::uint64_t received_ = 0;
  std::uint64_t sent_ = 0;
  SteadyTime last_input_ = std::chrono::steady_clock::now();
};

}  // namespace postkeep::server
