// Netstrings out of a byte stream and into one: "5:hello,". What socketmap_table(5) of Postfix and Sendmail's
// socketmap have for framing; the format is D. J. Bernstein's of 1997. Called by server/mta. Holds at most one string.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postkeep::socketmap {

// Cuts netstrings. Give it what arrived with push(), then ask next() until it says incomplete. What is no netstring, or
// one over the limit, is `broken`, and then for ever: there is no telling where another one would begin.
class NetstringFramer {
 public:
  explicit NetstringFramer(std::size_t octets_max) : octets_max_(octets_max) {}

  enum class Event { incomplete, string, broken };

  void push(std::string_view bytes);
  // For `string`, sets `text` to its content; valid until the next call of any function.
  Event next(std::string_view& text);
  std::size_t buffered() const { return buffer_.size() - begin_; }

 private:
  const std::size_t octets_max_;  // of the content
  std::string buffer_;
  std::size_t begin_ = 0;  // of what is not yet taken
  bool broken_ = false;
};

void write_netstring(std::string& out, std::string_view text);

}  // namespace postkeep::socketmap
