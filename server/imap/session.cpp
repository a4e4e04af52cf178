// See session.h.
#include "server/imap/session.h"

#include <memory>
#include <optional>

#include "protocol/base/ensure.h"
#include "protocol/imap/commands/append.h"
#include "protocol/imap/responses/state.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/context.h"
#include "server/imap/dispatch.h"
#include "server/imap/extensions.h"
#include "server/imap/notify_push.h"

namespace postkeep::imap {

using server::Awaitable;
using server::ConnectionEnded;
using server::Ending;

namespace {

// Before login a stranger may not make us work for long.
constexpr std::uint64_t unknown_peer_bad_commands_max = 5;

void greet(Context& context) {
  Writer out = context.out();
  write_untagged(out, Condition::ok, ResponseCode::capability(capability_list(context)), "Postkeep ready");
}

void say_farewell(Context& context) {
  Writer out = context.out();
  write_untagged(out, Condition::bye, std::nullopt, context.farewell);
}

void count(Context& context, Judged judged, std::uint64_t& bad_commands) {
  if (judged == Judged::fine) return;
  ++bad_commands;
  const std::uint64_t bad_commands_max =
      context.account ? context.settings().limits.bad_commands : unknown_peer_bad_commands_max;
  if (bad_commands_max == 0 || bad_commands < bad_commands_max || context.next == Next::log_out) return;
  context.next = Next::log_out;
  context.farewell = "Too many bad commands";
}

// What the framer stands at, dealt with.
Awaitable<Judged> serve_event(Context& context, Framer::Event event) {
  switch (event) {
    case Framer::Event::command:
      co_return co_await dispatch(context, context.framer.take_command());
    case Framer::Event::refused:
      co_return co_await dispatch_refusal(context, context.framer.take_refusal());
    case Framer::Event::literal_due:
      if (std::optional<Error> error = objection_to_literal(context)) {
        context.framer.refuse_literal(std::move(*error));  // answered when the framer is past the command
        co_return Judged::fine;
      }
      if (is_append(context.framer.partial())) co_return co_await dispatch_append(context);
      context.framer.buffer_literal();
      send_continuation(context);
      co_return Judged::fine;
    case Framer::Event::need_more:
    case Framer::Event::streaming:
      break;
  }
  ENSURE(event == Framer::Event::need_more, "a streamed literal is taken by its command");
  if (context.connection.ending() == Ending::shutting_down && context.framer.is_idle()) {
    context.next = Next::log_out;
    context.farewell = "The server is shutting down";
    co_return Judged::fine;
  }
  const bool told_between = context.notify && context.notify->watch && context.framer.is_idle();
  if (told_between) {
    co_await read_beside_notices(context);
  } else {
    co_await context.read_more();
  }
  co_return Judged::fine;
}

Awaitable<void> serve(Context& context) {
  greet(context);
  std::uint64_t bad_commands = 0;
  while (context.next != Next::log_out) {
    const Framer::Event event = context.framer.next();
    const Judged judged = co_await serve_event(context, event);
    count(context, judged, bad_commands);
    co_await context.flush_if_large();  // a few pipelined bytes can ask for very much
    if (context.next == Next::start_tls) {
      co_await switch_to_tls(context);
      bad_commands = 0;
    } else if (context.next == Next::compress) {
      co_await start_compression(context);
    } else if (context.next == Next::unauthenticate) {
      co_await leave_user(context);
      bad_commands = 0;
    }
  }
  if (!context.farewell.empty()) say_farewell(context);
}

std::string_view goodbye(Ending ending, const Context& context) {
  if (ending == Ending::shutting_down) return "* BYE The server is shutting down\r\n";
  return context.account ? "* BYE Logged out for inactivity\r\n" : "* BYE Took too long to log in\r\n";
}

// Serves until the session ends for whatever reason, and says farewell where the client can still hear it.
Awaitable<void> serve_to_end(Context& context) {
  try {
    co_await serve(context);
  } catch (const ConnectionEnded& ended) {
    if (!context.farewell.empty()) {
      say_farewell(context);
    } else if (ended.may_say_goodbye()) {
      context.connection.output() += goodbye(ended.ending(), context);
    } else {
      throw;
    }
    context.log.info("session_cut", {{"reason", to_string(ended.ending())}});
  } catch (const PeerLeft&) {
    context.log.debug("peer_left");
  } catch (const BugError& bug) {
    context.log.error("session_failed", {{"error", std::string_view(bug.what())}});
    context.connection.output() += "* BYE [SERVERBUG] Internal error\r\n";
  }
}

}  // namespace

Awaitable<void> run_session(server::SessionContext& host) {
  // On the heap, so that the frame that stays while the session is idle is small.
  const auto context = std::make_unique<Context>(host);
  co_await serve_to_end(*context);
}

}  // namespace postkeep::imap
