#include "server/admin/socket.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <asio/local/stream_protocol.hpp>
#include <list>

#include "server/admin/stream.h"
#include "server/runtime/awaits.h"
#include "server/runtime/deadline.h"
#include "server/runtime/offload.h"
#include "server/runtime/task_group.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;
using Protocol = asio::local::stream_protocol;
using server::into;

// For a request to arrive, and for its answer to be taken; also what a silent peer can add to a stop of the server.
constexpr std::chrono::seconds peer_patience{5};

// A Unix socket's address has room for 107 octets; a longer path is reached through its open directory.
class Address {
 public:
  explicit Address(const std::string& path) : path_(path) {
    constexpr std::size_t address_octets_max = 107;
    if (path.size() <= address_octets_max) return;
    const std::size_t slash = path.rfind('/');
    directory_ = open(path.substr(0, slash).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    path_ = "/proc/self/fd/" + std::to_string(directory_) + path.substr(slash);
  }
  ~Address() {
    if (directory_ >= 0) close(directory_);
  }
  Address(const Address&) = delete;
  Address& operator=(const Address&) = delete;
  Protocol::endpoint endpoint() const { return Protocol::endpoint(path_); }

 private:
  std::string path_;
  int directory_ = -1;
};

// Not a coroutine, so that the lambda is beside no co_await.
asio::awaitable<Json> run_on_pool(server::WorkerPool& pool, Host& host, Json request) {
  return server::run_on(pool.get_executor(),
                        [&host, request = std::move(request)] { return handle_request(host, request); });
}

// The same for a command that streams, on a thread that may wait for the near side as long as it likes.
asio::awaitable<Json> stream_on(server::WorkerPool& own, Host& host, const Command& command, Json request,
                                std::shared_ptr<Channel> channel) {
  return server::run_on(own.get_executor(),
                        [&host, &command, request = std::move(request), channel = std::move(channel)] {
                          return run_far_side(host, command, request["arguments"], *channel);
                        });
}

void log_request(const Logger& logger, const Json& request, const Json& answer) {
  const std::string name = request.is_object() ? text_argument(request, "command").value_or("") : "";
  const Json arguments = request.is_object() ? request.value("arguments", Json::object()) : Json::object();
  std::string who = text_argument(arguments, "name").value_or(text_argument(arguments, "user").value_or(""));
  const Result<Json> result = read_answer(answer);
  if (result) {
    logger.info("admin", {{"command", name}, {"on", who}, {"result", "ok"}});
  } else {
    const std::string_view kind = to_string(result.error().kind);
    logger.info("admin", {{"command", name}, {"on", who}, {"result", kind}, {"reason", result.error().detail}});
  }
}

// What all connections share; lives in serve_admin's frame, on its thread.
struct Serving {
  server::WorkerPool& pool;
  Host& host;
  const Logger& logger;
  Serving(server::WorkerPool& own_pool, Host& own_host, const Logger& own_logger)
      : pool(own_pool), host(own_host), logger(own_logger) {}
  std::list<std::shared_ptr<Channel>> streams = {};  // to be cut when the server stops
  bool stopping = false;
};

asio::awaitable<Json> serve_stream(Protocol::socket& socket, Serving& serving, const Command& command, Json request,
                                   std::string received) {
  auto channel = std::make_shared<Channel>(socket.release(), std::move(received));
  const auto place = serving.streams.insert(serving.streams.end(), channel);
  if (serving.stopping) channel->cut();
  server::WorkerPool own(1, "admin");
  Json answer = co_await stream_on(own, serving.host, command, std::move(request), channel);
  own.join();
  serving.streams.erase(place);
  co_return answer;
}

asio::awaitable<void> write_answer(Protocol::socket& socket, Json answer) {
  server::Deadline deadline(socket.get_executor(), [&socket] {
    asio::error_code ignored;
    socket.close(ignored);
  });
  deadline.arm(std::chrono::steady_clock::now() + peer_patience);
  const std::string reply = answer.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  asio::error_code error;
  auto out = asio::buffer(reply);
  co_await asio::async_write(socket, out, into(error));
}

// The first line, with what came after it in `rest`. An empty one: it went away, was too slow, or said too much.
asio::awaitable<std::string> read_request(Protocol::socket& socket, std::string& rest) {
  server::Deadline deadline(socket.get_executor(), [&socket] {
    asio::error_code ignored;
    socket.close(ignored);
  });
  deadline.arm(std::chrono::steady_clock::now() + peer_patience);
  asio::error_code error;
  std::string line;
  auto buffer = asio::dynamic_buffer(line, request_octets_max);
  const std::size_t size = co_await asio::async_read_until(socket, buffer, '\n', into(error));
  if (error) co_return std::string();
  rest = line.substr(size);
  line.resize(size);
  co_return line;
}

asio::awaitable<void> refuse(Protocol::socket socket, Json answer) { co_await write_answer(socket, std::move(answer)); }

asio::awaitable<void> serve_one(Protocol::socket socket, Serving& serving) {
  std::string rest;
  const std::string line = co_await read_request(socket, rest);
  if (line.empty()) co_return;
  Json request = Json::parse(line, nullptr, false);
  const Result<const Command*> command = requested_command(request);
  if (command && (*command)->stream != nullptr) {
    const Json answer = co_await serve_stream(socket, serving, **command, request, std::move(rest));
    log_request(serving.logger, request, answer);
    co_return;
  }
  Json answer = co_await run_on_pool(serving.pool, serving.host, request);
  log_request(serving.logger, request, answer);
  co_await write_answer(socket, std::move(answer));
}

}  // namespace

