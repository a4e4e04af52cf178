// THREAD data. RFC 5256 §4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "protocol/imap/writer.h"
#include "protocol/mail/threading.h"

namespace postkeep::imap {

// "* THREAD (2)(3 6 (4 23)(44 7 96))", piece by piece, so that the caller can flush between. Without recursion:
// nesting has no limit. The forest outlives it.
class ThreadResponse {
 public:
  explicit ThreadResponse(const ThreadForest& forest) : forest_(forest) {}

  void start(Writer& writer);
  // About `count` messages more. False once all are written, CRLF included.
  bool write_some(Writer& writer, std::size_t count);

 private:
  void write_member(Writer& writer);
  bool open_next(Writer& writer);

  const ThreadForest& forest_;
  std::uint32_t node_ = ThreadForest::none;  // to be written next, in the list that is open; none: that list is closed
  bool list_has_member_ = false;
  std::vector<std::uint32_t> siblings_;  // for each level of lists, what stands in the next one of that level
};

}  // namespace postkeep::imap
