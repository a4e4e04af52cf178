// MetricsEndpoint: figures and a health check by HTTP, for Prometheus and whoever watches the service:
//     GET /metrics   the figures (metrics.h) in Prometheus' text format
//     GET /health    200 "ok" while the server does its work; 503 with the reason when it does not, or is stopping
// It has a thread of its own, so that it answers when everything else is stuck, and until the very end of a stop.
// Limits: GET and HEAD, one request a connection, requests_max at a time, http::head_octets_max, a deadline for it all.
// Owned by the App; to be destroyed after all that the probes refer to has ended.
#pragma once

#include <asio/io_context.hpp>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "protocol/http/request.h"
#include "server/net/listener.h"
#include "server/runtime/task_group.h"

namespace postkeep::server {

class MetricsEndpoint {
 public:
  static constexpr unsigned requests_max = 16;
  static constexpr std::chrono::milliseconds request_patience{5'000};
  static constexpr std::chrono::milliseconds probe_patience{3'000};

  // Something that must work for the server to be healthy. `ask` has `alive` called from the thread or pool in
  // question, soon or never; both are called on any thread.
  struct Probe {
    std::string failure;  // "storage does not answer"
    std::function<void(std::function<void()> alive)> ask;
  };

  MetricsEndpoint() = default;
  ~MetricsEndpoint();  // stop()s
  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;

  // Before start(), any number of times; the listener is one of io().
  void add(std::unique_ptr<Listener> listener) { listeners_.push_back(std::move(listener)); }
  asio::io_context& io() { return io_; }
  std::vector<std::string> addresses() const;

  // Does nothing without listeners. `refresh` is called before figures are printed, to set those that are asked for
  // only then.
  void start(std::vector<Probe> probes, std::function<void()> refresh);
  // From now on the health check says 503. Any thread.
  void set_stopping() { stopping_ = true; }
  // Ends the thread; requests under way are cut.
  void stop();

 private:
  struct Answer;
  asio::awaitable<void> serve(int descriptor, Peer peer);
  asio::awaitable<Result<http::Request>> read_request(Connection& connection);
  asio::awaitable<Answer> answer(const http::Request& request);
  asio::awaitable<std::string> unhealthy_because();  // empty: healthy
  asio::awaitable<bool> answers(const Probe& probe);

  asio::io_context io_{1};
  TaskGroup tasks_{io_.get_executor()};
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<Connection*> live_;
  std::vector<Probe> probes_;
  std::function<void()> refresh_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace postkeep::server
