// SORT and UID SORT. RFC 5256 §3, RFC 5957, RFC 5267 §3 (ESORT), RFC 5182 (SAVE).
#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "protocol/imap/responses/sort.h"
#include "protocol/mail/sort_order.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/search.h"
#include "server/imap/message_keys.h"
#include "server/imap/search_plan.h"

namespace postkeep::imap {

namespace {

constexpr std::size_t sorted_at_once = 1000;  // numbers written between two looks at the size of the output

// The columns of all criteria, one after another; a date needs two.
std::vector<storage::Column> sort_columns(const std::vector<SortCriterion>& criteria) {
  std::vector<storage::Column> columns;  // one may stand there twice
  for (const SortCriterion& criterion : criteria) {
    if (criterion.key == SortKey::size) {
      columns.push_back(storage::Column{storage::Column::Kind::size});
    } else if (criterion.key == SortKey::arrival) {
      columns.push_back(storage::Column{storage::Column::Kind::internal_date});
    } else if (criterion.key == SortKey::date) {
      columns.push_back(storage::Column{storage::Column::Kind::sent_date});
      columns.push_back(storage::Column{storage::Column::Kind::internal_date});
    } else {
      columns.push_back(storage::column_of(criterion.key));
    }
  }
  return columns;
}

// Beside the session's thread, which waits for it: a large mailbox takes a second.
class OrderJob {
 public:
  OrderJob(const std::vector<SortCriterion>& criteria, const std::vector<storage::MessageKeys>& keys,
           const storage::MailboxVersion& view, UidForm form)
      : table_(criteria), keys_(keys), view_(view), form_(form) {}

  Result<std::vector<std::uint32_t>> operator()() {
    for_each_key(keys_, view_, form_, [this](std::uint32_t number, std::span<storage::ColumnCursor> values) {
      table_.begin_row(number);
      add_values(values);
    });
    return table_.order();
  }

 private:
  void add_values(std::span<storage::ColumnCursor> values) {
    std::size_t column = 0;
    for (const SortCriterion& criterion : table_.criteria()) {
      const storage::ColumnCursor& value = values[column++];
      if (!postkeep::is_number(criterion.key)) {
        table_.add_text(value.text());
      } else if (criterion.key == SortKey::date) {
        table_.add_number(sent_or_came(value, values[column++]));
      } else {
        table_.add_number(value.number());
      }
    }
  }

  SortTable table_;
  const std::vector<storage::MessageKeys>& keys_;
  const storage::MailboxVersion& view_;
  const UidForm form_;
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
  const SortTable empty(criteria);  // which knows what stands twice
  auto read = co_await read_message_keys(context, result.uids, sort_columns(empty.criteria()));
  const std::vector<storage::MessageKeys> keys = CO_TRY(std::move(read));
  OrderJob job(criteria, keys, context.selected->view.messages(), context.uid_form);
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