std::string socket_path(std::string_view data_dir) { return std::string(data_dir) + "/admin.sock"; }

Result<std::unique_ptr<Protocol::acceptor>> open_admin_socket(asio::any_io_executor executor, const std::string& path) {
  unlink(path.c_str());
  const Address address(path);
  asio::error_code error;
  auto acceptor = std::make_unique<Protocol::acceptor>(executor);
  acceptor->open(Protocol(), error);
  if (!error) acceptor->bind(address.endpoint(), error);
  // Nobody can connect before listen(), so there is no moment in which others could.
  if (!error && chmod(path.c_str(), 0600) != 0) error = asio::error_code(errno, asio::error::get_system_category());
  if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return failure(ErrorKind::unavailable, "The admin socket cannot be opened", path + ": " + error.message());
  }
  return acceptor;
}

asio::awaitable<void> serve_admin(Protocol::acceptor& acceptor, server::WorkerPool& pool, Host& host, Logger logger) {
  constexpr std::chrono::milliseconds pause_after_error{200};  // out of descriptors, say
  Serving serving(pool, host, logger);
  server::TaskGroup connections(acceptor.get_executor());
  while (acceptor.is_open()) {
    asio::error_code error;
    Protocol::socket socket = co_await acceptor.async_accept(into(error));
    if (!error && connections.running() < admin_connections_max) {
      connections.spawn(serve_one(std::move(socket), serving));
    } else if (!error) {
      Json refusal = to_answer(failure(ErrorKind::limit, "Too many admin commands run at once; try again later"));
      connections.spawn(refuse(std::move(socket), std::move(refusal)));
    } else if (acceptor.is_open()) {
      logger.warn("admin-accept-failed", {{"reason", error.message()}});
      asio::steady_timer pause(acceptor.get_executor(), pause_after_error);
      co_await pause.async_wait(into(error));
    }
  }
  serving.stopping = true;
  for (const auto& channel : serving.streams) channel->cut();
  co_await connections.join();
}

Result<std::unique_ptr<Channel>> connect_to_server(const std::string& path) {
  asio::io_context context;
  Protocol::socket socket(context);
  asio::error_code error;
  try {
    const Address address(path);
    socket.connect(address.endpoint(), error);
  } catch (const asio::system_error& impossible) {  // no such directory, so the path is too long
    error = impossible.code();
  }
  if (error == asio::error::access_denied) {
    return failure(ErrorKind::no_permission, "You may not talk to the running server", path + ": " + error.message());
  }
  if (error) return nullptr;  // no socket, or a stale one
  return std::make_unique<Channel>(socket.release(), std::string(), std::string::npos);
}

}  // namespace postkeep::admin
