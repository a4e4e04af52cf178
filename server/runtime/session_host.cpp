#include "server/runtime/session_host.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <future>
#include <utility>

#include "server/metrics/metrics.h"
#include "server/net/proxy_peer.h"
#include "server/runtime/awaits.h"
#include "server/runtime/offload.h"

namespace postkeep::server {
namespace {

// Says why there is no place, without waiting for anybody.
void refuse(int descriptor, const Protocol& protocol) {
  if (protocol.tls == TlsMode::plain && !protocol.refusal.empty()) {
    [[maybe_unused]] const ssize_t sent =
        ::send(descriptor, protocol.refusal.data(), protocol.refusal.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  ::shutdown(descriptor, SHUT_WR);
  ::close(descriptor);
}

SessionFacts facts_of(SessionContext& context) {
  SessionFacts facts;
  facts.id = context.logger.session();
  facts.protocol = context.protocol;
  facts.user = context.user();
  facts.address = context.connection.peer().address;
  if (context.connection.is_tls()) facts.tls = context.connection.tls_description();
  facts.since = context.since;
  facts.idle = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                     context.connection.last_input());
  return facts;
}

}  // namespace

SessionHost::SessionHost(Services& services, Runtime& runtime) : services_(services) {
  for (std::size_t i = 0; i < runtime.io_count(); ++i) threads_.push_back(std::make_unique<Thread>(runtime.io(i)));
}

SessionHost::~SessionHost() = default;

ConnectionTimeouts SessionHost::timeouts() const {
  const SettingsPtr settings = services_.settings.get();
  ConnectionTimeouts timeouts;
  timeouts.write = settings->limits.write_timeout;
  timeouts.handshake = settings->limits.tls_handshake_timeout;
  return timeouts;
}

// "" if there is none.
std::string SessionHost::reason_to_refuse(const Peer& peer, const Protocol& protocol) {
  if (!protocol.needs_login) return {};
  const auto address = IpAddress::parse(peer.address);
  return address && services_.auth.turns_away(*address) ? "banned" : "";
}

bool SessionHost::is_trusted_proxy(const Peer& peer) {
  const auto address = IpAddress::parse(peer.address);
  return !address ||
         contains(services_.settings.get()->proxy.trusted, *address);  // a Unix socket has its folder's mode
}

void SessionHost::note_refusal(const Peer& peer, const Protocol& protocol, const std::string& reason) {
  services_.log.write(LogLevel::warn, "refused",
                      {{"protocol", protocol.name}, {"peer", peer.address}, {"reason", reason}});
  metrics().connections_refused.at(protocol.name).add();
}

void SessionHost::accept(int descriptor, Peer peer, const Protocol& protocol, bool proxied) {
  if (proxied && !is_trusted_proxy(peer)) {
    note_refusal(peer, protocol, "not in proxy.trusted");
    ::close(descriptor);
    return;
  }
  // Who is in front has connections for everybody: they are counted by address when the clients' are known.
  const std::string why = proxied ? std::string() : reason_to_refuse(peer, protocol);
  auto ticket = services_.admission.admit_connection(proxied ? std::string() : peer.address);
  if (!ticket || !why.empty()) {
    note_refusal(peer, protocol, ticket ? why : ticket.error().text);
    return refuse(descriptor, protocol);
  }
  metrics().connections_total.at(protocol.name).add();
  const auto least = std::min_element(threads_.begin(), threads_.end(),
                                      [](const auto& a, const auto& b) { return a->load < b->load; });
  Thread& thread = **least;
  ++thread.load;
  ++count_;
  // Shared, since what is posted must be copyable in this Asio and a Ticket is not.
  auto place = std::make_shared<Admission::Ticket>(std::move(*ticket));
  asio::post(thread.io, [this, &thread, descriptor, peer = std::move(peer), &protocol, proxied, place] {
    if (thread.leaving) {
      ::close(descriptor);
      --thread.load;
      --count_;
      return;
    }
    thread.children.spawn(run(thread, descriptor, peer, protocol, proxied, std::move(*place)));
  });
}

// Holds what the session lives on. The session's own frame is small, and lives in serve().
asio::awaitable<void> SessionHost::run(Thread& thread, int descriptor, Peer peer, const Protocol& protocol,
                                       bool proxied, Admission::Ticket ticket) {
  {
    const Counted counted(metrics().connections.at(protocol.name));
    Connection connection(thread.io, descriptor, std::move(peer), timeouts());
    SessionContext context(services_, connection, Logger(services_.log, next_session_id()));
    context.protocol = protocol.name;
    const auto place = thread.live.insert(thread.live.end(), &context);
    co_await serve(thread, connection, context, protocol, proxied);
    co_await connection.close();
    thread.live.erase(place);
    context.logger.info("disconnect", {{"in", connection.bytes_received()}, {"out", connection.bytes_sent()}});
  }
  ticket = Admission::Ticket();
  --thread.load;
  --count_;
}

asio::awaitable<std::optional<Admission::Ticket>> SessionHost::admit_client(SessionContext& context,
                                                                            const Protocol& protocol) {
  Connection& connection = context.connection;
  const std::string in_front = connection.peer().address;
  auto client = co_await read_proxy_peer(connection, context.settings->proxy.timeout);
  if (!client) {
    context.logger.warn("proxy_header", {{"peer", in_front}, {"reason", client.error().text}});
    metrics().errors.at(protocol.name, "proxy_header").add();
    connection.abort(Ending::failed);
    co_return std::nullopt;
  }
  context.logger.info("proxied", {{"peer", client->address}, {"by", in_front}});
  // A health check comes from the program itself, and is nobody's.
  const std::string why = client->address == in_front ? std::string() : reason_to_refuse(*client, protocol);
  auto place = services_.admission.admit_address(client->address == in_front ? std::string() : client->address);
  if (!place || !why.empty()) {
    note_refusal(*client, protocol, place ? why : place.error().text);
    if (protocol.tls == TlsMode::plain) connection.output() += protocol.refusal;
    co_return std::nullopt;
  }
  connection.set_peer(std::move(*client));
  co_return std::optional<Admission::Ticket>(std::move(*place));
}

// Never throws: what a session ended with is logged here, once.
asio::awaitable<void> SessionHost::serve(Thread& thread, Connection& connection, SessionContext& context,
                                         const Protocol& protocol, bool proxied) {
  const Logger& logger = context.logger;
  std::optional<Admission::Ticket> place;  // of the client's address, where a program in front told it
  try {
    if (proxied) {
      place = co_await admit_client(context, protocol);
      if (!place) co_return;
    }
    logger.info("connect", {{"protocol", protocol.name}, {"peer", connection.peer().address}});
    if (protocol.tls == TlsMode::implicit) {
      const Outcome started = co_await connection.start_tls(services_.tls.current());
      if (!started) {
        logger.info("tls_failed", {{"reason", started.error().detail}});
        metrics().errors.at("tls", to_string(started.error().kind)).add();
        connection.abort(Ending::failed);
        co_return;
      }
      logger.debug("tls", {{"version", connection.tls_description()}});
    }
    if (thread.leaving) connection.request_end(Ending::shutting_down);
    co_await protocol.run(context);
  } catch (const ConnectionEnded& ended) {
    logger.info("ended", {{"how", to_string(ended.ending())}, {"reason", ended.what()}});
    metrics().errors.at(protocol.name, to_string(ended.ending())).add();
  } catch (const std::exception& problem) {
    logger.error("session_failed", {{"reason", problem.what()}});
    metrics().errors.at(protocol.name, "session_failed").add();
  }
}

void SessionHost::ask_threads() {
  for (const auto& thread : threads_) {
    thread->answered = false;
    asio::post(thread->io, [answered = &thread->answered] { *answered = true; });
  }
}

bool SessionHost::threads_answered() const {
  return std::ranges::all_of(threads_, [](const auto& thread) { return thread->answered.load(); });
}

void SessionHost::end_sessions(const std::string& user) {
  for (const auto& thread : threads_) {
    asio::post(thread->io, [live = &thread->live, user] {
      for (SessionContext* context : *live) {
        if (context->user() == user) context->connection.request_end(Ending::shutting_down);
      }
    });
  }
}

void SessionHost::visit_sessions(const std::function<void(SessionContext&)>& visit) {
  for (const auto& thread : threads_) {
    const auto visited = std::make_shared<std::promise<void>>();  // outlives its own set_value()
    const std::future<void> done = visited->get_future();
    asio::post(thread->io, [&visit, visited, live = &thread->live] {
      for (SessionContext* context : *live) visit(*context);
      visited->set_value();
    });
    done.wait();
  }
}

std::vector<SessionFacts> SessionHost::list() {
  std::vector<SessionFacts> sessions;
  visit_sessions([&](SessionContext& context) { sessions.push_back(facts_of(context)); });
  std::ranges::sort(sessions, [](const SessionFacts& a, const SessionFacts& b) { return a.since < b.since; });
  return sessions;
}

std::size_t SessionHost::end_sessions_if(const Which& which) {
  std::size_t ended = 0;
  visit_sessions([&](SessionContext& context) {
    if (!which(facts_of(context))) return;
    context.connection.request_end(Ending::shutting_down);
    ++ended;
  });
  return ended;
}

bool SessionHost::shut_down(std::chrono::milliseconds grace) {
  std::vector<std::future<void>> ends;
  for (const auto& owned : threads_) {
    Thread* thread = owned.get();
    asio::post(thread->io, [thread] {
      thread->leaving = true;
      for (SessionContext* context : thread->live) context->connection.request_end(Ending::shutting_down);
    });
    ends.push_back(start_with_future(thread->io.get_executor(), thread->children.join()));
  }
  const auto all_ended_by = [&ends](std::chrono::steady_clock::time_point limit) {
    return std::ranges::all_of(ends, [limit](auto& end) { return end.wait_until(limit) == std::future_status::ready; });
  };
  const auto now = std::chrono::steady_clock::now();
  if (all_ended_by(now + grace)) return true;
  services_.log.write(LogLevel::warn, "cutting_sessions", {{"sessions", std::uint64_t{count_}}});
  for (const auto& owned : threads_) {
    asio::post(owned->io, [thread = owned.get()] {
      for (SessionContext* context : thread->live) context->connection.abort();
    });
  }
  return all_ended_by(now + 2 * grace);
}

}  // namespace postkeep::server
