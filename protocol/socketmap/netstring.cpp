#include "protocol/socketmap/netstring.h"

#include "protocol/base/ascii.h"

namespace postkeep::socketmap {

void NetstringFramer::push(std::string_view bytes) {
  if (broken_) return;
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  buffer_.append(bytes);
}

NetstringFramer::Event NetstringFramer::next(std::string_view& text) {
  const auto give_up = [this] {
    broken_ = true;
    std::string().swap(buffer_);
    begin_ = 0;
    return Event::broken;
  };
  if (broken_) return Event::broken;
  std::size_t length = 0;
  std::size_t at = begin_;
  // No leading zeros, and no number that could overflow: it is refused as soon as it is above the limit.
  for (; at < buffer_.size() && ascii::is_digit(buffer_[at]); ++at) {
    if (at > begin_ && length == 0) return give_up();
    length = length * 10 + static_cast<std::size_t>(buffer_[at] - '0');
    if (length > octets_max_) return give_up();
  }
  if (at == buffer_.size()) {
    if (begin_ == at) {  // a connection that waits between two strings keeps no buffer
      std::string().swap(buffer_);
      begin_ = 0;
    }
    return Event::incomplete;
  }
  if (at == begin_ || buffer_[at] != ':') return give_up();
  const std::size_t start = at + 1;
  if (buffer_.size() <= start + length) return Event::incomplete;
  if (buffer_[start + length] != ',') return give_up();
  begin_ = start + length + 1;
  text = std::string_view(buffer_).substr(start, length);
  return Event::string;
}

void write_netstring(std::string& out, std::string_view text) {
  out += std::to_string(text.size());
  out += ':';
  out += text;
  out += ',';
}

}  // namespace postkeep::socketmap
