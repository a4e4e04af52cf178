// Framer: cuts the client's byte stream into complete commands, literals included. RFC 9051 §2.2.1, §4.3;
// RFC 7888 (LITERAL+, LITERAL-). Used by server/imap/session and the fuzzer. Knows no grammar and sends
// nothing: it says when a continuation is due and the session sends it.
//
// The session's loop:
//
//   switch (framer.next()) {
//     case Framer::Event::need_more:       feed() what the connection brings, call next() again
//     case Framer::Event::literal_due:     look at literal() and partial(); then one of
//                                            buffer_literal()        keep it in memory (refuses one that does not fit)
//                                            stream_literal()        take its octets with take_literal()
//                                            refuse_literal(error)   do not want it
//                                          and if continuation_due(): send "+ OK\r\n"
//     case Framer::Event::streaming:       take_literal(); when literal_left() is 0, next() goes on behind it
//     case Framer::Event::command:         take_command()
//     case Framer::Event::refused:         take_refusal(): answer tagged (or "* BAD"); if fatal, say BYE and close
//   }
//
// Streamed literals (APPEND, MULTIAPPEND): at literal_due, partial() is what has been read since the command
// began, or since the previous streamed literal: parse it, then stream_literal() forgets it. The `command` event
// that ends such a command holds only the text behind its last streamed literal. So the cost of a MULTIAPPEND
// does not grow with the number of its messages.
//
// A refused command is read to its end without being kept, and the refusal is reported there, so that its octets
// are never taken for the next command; a synchronising literal that is refused ends the command at once, since
// the client does not send it. More than discard_bytes_max of that makes the refusal fatal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/result.h"
#include "protocol/imap/framed_command.h"
#include "protocol/imap/limits.h"

namespace postkeep::imap {

// What a framer keeps in memory at most; octets. Smaller before login than after.
struct FramerLimits {
  std::size_t command_text_bytes_max = limits::command_text_bytes_max;
  std::uint64_t literal_bytes_max = limits::literal_bytes_max;  // one buffered literal
  std::uint64_t command_literal_bytes_max = limits::command_literal_bytes_max;
  std::size_t command_literals_max = limits::command_literals_max;
  std::uint64_t discard_bytes_max = limits::discard_bytes_max;
};

// A literal that the client announced.
struct LiteralAnnouncement {
  LiteralKind kind = LiteralKind::literal;
  std::uint64_t size = 0;      // octets
  bool synchronising = true;   // the client waits for "+" before it sends
  bool fits_in_memory = true;  // else buffer_literal() refuses it as too_big
};

// Why a command was not framed. Kinds: bad_syntax and too_big, or what refuse_literal() was given.
struct Refusal {
  std::optional<std::string> tag;  // when one could be read
  Error error;
  bool fatal = false;  // the stream cannot be followed any further: close
};

// One per connection, on its thread. Holds no memory while nothing is buffered.
class Framer {
 public:
  enum class Event { need_more, literal_due, streaming, command, refused };

  explicit Framer(FramerLimits limits = {}) : limits_(limits) {}

  void set_limits(const FramerLimits& limits) { limits_ = limits; }

  // Appends what the connection read. To be called when next() or next_line() said that they need more, so
  // that what is held stays bounded by one read.
  void feed(std::string_view bytes);

  // Goes on as far as it can. Repeats its answer until the event has been dealt with.
  Event next();

  // One raw line, without CRLF, for "DONE" and the lines of AUTHENTICATE; only between commands. nullopt: need
  // more. Error: bad_syntax if the line is longer than `bytes_max` (then it is skipped to its end first).
  Result<std::optional<std::string>> next_line(std::size_t bytes_max);

  // --- at literal_due ---
  const LiteralAnnouncement& literal() const { return announcement_; }
  // texts.back() is the text up to the "{".
  const FramedCommand& partial() const { return command_; }
  void buffer_literal();
  void stream_literal();
  void refuse_literal(Error error);  // also while streaming, for the rest of the literal and of the command
  // True once after a synchronising literal was accepted: send "+ OK\r\n" now.
  bool continuation_due();

  // --- while streaming ---
  std::uint64_t literal_left() const { return literal_left_; }
  // The octets of the literal that are there, at most `bytes_max`; empty: feed() more.
  std::string take_literal(std::size_t bytes_max = SIZE_MAX);

  // --- at command and refused ---
  FramedCommand take_command();
  Refusal take_refusal();

  // Octets fed and not yet used. STARTTLS goes on only if this is 0 (RFC 9051 §6.2.1).
  std::size_t buffered() const { return input_.size() - input_used_; }
  // Between commands, with nothing begun.
  bool is_idle() const { return state_ == State::line && command_.texts.empty() && buffered() == 0; }
  // Bytes of heap memory held, for the tests of idle sessions.
  std::size_t memory_held() const;

 private:
  enum class State {
    line,             // reading text
    literal_due,      // waiting for the session's choice
    literal,          // buffering a literal
    streaming,        // the session takes a literal
    discard_literal,  // reading past a literal that is not wanted
    discard_line,     // reading past the text of a refused command
    command,          // complete, to be taken
    refused,          // to be taken
  };

  // Each does one step in its state; false: it needs more input.
  bool read_line();
  bool read_literal();
  bool skip_literal();
  bool skip_line();

  void end_text(std::string line);
  void begin_refusal(Error error);
  void end_skipped_line();
  void skip_announced(std::uint64_t octets);
  bool count_discarded(std::uint64_t octets);
  void give_up();
  void forget_command();
  void consume(std::size_t octets);
  std::string_view unread() const { return std::string_view(input_).substr(input_used_); }
  bool fits_in_memory(std::uint64_t size) const;
  void release_if_empty();

  FramerLimits limits_;
  State state_ = State::line;
  std::string input_;
  std::size_t input_used_ = 0;  // octets of input_ already dealt with
  std::size_t scanned_ = 0;     // octets behind input_used_ known to hold no line end
  FramedCommand command_;
  std::size_t text_bytes_ = 0;  // of this command so far
  std::uint64_t literal_bytes_ = 0;
  std::uint64_t literal_left_ = 0;
  std::uint64_t discarded_ = 0;
  std::string tail_;  // the end of a line that is being skipped: enough to see a literal announced there
  bool streamed_ = false;
  bool continuation_due_ = false;
  bool skipping_raw_line_ = false;
  std::optional<std::string> tag_;
  LiteralAnnouncement announcement_;
  std::optional<Refusal> refusal_;
};

}  // namespace postkeep::imap
