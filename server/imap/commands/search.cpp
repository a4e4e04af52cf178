// SEARCH and UID SEARCH. RFC 9051 §6.4.4, RFC 3501 §6.4.4 (SEARCH responses), RFC 4731 (ESEARCH), RFC 5182 (SAVE),
// RFC 7162 §3.1.5 (MODSEQ), RFC 9394 (PARTIAL).
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "protocol/base/seeded_fault.h"
#include "protocol/imap/responses/search.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/search.h"
#include "server/imap/condstore.h"
#include "server/imap/search_plan.h"
#include "server/imap/updates.h"

namespace postkeep::imap {

namespace {

// How many messages a job of a search looks at, so that none holds the account for long: what a message costs lies
// between some nanoseconds, where a column answers, and the time to read all of it.
class SearchBatch {
 public:
  std::uint64_t size() const { return size_; }
  void took(std::chrono::steady_clock::duration time) {
    constexpr std::uint64_t smallest = 32;
    constexpr std::uint64_t largest = 8'000;
    constexpr std::chrono::microseconds shortest{2'000};
    constexpr std::chrono::microseconds longest{5'000};
    if (time > longest) size_ = std::max(size_ / 2, smallest);
    if (time < shortest) size_ = std::min(size_ * 2, largest);
    if (time < shortest / 8) size_ = std::min(size_ * 4, largest);
  }

 private:
  std::uint64_t size_ = 1'000;
};

// The UIDs that match, in the view.
server::Awaitable<Result<UidSet>> find(Context& context, SearchPlan plan) {
  if (!plan.residue) co_return std::move(plan.candidates);
  UidSet found;
  SearchBatch batch_size;
  while (!plan.candidates.empty()) {
    UidSet batch = first_of(plan.candidates, batch_size.size());
    plan.candidates = plan.candidates.subtract(batch);
    const auto began = std::chrono::steady_clock::now();
    auto matches = co_await context.gateway().search(context.account, context.selected->mailbox.id, *plan.residue,
                                                     std::move(batch));
    if (!matches) co_return tl::unexpected<Error>(std::move(matches).error());
    batch_size.took(std::chrono::steady_clock::now() - began);
    found.add_all(*matches);
    if (context.connection.ending() != server::Ending::none) {
      co_return failure(ErrorKind::unavailable, "The server is shutting down");
    }
  }
  co_return found;
}

// With MIN, MAX or PARTIAL and without ALL or COUNT just those: SAVE keeps them (RFC 5182 §2.4, RFC 9394 §3.2), MODSEQ
// is their highest (RFC 4731 §3.2).
UidSet told_part(const SearchReturn& returns, const UidSet& uids) {
  if (uids.empty() || returns.all || returns.count) return uids;
  if (!returns.min && !returns.max && !returns.partial) return uids;
  UidSet told;
  if (returns.partial) told = returns.partial->of(uids);
  if (returns.min) told.add(uids.min());
  if (returns.max) told.add(uids.max());
  return told;
}

void write_extended(Context& context, const SearchReturn& returns, const UidSet& numbers,
                    std::optional<ModSeq> modseq) {
  EsearchData data;
  data.tag = context.correlator;
  data.uid = context.uid_form;
  if (!numbers.empty()) {
    if (returns.min) data.min = numbers.min().value();
    if (returns.max) data.max = numbers.max().value();
    if (returns.all) {
      data.all = seeded(Fault::ranges_have_gaps) ? UidSet::of_range(numbers.min(), numbers.max()) : numbers;
    }
  }
  if (returns.partial) {
    data.partial = returns.partial->of(numbers);
    data.partial_range = returns.partial->text;
  }
  if (returns.count) data.count = numbers.size();
  data.modseq = modseq;
  Writer out = context.out();
  write_esearch(out, data);
}

void write_found(Context& context, const SearchArgs& arguments, const UidSet& uids, bool with_modseq) {
  const UidSet numbers = context.numbers_of(uids);
  std::optional<ModSeq> modseq;
  if (with_modseq) modseq = highest_modseq(context, told_part(arguments.returns, uids));
  if (arguments.form == SearchArgs::Form::classic && !context.is_rev2() && !seeded(Fault::esearch_in_rev1)) {
    Writer out = context.out();
    write_search(out, numbers, modseq);
  } else if (arguments.form == SearchArgs::Form::classic) {
    SearchReturn everything;
    everything.all = true;
    write_extended(context, everything, numbers, modseq);
  } else if (!arguments.returns.only_saves()) {
    write_extended(context, arguments.returns, numbers, modseq);
  }
}

}  // namespace

Outcome accept_charset(Context& context, NamedCharset named, NamedCharset when_utf8, Saves saves) {
  if (context.enabled.utf8 && named != when_utf8) {
    return failure(ErrorKind::bad_syntax, "All is UTF-8 once UTF8=ACCEPT is enabled");
  }
  if (named != NamedCharset::unknown) return {};
  if (saves == Saves::yes) context.selected->saved_result = UidSet();
  return failure(ErrorKind::bad_charset, "Unknown charset");
}

std::optional<ModSeq> highest_modseq(const Context& context, const UidSet& uids) {
  if (uids.empty()) return std::nullopt;
  ModSeq highest;
  context.selected->view.messages().for_each_in(
      uids, [&](SeqNum, const storage::MessageState& message) { highest = std::max(highest, message.modseq); });
  return highest;
}

server::Awaitable<Result<UidSet>> find_messages(Context& context, SearchKey key) {
  if (mentions(key, SearchKey::Kind::modseq)) enable_condstore(context);
  // Also in UID SEARCH (RFC 7162 §3.2.10.2).
  if (has_message_numbers(key)) context.expunge = ExpungeRule::held;
  // What was expunged meanwhile is not found (RFC 2180 §4.3), what came is.
  co_await send_updates(context, ExpungeRule::held);
  if (context.next != Next::read_command) co_return failure(ErrorKind::not_found, "The mailbox was deleted");
  SearchPlan plan = plan_search(std::move(key), context.selected->view, context.selected->saved_result);
  co_return co_await find(context, std::move(plan));
}

Answer run_search(Context& context, SearchArgs arguments) {
  const Saves saves_result = arguments.returns.save ? Saves::yes : Saves::no;
  if (Outcome fits = accept_charset(context, arguments.charset, NamedCharset::none, saves_result); !fits) {
    if (seeded(Fault::bad_charset_is_bad)) co_return failure(ErrorKind::bad_syntax, "Unknown charset");
    if (seeded(Fault::bad_charset_no_code)) co_return failure(ErrorKind::cannot, "Unknown charset");
    co_return tl::unexpected<Error>(std::move(fits).error());
  }
  const bool with_modseq = mentions(arguments.key, SearchKey::Kind::modseq);
  auto outcome = co_await find_messages(context, std::move(arguments.key));
  if (!outcome) {
    // A failed search that was to be saved leaves an empty result (RFC 5182 §2.1).
    if (arguments.returns.save) context.selected->saved_result = UidSet();
    co_return tl::unexpected<Error>(std::move(outcome).error());
  }
  const UidSet uids = std::move(*outcome);
  const bool saves = arguments.returns.save || seeded(Fault::search_always_saves);
  if (saves) context.selected->saved_result = told_part(arguments.returns, uids);
  write_found(context, arguments, uids, with_modseq);
  co_return Completion("Search finished");
}

}  // namespace postkeep::imap
