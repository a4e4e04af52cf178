// SubstringSearch: is a needle somewhere in a text that comes in pieces? Case folding is the caller's: needle and text
// are compared octet by octet. Used by storage/search_eval.
#pragma once

#include <string>
#include <string_view>

namespace postkeep::storage {

// A value. Keeps at most the needle's length of text. Time is linear in the text, whatever the needle.
class SubstringSearch {
 public:
  explicit SubstringSearch(std::string needle) : needle_(std::move(needle)), found_(needle_.empty()) {}

  void feed(std::string_view text);
  bool found() const { return found_; }  // stays true; the empty needle is found in any text

 private:
  std::string needle_;
  std::string tail_;  // the last octets of the text so far, fewer than the needle has
  bool found_;
};

}  // namespace postkeep::storage
