// IDLE. RFC 9051 §6.3.13, RFC 2177. Two coroutines: this one reads until DONE and never stops reading for anything
// else; the pusher waits for changes and writes them. One writer at a time: the pusher until it is joined.
#include <memory>
#include <utility>

#include "protocol/imap/limits.h"
#include "protocol/imap/responses/state.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/notify_push.h"
#include "server/imap/read_beside.h"
#include "server/imap/updates.h"

namespace postkeep::imap {

namespace {

// Until the watch is stopped, or the mailbox is gone. A client that does not take what it is sent ends the session
// by the connection's write timeout.
server::Awaitable<void> push_updates(Context& context) {
  server::Watch& watch = *context.selected->watch;
  co_await send_updates(context, ExpungeRule::allowed);
  while (context.next == Next::read_command) {
    co_await context.connection.flush();
    const server::Wake wake = co_await watch.wait();
    if (wake == server::Wake::stopped) co_return;
    co_await report_changes(context, ExpungeRule::allowed);
  }
  // The mailbox was deleted. The reader must not be interrupted, so the connection is what ends it.
  context.connection.request_end(server::Ending::aborted);
}

// The line that ends IDLE.
server::Awaitable<Result<std::string>> read_done(Context& context) {
  for (;;) {
    auto line = context.framer.next_line(limits::idle_line_bytes_max);
    if (!line) co_return tl::unexpected<Error>(std::move(line).error());
    if (*line) co_return std::move(**line);
    std::string bytes;
    const std::size_t count = co_await context.connection.read_some(bytes);
    if (count == 0) throw PeerLeft();
    context.framer.feed(bytes);
  }
}

// In any case, and with blanks behind it, as some clients send it.
bool is_done(std::string_view line) {
  constexpr std::string_view done = "DONE";
  while (line.ends_with(' ')) line.remove_suffix(1);
  if (line.size() != done.size()) return false;
  for (std::size_t i = 0; i < done.size(); ++i) {
    if ((line[i] & ~0x20) != done[i]) return false;
  }
  return true;
}

// Null: nothing is to be told. With NOTIFY the same events as between commands (RFC 5465 §4).
std::shared_ptr<server::Watch> watch_of(const Context& context) {
  if (context.notify) return context.notify->watch;
  return context.selected ? context.selected->watch : nullptr;
}

}  // namespace

Answer run_idle(Context& context) {
  Writer out = context.out();
  write_continuation(out, "idling");
  co_await context.connection.flush();
  Result<std::string> read;
  std::shared_ptr<server::Watch> watch = watch_of(context);
  if (watch) {
    auto push = context.notify ? push_notices(context, ExpungeRule::allowed) : push_updates(context);
    read = co_await read_beside(context, std::move(watch), std::move(push), read_done(context));
  } else {
    read = co_await read_done(context);
  }
  const std::string line = CO_TRY(std::move(read));
  // A client that sends its next command instead gets BAD for the IDLE, which it knows, and has to send that again.
  if (!is_done(line)) co_return failure(ErrorKind::bad_syntax, "Expected DONE");
  co_return Completion("Idling ended");
}

}  // namespace postkeep::imap
