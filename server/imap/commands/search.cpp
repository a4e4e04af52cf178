// SEARCH and UID SEARCH. RFC 9051 §6.4.4, RFC 3501 §6.4.4 (SEARCH responses), RFC 4731 (ESEARCH), RFC 5182 (SAVE).
#include <utility>

#include "protocol/imap/responses/search.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/search.h"
#include "server/imap/search_plan.h"

namespace postkeep::imap {

namespace {

constexpr std::uint64_t search_batch = 500;  // so that no job holds the account for long

// The UIDs that match, in the view.
server::Awaitable<Result<UidSet>> find(Context& context, SearchPlan plan) {
  if (!plan.residue) co_return std::move(plan.candidates);
  UidSet found;
  while (!plan.candidates.empty()) {
    UidSet batch = first_of(plan.candidates, search_batch);
    plan.candidates = plan.candidates.subtract(batch);
    auto matches = co_await context.gateway().search(context.account, context.selected->mailbox.id, *plan.residue,
                                                     std::move(batch));
    if (!matches) co_return tl::unexpected<Error>(std::move(matches).error());
    found.add_all(*matches);
    if (context.connection.ending() != server::Ending::none) {
      co_return failure(ErrorKind::unavailable, "The server is shutting down");
    }
  }
  co_return found;
}

// As the client counts: UIDs, or the view's message numbers.
UidSet numbers_of(const Context& context, const UidSet& uids) {
  if (context.uid_form == UidForm::yes) return uids;
  UidSet numbers;
  context.selected->view.messages().for_each_in(
      uids, [&](SeqNum number, const storage::MessageState&) { numbers.add(Uid(number.value())); });
  return numbers;
}

// What SAVE keeps: with MIN or MAX and without ALL or COUNT just those (RFC 5182 §2.4).
UidSet saved_part(const SearchReturn& returns, const UidSet& uids) {
  if (uids.empty() || returns.all || returns.count || (!returns.min && !returns.max)) return uids;
  UidSet saved;
  if (returns.min) saved.add(uids.min());
  if (returns.max) saved.add(uids.max());
  return saved;
}

void write_extended(Context& context, const SearchReturn& returns, const UidSet& numbers) {
  EsearchData data;
  data.tag = context.correlator;
  data.uid = context.uid_form;
  if (!numbers.empty()) {
    if (returns.min) data.min = numbers.min().value();
    if (returns.max) data.max = numbers.max().value();
    if (returns.all) data.all = numbers;
  }
  if (returns.count) data.count = numbers.size();
  Writer out = context.out();
  write_esearch(out, data);
}

}  // namespace

server::Awaitable<Result<UidSet>> find_messages(Context& context, SearchKey key) {
  SearchPlan plan = plan_search(std::move(key), context.selected->view, context.selected->saved_result);
  co_return co_await find(context, std::move(plan));
}

Answer run_search(Context& context, SearchArgs arguments) {
  auto outcome = co_await find_messages(context, std::move(arguments.key));
  if (!outcome) {
    // A failed search that was to be saved leaves an empty result (RFC 5182 §2.1).
    if (arguments.returns.save) context.selected->saved_result = UidSet();
    co_return tl::unexpected<Error>(std::move(outcome).error());
  }
  const UidSet uids = std::move(*outcome);
  if (arguments.returns.save) context.selected->saved_result = saved_part(arguments.returns, uids);
  const UidSet numbers = numbers_of(context, uids);
  if (arguments.form == SearchArgs::Form::classic && !context.is_rev2()) {
    Writer out = context.out();
    write_search(out, numbers, std::nullopt);
  } else if (arguments.form == SearchArgs::Form::classic) {
    SearchReturn everything;
    everything.all = true;
    write_extended(context, everything, numbers);
  } else if (!arguments.returns.only_saves()) {
    write_extended(context, arguments.returns, numbers);
  }
  co_return Completion("Search finished");
}

}  // namespace postkeep::imap
