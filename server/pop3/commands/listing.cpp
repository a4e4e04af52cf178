// STAT, LIST, UIDL, DELE, RSET, NOOP: what is answered from the maildrop as it was at login. RFC 1939 §5, §7.
#include "protocol/base/seeded_fault.h"
#include "protocol/pop3/reply.h"
#include "server/pop3/commands/handlers.h"

namespace postkeep::pop3 {

namespace {

std::string drop_listing(const Maildrop& maildrop) {
  const auto count = seeded(Fault::stat_counts_marked) ? maildrop.highest() : maildrop.count();
  return std::to_string(count) + ' ' + std::to_string(maildrop.octets());
}

std::string summary(const Maildrop& maildrop) {
  return std::to_string(maildrop.count()) + " messages (" + std::to_string(maildrop.octets()) + " octets)";
}

// What stands behind the number in a listing.
using Value = std::string (*)(const Maildrop& maildrop, const Maildrop::Message& message);

std::string size_of(const Maildrop&, const Maildrop::Message& message) {
  return std::to_string(message.size + (seeded(Fault::list_size_off) ? 1 : 0));
}

std::string id_of(const Maildrop& maildrop, const Maildrop::Message& message) {
  return seeded(Fault::unique_id_of_size) ? std::to_string(message.size) : maildrop.unique_id(message.uid);
}

Answer list_messages(Context& context, ListArgs arguments, Value value) {
  const Maildrop& maildrop = *context.maildrop;
  if (arguments.number) {
    const Maildrop::Message message = CO_TRY(maildrop.find(*arguments.number));
    co_return Completion(std::to_string(*arguments.number) + ' ' + value(maildrop, message));
  }
  write_ok(context.out(), summary(maildrop));
  for (std::uint32_t number = 1; number <= maildrop.highest(); ++number) {
    if (maildrop.is_marked(number) && !seeded(Fault::list_shows_marked)) continue;
    write_listing(context.out(), number, value(maildrop, maildrop.at(number)));
    co_await context.connection.flush_if_large();
  }
  write_end(context.out());
  co_return Completion::sent();
}

}  // namespace

Answer run_stat(Context& context) { co_return Completion(drop_listing(*context.maildrop)); }

Answer run_list(Context& context, ListArgs arguments) { return list_messages(context, arguments, size_of); }

Answer run_uidl(Context& context, ListArgs arguments) { return list_messages(context, arguments, id_of); }

Answer run_dele(Context& context, MessageArgs arguments) {
  Outcome marked = context.maildrop->mark(arguments.number);
  if (!seeded(Fault::dele_never_fails)) CO_TRY(std::move(marked));
  co_return Completion("Will be deleted at QUIT");
}

Answer run_rset(Context& context) {
  if (!seeded(Fault::rset_keeps_marks)) context.maildrop->unmark_all();
  co_return Completion(summary(*context.maildrop));
}

Answer run_noop(Context&) { co_return Completion("Nothing done"); }

}  // namespace postkeep::pop3
