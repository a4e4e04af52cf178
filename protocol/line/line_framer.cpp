#include "protocol/line/line_framer.h"

#include <utility>

namespace postkeep::line {

void LineFramer::push(std::string_view bytes) {
  // What was taken is dropped before more comes, so that the buffer stays at one line and one read.
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
  }
  buffer_.append(bytes);
}

LineFramer::Event LineFramer::next(std::string_view& line) {
  const std::size_t lf = buffer_.find('\n', scanned_);
  if (lf == std::string::npos) {
    scanned_ = buffer_.size();
    if (skipping_ || buffer_.size() - begin_ >= octets_max_) {
      // No line of this size is allowed: keep nothing of it but that it is there.
      skipping_ = true;
      begin_ = scanned_;
    }
    if (begin_ == buffer_.size()) {  // a connection that waits between two lines keeps no buffer
      std::string().swap(buffer_);
      begin_ = scanned_ = 0;
    }
    return Event::incomplete;
  }
  const std::size_t start = std::exchange(begin_, lf + 1);
  scanned_ = begin_;
  if (std::exchange(skipping_, false) || begin_ - start > octets_max_) return Event::too_long;
  line = std::string_view(buffer_).substr(start, lf - start);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return Event::line;
}

std::string LineFramer::take_buffered(std::size_t octets_max) {
  std::string taken(buffered().substr(0, octets_max));
  begin_ += taken.size();
  scanned_ = begin_;
  if (begin_ == buffer_.size()) {
    buffer_.clear();
    begin_ = scanned_ = 0;
  }
  return taken;
}

}  // namespace postkeep::line
