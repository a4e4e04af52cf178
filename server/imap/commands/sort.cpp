// SORT and UID SORT. RFC 5256 §3, RFC 5957, RFC 5267 §3 (ESORT), RFC 5182 (SAVE).
#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "protocol/imap/responses/sort.h"
#include "protocol/mime/collation_keys.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/search.h"
#include "server/imap/message_keys.h"
#include "server/imap/search_plan.h"

namespace postkeep::imap {

namespace {

constexpr std::size_t sorted_at_once = 1000;  // numbers written between two looks at the size of the output

class SortRows final : public MessageKeySink {
 public:
  explicit SortRows(const std::vector<SortCriterion>& criteria) : table_(criteria) {}

  storage::FetchWants wants() const {
    storage::FetchWants wants;
    for (const SortCriterion& criterion : table_.criteria()) {
      const SortKey key = criterion.key;
      wants.dates |= key == SortKey::arrival || key == SortKey::date;
      wants.size |= key == SortKey::size;
      wants.headers |= key != SortKey::arrival && key != SortKey::size;
    }
    return wants;
  }

  void add(std::uint32_t number, const storage::MessageRow& row, std::span<const mime::HeaderField> fields) override {
    table_.begin_row(number);
    for (const SortCriterion& criterion : table_.criteria()) {
      if (is_number(criterion.key)) {
        table_.add_number(number_of(criterion.key, row, fields));
      } else {
        table_.add_text(mime::collation_key(criterion.key, fields));
      }
    }
  }

  const SortTable& table() const { return table_; }

 private:
  static std::int64_t number_of(SortKey key, const storage::MessageRow& row,
                                std::span<const mime::HeaderField> fields) {
    if (key == SortKey::size) return static_cast<std::int64_t>(row.size);
    if (key == SortKey::arrival) return row.internal_date.seconds;
    return mime::sent_date(fields, row.internal_date).seconds;
  }

  SortTable table_;
};

// Beside the session's thread: a large mailbox takes a second. The table outlives it.
class OrderJob {
 public:
  explicit OrderJob(const SortTable& table) : table_(table) {}
  Result<std::vector<std::uint32_t>> operator()() const { return table_.order(); }

 private:
  const SortTable& table_;
};

struct SortResult {
  UidSet uids;
  std::vector<std::uint32_t> numbers;  // in order, as the client counts
};

server::Awaitable<Result<SortResult>> find_sorted(Context& context, SearchKey key,
                                                  std::vector<SortCriterion> criteria) {
  auto found = co_await find_messages(context, std::move(key));
  SortResult result;
  result.uids = CO_TRY(std::move(found));
  SortRows rows(criteria);
  const Outcome read = co_await read_message_keys(context, result.uids, rows.wants(), rows);
  if (!read) co_return tl::unexpected<Error>(read.error());
  OrderJob job(rows.table());
  auto ordered = co_await context.gateway().run_beside(std::move(job));
  result.numbers = CO_TRY(std::move(ordered));
  co_return result;
}

Uid uid_of(const Context& context, std::uint32_t number) {
  if (context.uid_form == UidForm::yes) return Uid(number);
  return context.selected->view.messages().at(SeqNum(number)).uid;
}

// What SAVE keeps: the messages as a set, or, with MIN or MAX and without ALL or COUNT, just those (RFC 5182 §2.4).
UidSet saved_of(const Context& context, const SearchReturn& returns, const SortResult& result) {
  const bool ends_only = (returns.min || returns.max) && !returns.all && !returns.count;
  if (!ends_only || result.numbers.empty()) return result.uids;
  UidSet saved;
  if (returns.min) saved.add(uid_of(context, result.numbers.front()));
  if (returns.max) saved.add(uid_of(context, result.numbers.back()));
  return saved;
}

server::Awaitable<void> write_classic(Context& context, const std::vector<std::uint32_t>& numbers,
                                      std::optional<ModSeq> modseq) {
  Writer out = context.out();
  write_sort_start(out);
  for (std::size_t at = 0; at < numbers.size(); at += sorted_at_once) {
    write_sort_numbers(out, std::span(numbers).subspan(at, std::min(sorted_at_once, numbers.size() - at)));
    co_await context.flush_if_large();
  }
  write_sort_end(out, modseq);
}

server::Awaitable<void> write_esort(Context& context, const SearchReturn& returns,
                                    const std::vector<std::uint32_t>& numbers, std::optional<ModSeq> modseq) {
  EsearchData data;
  data.tag = context.correlator;
  data.uid = context.uid_form;
  if (returns.min && !numbers.empty()) data.min = numbers.front();
  if (returns.max && !numbers.empty()) data.max = numbers.back();
  if (returns.count) data.count = numbers.size();
  data.modseq = modseq;
  Writer out = context.out();
  write_esearch_start(out, data);
  OrderedNumbers all;
  for (std::size_t at = 0; returns.all && at < numbers.size(); at += sorted_at_once) {
    all.write(out, std::span(numbers).subspan(at, std::min(sorted_at_once, numbers.size() - at)));
    co_await context.flush_if_large();
  }
  all.finish(out);
  out.crlf();
}

}  // namespace

Answer run_sort(Context& context, SortArgs arguments) {
  const Saves saves = arguments.returns.save ? Saves::yes : Saves::no;
  CO_TRY(accept_charset(context, arguments.charset, NamedCharset::utf8, saves));
  const SearchReturn returns = arguments.returns;
  const bool with_modseq = mentions(arguments.key, SearchKey::Kind::modseq);
  auto outcome = co_await find_sorted(context, std::move(arguments.key), std::move(arguments.criteria));
  if (!outcome) {
    // A failed command that was to save leaves an empty result (RFC 5182 §2.1).
    if (returns.save) context.selected->saved_result = UidSet();
    co_return tl::unexpected<Error>(std::move(outcome).error());
  }
  const SortResult result = std::move(*outcome);
  if (returns.save) context.selected->saved_result = saved_of(context, returns, result);
  std::optional<ModSeq> modseq;
  if (with_modseq) modseq = highest_modseq(context, saved_of(context, returns, result));
  if (arguments.form == SearchArgs::Form::classic) {
    co_await write_classic(context, result.numbers, modseq);
  } else if (!returns.only_saves()) {
    co_await write_esort(context, returns, result.numbers, modseq);
  }
  co_return Completion("Sorted");
}

}  // namespace postkeep::imap
