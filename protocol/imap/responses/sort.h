// SORT data, and ESEARCH data whose numbers are in SORT's order. RFC 5256 §4, RFC 5267 §3, RFC 7162 §3.1.5.
// Written piece by piece, so that the caller can flush between.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "protocol/imap/responses/search.h"
#include "protocol/imap/writer.h"
#include "protocol/mail/ids.h"

namespace postkeep::imap {

// "* SORT 2 84 882": the start, the numbers in any number of calls, the end.
void write_sort_start(Writer& writer);
void write_sort_numbers(Writer& writer, std::span<const std::uint32_t> numbers);
// With "(MODSEQ n)" if the search asked for it and something was found.
void write_sort_end(Writer& writer, std::optional<ModSeq> highest_modseq);

// " ALL 5,3:4,1", behind write_esearch_start(); likewise in any number of calls. Ascending runs become ranges.
class OrderedNumbers {
 public:
  void write(Writer& writer, std::span<const std::uint32_t> numbers);
  void finish(Writer& writer);

 private:
  void write_run(Writer& writer);
  std::uint32_t first_ = 0;  // of a run that is not written yet; 0: there is none
  std::uint32_t last_ = 0;
  bool started_ = false;
};

}  // namespace postkeep::imap
