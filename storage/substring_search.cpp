#include "storage/substring_search.h"

#include <cstring>

namespace postkeep::storage {
namespace {

// memmem is linear at worst; string_view::find is quadratic for "aaaa...b", which a client may well send.
bool contains(std::string_view text, std::string_view needle) {
  return memmem(text.data(), text.size(), needle.data(), needle.size()) != nullptr;
}

}  // namespace

void SubstringSearch::feed(std::string_view text) {
  if (found_) return;
  const std::size_t keep = needle_.size() - 1;
  // An occurrence that crosses the border ends within the first `keep` octets of the new piece.
  tail_ += text.substr(0, keep);
  found_ = contains(tail_, needle_) || contains(text, needle_);
  if (text.size() >= keep) {
    tail_ = text.substr(text.size() - keep);
  } else if (tail_.size() > keep) {
    tail_.erase(0, tail_.size() - keep);
  }
}

}  // namespace postkeep::storage
