// See condstore.h.
#include "server/imap/condstore.h"

#include <utility>

#include "protocol/base/seeded_fault.h"
#include "protocol/imap/responses/fetch.h"
#include "protocol/imap/responses/state.h"
#include "server/imap/mailbox_flags.h"

namespace postkeep::imap {

namespace {

constexpr std::size_t ranges_per_line = 500;  // at most 11 octets each, twice
constexpr std::uint64_t messages_per_batch = 500;

// Takes the first ranges out of `uids`.
UidSet take_ranges(UidSet& uids) {
  if (uids.ranges().size() <= ranges_per_line) return std::exchange(uids, UidSet());
  UidSet part;
  for (std::size_t i = 0; i < ranges_per_line; ++i) part.add_range(uids.ranges()[i].first, uids.ranges()[i].last);
  uids = uids.subtract(part);
  return part;
}

}  // namespace

bool enable_condstore(Context& context) {
  if (std::exchange(context.enabled.condstore, true)) return false;
  if (context.selected) write_highest_modseq(context);
  return true;
}

bool enable_qresync(Context& context) {
  if (std::exchange(context.enabled.qresync, true)) return false;
  enable_condstore(context);
  return true;
}

void write_highest_modseq(Context& context) {
  Writer out = context.out();
  write_untagged(out, Condition::ok, ResponseCode::highest_modseq(context.selected->view.settled_modseq()),
                 "Highest mod-sequence");
}

server::Awaitable<void> write_vanished_lines(Context& context, UidSet uids, Earlier earlier) {
  while (!uids.empty()) {
    Writer out = context.out();
    write_vanished(out, take_ranges(uids), earlier);
    co_await context.flush_if_large();
  }
}

server::Awaitable<void> write_changes(Context& context, UidSet uids, TellFlags flags) {
  const storage::MailboxVersionPtr messages = context.selected->view.version();
  while (!uids.empty()) {
    UidSet now = first_of(uids, messages_per_batch);
    uids = uids.subtract(now);
    messages->for_each_in(now, [&](SeqNum number, const storage::MessageState& message) {
      Writer out = context.out();
      FetchResponse response(out, number);
      if (!seeded(Fault::change_without_uid)) response.uid(message.uid);
      if (flags == TellFlags::yes) response.flags(messages->flags_of(message), recent_flag(context, message.uid));
      if (context.enabled.condstore) response.modseq(message.modseq);
      response.finish();
    });
    co_await context.flush_if_large();
  }
}

}  // namespace postkeep::imap
