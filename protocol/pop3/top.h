// What TOP sends of a message: the header, the empty line behind it, and the first n lines of the body. RFC 1939 §7.
// Called by server/pop3. Streams; memory is constant.
#pragma once

#include <cstdint>
#include <string_view>

namespace postkeep::pop3 {

class TopCutter {
 public:
  explicit TopCutter(std::uint64_t body_lines) : lines_left_(body_lines) {}

  // The part of the message's next octets that belongs to the top: all of them, or those up to its end.
  std::string_view feed(std::string_view bytes);
  // Nothing that follows belongs to it. A message that has less never gets there.
  bool done() const { return in_body_ && lines_left_ == 0; }

 private:
  bool in_body_ = false;
  // The line so far is nothing, or a CR alone: then its LF ends the header.
  enum class Line { empty, cr, text };
  Line line_ = Line::empty;
  std::uint64_t lines_left_;
};

}  // namespace postkeep::pop3
