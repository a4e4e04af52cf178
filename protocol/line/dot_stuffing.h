// Dot transparency of DATA and of POP3's multi-line answers. RFC 5321 §4.5.2, RFC 1939 §3.
// Called by the LMTP session (decode) and the POP3 session (encode). Streams; memory is constant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postkeep::line {

// What follows DATA to the message. Only CRLF "." CRLF ends it: an LF or CR alone before or after the dot is
// content, else one peer's content is another's command (SMTP smuggling). On the way each bare LF becomes CRLF;
// a bare CR and NUL are kept (docs/on-disk-format.md, line ends).
class DotUnstuffer {
 public:
  // Appends message octets to `out`; returns how many octets of `bytes` it used: all of them, or, once
  // finished(), those up to the end of the final line. What comes after is the next command.
  std::size_t feed(std::string_view bytes, std::string& out);
  bool finished() const { return state_ == State::finished; }
  // Whether an LF without CR has come, for receivers that refuse such messages.
  bool saw_bare_lf() const { return bare_lf_; }

 private:
  enum class State {
    line_start,  // after CRLF (or at the start): a dot here is special
    content,     // inside a line
    cr,          // a CR in content, not yet written
    dot,         // CRLF "." so far
    dot_cr,      // CRLF "." CR so far
    finished,
  };
  void content(char c, std::string& out);
  State state_ = State::line_start;
  bool bare_lf_ = false;
};

// A message to the form that POP3 sends: a dot before each line that starts with one, and the final line. Bare
// CR and LF pass as they are; only LF starts a new line here.
class DotStuffer {
 public:
  void feed(std::string_view bytes, std::string& out);
  // The end: CRLF if the message does not end with one, then "." CRLF.
  void finish(std::string& out);

 private:
  bool line_start_ = true;
  bool after_cr_ = false;
  bool ends_with_crlf_ = true;
};

}  // namespace postkeep::line
