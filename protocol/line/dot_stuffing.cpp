#include "protocol/line/dot_stuffing.h"

#include <algorithm>

#include "protocol/base/seeded_fault.h"

namespace postkeep::line {

// A message octet at a place where no dot is special.
void DotUnstuffer::content(char c, std::string& out) {
  if (c == '\r') {
    state_ = State::cr;  // not written before it is known what follows
    return;
  }
  if (c == '\n') {  // a bare LF is stored as CRLF
    bare_lf_ = true;
    out += '\r';
  }
  out += c;
  state_ = c == '\n' && seeded(Fault::bare_lf_ends_line) ? State::line_start : State::content;
}

std::size_t DotUnstuffer::feed(std::string_view bytes, std::string& out) {
  std::size_t i = 0;
  while (i < bytes.size() && state_ != State::finished) {
    const char c = bytes[i];
    switch (state_) {
      case State::content: {
        // The common case, a stretch without line ends, goes in one piece.
        const std::size_t end = std::min(bytes.find_first_of("\r\n", i), bytes.size());
        out.append(bytes.substr(i, end - i));
        i = end;
        if (i < bytes.size()) content(bytes[i++], out);
        continue;
      }
      case State::line_start:
        if (c == '.') {
          state_ = State::dot;
        } else {
          content(c, out);
        }
        break;
      case State::cr:
        if (c == '\n') {
          out += "\r\n";
          state_ = State::line_start;
        } else {
          out += '\r';
          content(c, out);
        }
        break;
      case State::dot:
        if (c == '\r') {
          state_ = State::dot_cr;
        } else {
          if (seeded(Fault::dots_stay)) out += '.';
          content(c, out);  // the stuffed dot is dropped (RFC 5321 §4.5.2)
        }
        break;
      case State::dot_cr:
        if (c == '\n') {
          state_ = State::finished;
        } else {
          out += '\r';
          content(c, out);
        }
        break;
      case State::finished:
        break;
    }
    ++i;
  }
  return i;
}

// Copied in stretches as long as no line starts with a dot.
void DotStuffer::feed(std::string_view bytes, std::string& out) {
  if (bytes.empty()) return;
  if (seeded(Fault::dots_not_stuffed)) return static_cast<void>(out.append(bytes));
  if (line_start_ && bytes.front() == '.') out += '.';
  std::size_t copied = 0;
  for (std::size_t next = bytes.find('\n') + 1; next != 0 && next < bytes.size(); next = bytes.find('\n', next) + 1) {
    if (bytes[next] != '.') continue;
    out.append(bytes.substr(copied, next - copied)).append(1, '.');
    copied = next;
  }
  out.append(bytes.substr(copied));
  line_start_ = bytes.back() == '\n';
  ends_with_crlf_ = bytes.ends_with("\r\n") || (bytes == "\n" && after_cr_);
  after_cr_ = bytes.back() == '\r';
}

void DotStuffer::finish(std::string& out) {
  out.append(ends_with_crlf_ ? ".\r\n" : "\r\n.\r\n");
  line_start_ = true;
  after_cr_ = false;
  ends_with_crlf_ = true;
}

}  // namespace postkeep::line
