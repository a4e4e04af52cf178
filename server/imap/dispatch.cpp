// See dispatch.h.
#include "server/imap/dispatch.h"

#include <optional>
#include <string>
#include <utility>

#include "protocol/base/ensure.h"
#include "protocol/base/seeded_fault.h"
#include "protocol/imap/responses/state.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/extensions.h"
#include "server/imap/updates.h"
#include "server/metrics/metrics.h"

namespace postkeep::imap {

namespace {

// What an operator wants to know and the client must not.
void log_failure(const Context& context, std::string_view verb, const Error& error) {
  const bool ours = error.kind == ErrorKind::server_bug || error.kind == ErrorKind::corruption ||
                    error.kind == ErrorKind::unavailable;
  server::metrics().errors.at("imap", postkeep::to_string(error.kind)).add();
  const LogLevel level = ours ? LogLevel::error : LogLevel::debug;
  if (!context.log.wants(level)) return;
  const std::string_view mailbox = context.selected ? context.selected->mailbox.name.utf8() : std::string_view();
  context.log.write(level, "command_failed",
                    {{"command", verb},
                     {"mailbox", mailbox},
                     {"kind", postkeep::to_string(error.kind)},
                     {"text", error.text},
                     {"detail", error.detail}});
}

Judged write_error(Context& context, std::string_view tag, std::string_view verb, const Error& error) {
  log_failure(context, verb, error);
  Writer out = context.out();
  write_tagged_error(out, tag, error);
  return error.kind == ErrorKind::bad_syntax ? Judged::malformed : Judged::fine;
}

Judged write_result(Context& context, std::string_view tag, std::string_view verb, const Result<Completion>& result) {
  if (!result) return write_error(context, tag, verb, result.error());
  Writer out = context.out();
  write_tagged(out, tag, result->condition, result->code, result->text);
  return result->condition == Condition::bad ? Judged::malformed : Judged::fine;
}

// Why the row may not run now; none: it may.
std::optional<Error> objection(const Context& context, const CommandRow* row) {
  if (row == nullptr || (!row->capability.empty() && is_hidden(context, row->capability))) {
    return Error(ErrorKind::bad_syntax, "Unknown command");
  }
  if (row->states.has(context.state())) return std::nullopt;
  if (context.state() == State::not_authenticated) return Error(ErrorKind::bad_syntax, "Log in first");
  if (!row->states.has(State::authenticated) && row->states.has(State::selected)) {
    return Error(ErrorKind::bad_syntax, "Select a mailbox first");
  }
  return Error(ErrorKind::bad_syntax, "Already logged in");
}

server::Histogram& time_of(std::string_view command) { return server::metrics().command_seconds.at("imap", command); }

// Behind a barrier nothing may have arrived: it could have been put there by somebody else (STARTTLS injection).
bool more_was_sent(const Context& context) {
  return context.framer.buffered() > 0 || (!context.connection.is_tls() && context.connection.unread_plaintext());
}

// After the handler: changes, then the reply.
server::Awaitable<Judged> finish(Context& context, std::string tag, const CommandRow* row, Result<Completion> result) {
  if (context.selected && context.next == Next::read_command && !seeded(Fault::exists_forgotten)) {
    co_await send_updates(context, context.expunge);
    write_settled(context);
  }
  co_return write_result(context, tag, row->name, result);
}

}  // namespace

server::Awaitable<Judged> dispatch(Context& context, FramedCommand command) {
  Cursor cursor(command, context.quoted_octets());
  auto head = parse_command_head(cursor);
  if (!head) {
    time_of("other").observe({});
    co_return write_error(context, tag_of(command).value_or("*"), "", head.error());
  }
  const CommandRow* row = find_command(head->verb, head->uid);
  if (std::optional<Error> error = objection(context, row)) {
    time_of(row == nullptr ? "other" : row->name).observe({});
    co_return write_error(context, head->tag, head->verb, *error);
  }
  if (row->pipelining == Pipelining::barrier && more_was_sent(context)) {
    context.next = Next::log_out;
    context.farewell = "Nothing may be sent behind this command before its reply";
    co_return Judged::malformed;
  }
  context.uid_form = head->uid;
  context.expunge = seeded(Fault::expunge_in_fetch) ? ExpungeRule::allowed : row->expunge;
  context.correlator = head->tag;
  const server::Stopwatch watch(time_of(row->name));
  auto result = co_await row->run(context, cursor);
  co_return co_await finish(context, std::move(head->tag), row, std::move(result));
}

std::optional<Error> objection_to_literal(const Context& context) {
  Cursor cursor(context.framer.partial());
  const auto head = parse_command_head(cursor);
  if (!head) return head.error();
  return objection(context, find_command(head->verb, head->uid));
}

server::Awaitable<Judged> dispatch_append(Context& context) {
  Cursor cursor(context.framer.partial());
  auto head = parse_command_head(cursor);
  ENSURE(head, "the session has looked at it");
  const CommandRow* row = find_command(head->verb, head->uid);
  std::string tag = std::move(head->tag);
  context.uid_form = head->uid;
  context.expunge = row->expunge;
  const server::Stopwatch watch(time_of(row->name));
  auto result = co_await stream_append(context, tag);
  co_return co_await finish(context, std::move(tag), row, std::move(result));
}

server::Awaitable<void> finish_append(Context& context, std::string tag, Result<Completion> result,
                                      std::chrono::steady_clock::time_point began) {
  const CommandRow* row = find_command("APPEND", UidForm::no);
  (void)co_await finish(context, std::move(tag), row, std::move(result));
  time_of(row->name).observe(std::chrono::steady_clock::now() - began);
}

server::Awaitable<Judged> dispatch_refusal(Context& context, Refusal refusal) {
  const Judged judged = write_error(context, refusal.tag.value_or("*"), "", refusal.error);
  if (refusal.fatal) {
    context.next = Next::log_out;
    context.farewell = "Too much to skip";
  }
  co_return judged;
}

}  // namespace postkeep::imap
