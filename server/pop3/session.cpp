// See session.h.
#include "server/pop3/session.h"

#include <memory>
#include <optional>

#include "auth/mechanisms.h"
#include "protocol/base/ensure.h"
#include "protocol/pop3/reply.h"
#include "server/pop3/commands/handlers.h"
#include "server/pop3/context.h"
#include "server/pop3/dispatch.h"

namespace postkeep::pop3 {

using line::LineFramer;
using server::Awaitable;
using server::ConnectionEnded;
using server::Ending;

namespace {

// Before login a stranger may not make us work for long.
constexpr std::uint64_t unknown_peer_bad_commands_max = 5;

void count(Context& context, Judged judged, std::uint64_t& bad_commands) {
  if (judged == Judged::fine) return;
  ++bad_commands;
  const std::uint64_t allowed =
      context.maildrop ? context.settings().limits.bad_commands : unknown_peer_bad_commands_max;
  if (allowed == 0 || bad_commands < allowed) return;
  context.log.info("too_many_bad_commands");
  context.next = Next::log_out;
}

// With what APOP signs, where it is offered: a msg-id that was never sent before (RFC 1939 §7).
std::string greeting(Context& context) {
  if (!context.settings().pop3.apop) return "Postkeep ready";
  context.apop_stamp = "<" + auth::random_nonce() + "@" + context.settings().hostname + ">";
  return "Postkeep ready " + context.apop_stamp;
}

Awaitable<void> serve(Context& context) {
  write_ok(context.out(), greeting(context));
  std::uint64_t bad_commands = 0;
  while (context.next != Next::log_out) {
    std::string_view text;
    const LineFramer::Event event = context.framer.next(text);
    if (event == LineFramer::Event::incomplete) {
      co_await context.read_more();
      continue;
    }
    Judged judged = Judged::fine;
    if (event == LineFramer::Event::too_long) {
      judged = dispatch_too_long(context);
    } else {
      judged = co_await dispatch(context, Secret(std::string(text)));
    }
    count(context, judged, bad_commands);
    co_await context.connection.flush_if_large();
    if (context.next == Next::start_tls) {
      co_await switch_to_tls(context);
      bad_commands = 0;
    }
    const Ending ending = context.connection.ending();
    if (ending != Ending::none && context.next != Next::log_out)
      throw ConnectionEnded(ending, "ended between commands");
  }
}

// Serves until the session ends for whatever reason. A timeout is not commented on (RFC 1939 §3).
Awaitable<std::optional<ConnectionEnded>> serve_to_end(Context& context) {
  std::optional<ConnectionEnded> broken;
  try {
    co_await serve(context);
  } catch (const ConnectionEnded& ended) {
    if (ended.ending() == Ending::shutting_down) {
      write_error(context.out(), "SYS/TEMP", "The server is shutting down");
    } else if (!ended.may_say_goodbye()) {
      broken = ended;
    }
    context.log.info("session_cut", {{"reason", to_string(ended.ending())}});
  } catch (const PeerLeft&) {
    context.log.debug("peer_left");
  } catch (const BugError& bug) {
    context.log.error("session_failed", {{"error", std::string_view(bug.what())}});
    write_error(context.out(), "SYS/PERM", "Internal error");
  }
  co_return broken;
}

}  // namespace

Awaitable<void> run_session(server::SessionContext& host) {
  // On the heap, so that the frame that stays while the session is idle is small.
  const auto context = std::make_unique<Context>(host);
  const std::optional<ConnectionEnded> broken = co_await serve_to_end(*context);
  co_await context->store_seen();
  if (broken) throw *broken;
}

}  // namespace postkeep::pop3
