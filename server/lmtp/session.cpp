#include "server/lmtp/session.h"

#include <optional>
#include <utility>

#include "auth/limits.h"
#include "server/lmtp/commands.h"
#include "server/runtime/switch_to_tls.h"

namespace postkeep::server {
namespace {

void write(Connection& connection, int code, std::string enhanced, std::string text) {
  const lmtp::Reply reply(code, std::move(enhanced), std::move(text));
  lmtp::write_reply(connection.output(), reply);
}

// Until QUIT, the end of the stream, or too many errors. Replies wait while more commands of the same
// packet are there (RFC 2920 §3.2), so that a pipelined batch is one answer.
asio::awaitable<void> serve(SessionContext& context) {
  Connection& connection = context.connection;
  const bool may_log_in = context.settings->lmtp.auth != LmtpAuth::off;
  line::LineFramer framer(may_log_in ? auth::sasl_line_octets_max : lmtp::command_line_octets_max);
  LmtpCommands commands(context, framer);
  commands.limit_time_to_log_in();
  const std::uint64_t errors_max = context.settings->limits.bad_commands;
  std::string input;
  while (true) {
    std::string_view text;
    const line::LineFramer::Event event = framer.next(text);
    if (event == line::LineFramer::Event::incomplete) {
      co_await connection.flush();
      const std::size_t count = co_await connection.read_some(input);
      if (count == 0) co_return;
      framer.push(input);
      std::string().swap(input);
      continue;
    }
    if (event == line::LineFramer::Event::too_long) {
      commands.too_long_line();
    } else {
      lmtp::Command command = lmtp::parse_command(text, commands.utf8());
      const LmtpNext next = co_await commands.run(std::move(command));
      if (next == LmtpNext::quit) co_return;
      if (next == LmtpNext::start_tls) {
        const bool shaken = co_await switch_to_tls(context);
        if (!shaken) co_return;
        commands.forget_everything();
      }
    }
    if (errors_max != 0 && commands.errors() >= errors_max) {
      write(connection, 421, "4.7.0", "Too many errors");
      co_return;
    }
    if (commands.too_many_unknown()) {
      write(connection, 421, "4.7.0", "Too many unknown recipients");
      co_return;
    }
    if (connection.ending() != Ending::none) throw ConnectionEnded(connection.ending(), "ended between commands");
    co_await connection.flush_if_large();
  }
}

}  // namespace

asio::awaitable<void> run_lmtp_session(SessionContext& context) {
  Connection& connection = context.connection;
  connection.set_read_timeout(context.settings->limits.lmtp_timeout);
  write(connection, 220, "", context.settings->hostname + " LMTP Postkeep ready");
  std::optional<ConnectionEnded> ended;
  try {
    co_await serve(context);
  } catch (const ConnectionEnded& reason) {
    ended = reason;
  }
  // session_host's close() sends what is in the output.
  if (!ended) co_return;
  if (ended->ending() == Ending::timed_out) write(connection, 421, "4.4.2", "Timeout, closing the connection");
  if (ended->ending() == Ending::shutting_down) write(connection, 421, "4.3.2", "The server is shutting down");
  throw *ended;
}

}  // namespace postkeep::server
