#include "server/metrics/endpoint.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <asio/steady_timer.hpp>
#include <utility>

#include "server/metrics/metrics.h"
#include "server/runtime/awaits.h"

namespace postkeep::server {

struct MetricsEndpoint::Answer {
  Answer() = default;
  Answer(std::string status_line, std::string text) : status(std::move(status_line)), body(std::move(text)) {}
  std::string status = "200 OK";
  std::string type = "text/plain; charset=utf-8";
  std::string more_fields = {};  // whole lines
  std::string body;
};

namespace {

std::string_view status_of(const Error& error) {
  return error.kind == ErrorKind::too_big ? "431 Request Header Fields Too Large" : "400 Bad Request";
}

}  // namespace

MetricsEndpoint::~MetricsEndpoint() { stop(); }

std::vector<std::string> MetricsEndpoint::addresses() const {
  std::vector<std::string> all;
  for (const auto& listener : listeners_) all.push_back(listener->address());
  return all;
}

void MetricsEndpoint::start(std::vector<Probe> probes, std::function<void()> refresh) {
  if (listeners_.empty()) return;
  probes_ = std::move(probes);
  refresh_ = std::move(refresh);
  for (const auto& listener : listeners_) {
    auto on_accept = [this](int descriptor, Peer peer) {
      if (live_.size() >= requests_max) {
        ::close(descriptor);
      } else {
        tasks_.spawn(serve(descriptor, std::move(peer)));
      }
    };
    tasks_.spawn(listener->run(std::move(on_accept), [](const std::string&, const std::string&) {}));
  }
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "metrics");
    io_.run();
  });
}

void MetricsEndpoint::stop() {
  stopping_ = true;
  if (!thread_.joinable()) return;
  asio::post(io_, [this] {
    for (const auto& listener : listeners_) listener->close();
    for (Connection* connection : live_) connection->abort();
  });
  thread_.join();  // run() returns when all tasks have ended
}

asio::awaitable<void> MetricsEndpoint::serve(int descriptor, Peer peer) {
  ConnectionTimeouts timeouts;
  timeouts.write = request_patience;
  Connection connection(io_, descriptor, std::move(peer), timeouts);
  connection.set_read_timeout(request_patience);
  connection.set_time_limit(request_patience);
  live_.push_back(&connection);
  try {
    auto request = co_await read_request(connection);
    Answer reply;
    if (!request) {
      reply = Answer(std::string(status_of(request.error())), request.error().text + "\n");
    } else {
      reply = co_await answer(*request);
    }
    std::string& out = connection.output();
    out += "HTTP/1.1 " + reply.status + "\r\nContent-Type: " + reply.type +
           "\r\nContent-Length: " + std::to_string(reply.body.size()) +
           "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n" +
           reply.more_fields + "\r\n";
    if (!request || request->method != "HEAD") out += reply.body;
  } catch (const ConnectionEnded&) {
    // It left or was too slow, and gets no answer.
  }
  co_await connection.close();
  std::erase(live_, &connection);
}

asio::awaitable<Result<http::Request>> MetricsEndpoint::read_request(Connection& connection) {
  std::string head;
  while (true) {
    auto request = http::parse_request(head);
    if (!request) co_return tl::unexpected<Error>(std::move(request).error());
    if (*request) co_return std::move(**request);
    const std::size_t count = co_await connection.read_some(head);
    if (count == 0) throw ConnectionEnded(Ending::failed, "the peer left inside its request");
  }
}

asio::awaitable<MetricsEndpoint::Answer> MetricsEndpoint::answer(const http::Request& request) {
  Answer reply;
  if (request.method != "GET" && request.method != "HEAD") {
    reply = Answer("405 Method Not Allowed", "GET and HEAD are what there is\n");
    reply.more_fields = "Allow: GET, HEAD\r\n";
  } else if (request.path == "/metrics") {
    if (refresh_) refresh_();
    reply.type = "text/plain; version=0.0.4; charset=utf-8";
    reply.body = prometheus_text(metrics());
  } else if (request.path == "/health") {
    const std::string reason = co_await unhealthy_because();
    reply = reason.empty() ? Answer("200 OK", "ok\n") : Answer("503 Service Unavailable", reason + "\n");
  } else {
    reply = Answer("404 Not Found", "There are /metrics and /health\n");
  }
  co_return reply;
}

asio::awaitable<std::string> MetricsEndpoint::unhealthy_because() {
  if (stopping_) co_return "stopping";
  for (const Probe& probe : probes_) {
    const bool alive = co_await answers(probe);
    if (stopping_) co_return "stopping";
    if (!alive) co_return probe.failure;
  }
  co_return std::string();
}

asio::awaitable<bool> MetricsEndpoint::answers(const Probe& probe) {
  struct Asked {
    explicit Asked(asio::io_context& io) : timer(io) {}
    asio::steady_timer timer;
    bool answered = false;
  };
  // Shared: an answer may come when nobody waits for it any more.
  const auto asked = std::make_shared<Asked>(io_);
  asked->timer.expires_after(probe_patience);
  auto alive = [&io = io_, asked] {
    asio::post(io, [asked] {
      asked->answered = true;
      asked->timer.cancel();
    });
  };
  probe.ask(std::move(alive));
  asio::error_code error;
  co_await asked->timer.async_wait(into(error));
  co_return asked->answered;
}

}  // namespace postkeep::server
