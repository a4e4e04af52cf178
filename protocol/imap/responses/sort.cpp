#include "protocol/imap/responses/sort.h"

namespace postkeep::imap {

void write_sort_start(Writer& writer) { writer.raw("* SORT"); }

void write_sort_numbers(Writer& writer, std::span<const std::uint32_t> numbers) {
  for (const std::uint32_t number : numbers) writer.sp().number(number);
}

void write_sort_end(Writer& writer, std::optional<ModSeq> highest_modseq) {
  if (highest_modseq) writer.raw(" (MODSEQ ").number(highest_modseq->value()).close();
  writer.crlf();
}

void OrderedNumbers::write(Writer& writer, std::span<const std::uint32_t> numbers) {
  for (const std::uint32_t number : numbers) {
    if (first_ != 0 && number == last_ + 1) {
      last_ = number;
      continue;
    }
    write_run(writer);
    first_ = last_ = number;
  }
}

void OrderedNumbers::finish(Writer& writer) {
  write_run(writer);
  first_ = 0;
}

void OrderedNumbers::write_run(Writer& writer) {
  if (first_ == 0) return;
  writer.raw(started_ ? "," : " ALL ").number(first_);
  if (last_ != first_) writer.raw(":").number(last_);
  started_ = true;
}

}  // namespace postkeep::imap
