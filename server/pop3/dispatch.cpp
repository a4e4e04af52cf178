// See dispatch.h.
#include "server/pop3/dispatch.h"

#include <utility>

#include "protocol/base/seeded_fault.h"
#include "protocol/pop3/command.h"
#include "protocol/pop3/reply.h"
#include "server/metrics/metrics.h"
#include "server/pop3/command_table.h"

namespace postkeep::pop3 {

namespace {

// What an operator wants to know and the client must not.
void log_failure(const Context& context, std::string_view keyword, const Error& error) {
  const bool ours = error.kind == ErrorKind::server_bug || error.kind == ErrorKind::corruption ||
                    error.kind == ErrorKind::unavailable;
  server::metrics().errors.at("pop3", postkeep::to_string(error.kind)).add();
  context.log.write(ours ? LogLevel::error : LogLevel::debug, "command_failed",
                    {{"command", keyword},
                     {"kind", postkeep::to_string(error.kind)},
                     {"text", error.text},
                     {"detail", error.detail}});
}

Judged answer_error(Context& context, std::string_view keyword, const Error& error) {
  log_failure(context, keyword, error);
  write_error(context.out(), response_code(error.kind), error.text);
  return error.kind == ErrorKind::bad_syntax ? Judged::malformed : Judged::fine;
}

void write_completion(Context& context, const Completion& completion) {
  switch (completion.kind) {
    case Completion::Kind::ok:
      return write_ok(context.out(), completion.text);
    case Completion::Kind::refused:
      return write_error(context.out(), completion.code, completion.text);
    case Completion::Kind::sent:
      return;
  }
}

// Why the row may not run now; none: it may.
std::optional<Error> objection(const Context& context, const CommandRow* row) {
  if (row == nullptr) return Error(ErrorKind::bad_syntax, "Unknown command");
  if (row->states.has(context.state())) return std::nullopt;
  if (context.state() == State::authorization) return Error(ErrorKind::bad_syntax, "Log in first");
  return Error(ErrorKind::bad_syntax, "Already logged in");
}

server::Histogram& time_of(std::string_view command) { return server::metrics().command_seconds.at("pop3", command); }

// Behind a barrier nothing may have arrived: it could have been put there by somebody else.
bool more_was_sent(const Context& context) {
  return !context.framer.buffered().empty() || (!context.connection.is_tls() && context.connection.unread_plaintext());
}

}  // namespace

std::string_view response_code(ErrorKind kind) {
  if (seeded(Fault::auth_code_for_all)) return "AUTH";
  switch (kind) {
    case ErrorKind::authentication_failed:
    case ErrorKind::authorization_failed:
    case ErrorKind::privacy_required:
      return "AUTH";
    case ErrorKind::in_use:
      return "IN-USE";
    case ErrorKind::limit:  // too many sessions of this user: nobody holds a lock
    case ErrorKind::unavailable:
    case ErrorKind::over_quota:
      return "SYS/TEMP";
    case ErrorKind::corruption:
    case ErrorKind::server_bug:
      return "SYS/PERM";
    default:
      return {};
  }
}

server::Awaitable<Judged> dispatch(Context& context, Secret line) {
  const auto command = parse_command_line(line.reveal());
  if (!command) {
    time_of("other").observe({});
    co_return answer_error(context, "", command.error());
  }
  const CommandRow* row = find_command(command->keyword);
  if (const std::optional<Error> error = objection(context, row)) {
    time_of(row == nullptr ? "other" : row->name).observe({});
    co_return answer_error(context, command->keyword, *error);
  }
  if (row->pipelining == Pipelining::barrier && more_was_sent(context)) {
    context.next = Next::log_out;
    co_return answer_error(context, row->name,
                           Error(ErrorKind::bad_syntax, "Nothing may be sent behind this command before its reply"));
  }
  if (row->name != "PASS") context.login.reset();  // RFC 1939 §7: PASS follows USER immediately
  const server::Stopwatch watch(time_of(row->name));
  const auto result = co_await row->run(context, command->arguments);
  if (!result) co_return answer_error(context, row->name, result.error());
  write_completion(context, *result);
  co_return Judged::fine;
}

Judged dispatch_too_long(Context& context) {
  return answer_error(context, "", Error(ErrorKind::bad_syntax, "Line too long"));
}

}  // namespace postkeep::pop3
