// Lines of POP3 and LMTP commands out of a byte stream. RFC 5321 §2.3.8, RFC 1939 §3. Called by the sessions.
// Holds at most one line; never reads or sends.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postkeep::line {

// Cuts lines. Give it what arrived with push(), then ask next() until it says incomplete. A line ends with LF; one
// CR before it belongs to the end (clients that send bare LF are understood; a CR elsewhere is content).
// A line over the limit is not kept: it is told once, when its end has come, and the next line is sound again.
class LineFramer {
 public:
  // `octets_max` is for the line with its end.
  explicit LineFramer(std::size_t octets_max) : octets_max_(octets_max) {}

  enum class Event { incomplete, line, too_long };

  void push(std::string_view bytes);
  // For `line`, sets `line` to it without its end; valid until the next call of any function.
  Event next(std::string_view& line);

  // Octets given but not yet taken as lines: after DATA they are message, after STARTTLS an attack.
  std::string_view buffered() const { return std::string_view(buffer_).substr(begin_); }
  // Takes all of buffered() away, or the first `octets_max` of it; returns it.
  std::string take_buffered(std::size_t octets_max = std::string::npos);

 private:
  std::size_t octets_max_;
  std::string buffer_;
  std::size_t begin_ = 0;    // of what is not yet taken
  std::size_t scanned_ = 0;  // no LF before this
  bool skipping_ = false;    // inside a line that is too long
};

}  // namespace postkeep::line
