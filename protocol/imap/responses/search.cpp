#include "protocol/imap/responses/search.h"

#include "protocol/base/seeded_fault.h"

namespace postkeep::imap {

void write_search(Writer& writer, const UidSet& numbers, std::optional<ModSeq> highest_modseq) {
  writer.raw("* SEARCH");
  numbers.for_each([&writer](Uid number) { writer.sp().number(number.value()); });
  // RFC 7162 §3.1.5: only if at least one message was found.
  if (highest_modseq && !numbers.empty()) writer.raw(" (MODSEQ ").number(highest_modseq->value()).close();
  writer.crlf();
}

void write_esearch_start(Writer& writer, const EsearchData& data) {
  writer.raw("* ESEARCH (TAG ").string(data.tag).close();
  if (data.uid == UidForm::yes && !seeded(Fault::no_uid_indicator)) writer.raw(" UID");
  if (seeded(Fault::min_without_match) && data.count == 0) writer.raw(" MIN 0");
  if (data.min) writer.raw(" MIN ").number(*data.min);
  if (data.max) writer.raw(" MAX ").number(*data.max);
  if (data.all && !data.all->empty()) writer.raw(" ALL ").raw(data.all->to_wire());
  if (data.partial) {
    writer.raw(" PARTIAL (").raw(data.partial_range).sp();
    writer.raw(data.partial->empty() ? "NIL" : data.partial->to_wire()).close();
  }
  const bool has_count = data.count && !(seeded(Fault::no_count_of_zero) && *data.count == 0);
  if (has_count) writer.raw(" COUNT ").number(*data.count);
  if (data.modseq) writer.raw(" MODSEQ ").number(data.modseq->value());
}

void write_esearch(Writer& writer, const EsearchData& data) {
  write_esearch_start(writer, data);
  writer.crlf();
}

}  // namespace postkeep::imap
