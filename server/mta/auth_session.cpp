#include "server/mta/auth_session.h"

#include <unistd.h>

#include <atomic>
#include <exception>
#include <optional>
#include <utility>

#include "auth/password_hash.h"
#include "protocol/base/hex.h"
#include "protocol/line/line_framer.h"
#include "server/mta/auth_requests.h"

namespace postkeep::server {
namespace {

std::string random_cookie() {
  std::array<unsigned char, 16> octets{};
  auth::system_random(octets);
  return to_hex(octets);
}

void greet(SessionContext& context) {
  static std::atomic<std::uint32_t> connections{0};
  dovecot_auth::Handshake handshake;
  handshake.mechanisms = AuthRequests::offered(context);
  handshake.server_pid = static_cast<std::uint32_t>(::getpid());
  handshake.connection = ++connections;
  handshake.cookie = random_cookie();
  dovecot_auth::write_handshake(context.connection.output(), handshake);
}

// One line of the MTA's. Errors: what ends the connection, since nothing that follows could be trusted to mean what it
// says.
Outcome take_line(std::string_view line, bool& knows_version, AuthRequests& requests) {
  dovecot_auth::Message message = TRY(dovecot_auth::parse_message(line));
  if (const auto* version = std::get_if<dovecot_auth::Version>(&message)) {
    if (version->major_number != dovecot_auth::version_major) {
      return failure(ErrorKind::bad_syntax, "Not version 1 of the protocol");
    }
    knows_version = true;
  } else if (!knows_version) {
    return failure(ErrorKind::bad_syntax, "VERSION comes first");
  } else if (auto* auth = std::get_if<dovecot_auth::Auth>(&message)) {
    return requests.begin(std::move(*auth));
  } else if (auto* more = std::get_if<dovecot_auth::Continue>(&message)) {
    requests.go_on(std::move(*more));
  } else if (const auto* cancel = std::get_if<dovecot_auth::Cancel>(&message)) {
    requests.cancel(cancel->id);
  }
  return {};
}

// Until the end of the stream, or a line that is none of the protocol's.
Awaitable<void> serve_mta(SessionContext& context, AuthRequests& requests) {
  Connection& connection = context.connection;
  line::LineFramer framer(dovecot_auth::line_octets_max);
  bool knows_version = false;
  std::string input;
  while (true) {
    co_await requests.send();
    if (connection.ending() != Ending::none) throw ConnectionEnded(connection.ending(), "ended between requests");
    const std::size_t count = co_await connection.read_some(input);
    if (count == 0) co_return;
    framer.push(input);
    { const Secret wiped(std::move(input)); }
    input.clear();
    std::string_view line;
    for (auto event = framer.next(line); event != line::LineFramer::Event::incomplete; event = framer.next(line)) {
      Outcome taken = failure(ErrorKind::bad_syntax, "Line too long");
      if (event == line::LineFramer::Event::line) taken = take_line(line, knows_version, requests);
      if (!taken) {
        context.logger.warn("mta_misunderstood", {{"reason", taken.error().text}, {"detail", taken.error().detail}});
        co_return;
      }
    }
  }
}

// Never throws: what a session ends with is thrown when nobody refers to it any more.
Awaitable<std::exception_ptr> serve_to_end(SessionContext& context) {
  TaskGroup tasks(context.executor());
  AuthRequests requests(context, tasks);
  std::exception_ptr ended;
  try {
    co_await serve_mta(context, requests);
  } catch (...) {
    ended = std::current_exception();
  }
  try {
    co_await tasks.join();
  } catch (...) {
    if (!ended) ended = std::current_exception();
  }
  co_return ended;
}

}  // namespace

asio::awaitable<void> run_mta_auth_session(SessionContext& context) {
  context.connection.set_read_timeout(context.settings->limits.mta_timeout);
  greet(context);
  const std::exception_ptr ended = co_await serve_to_end(context);
  if (ended) std::rethrow_exception(ended);
}

}  // namespace postkeep::server
