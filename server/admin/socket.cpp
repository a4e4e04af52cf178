#include "server/admin/socket.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <asio/local/stream_protocol.hpp>

#include "server/runtime/awaits.h"
#include "server/runtime/deadline.h"
#include "server/runtime/offload.h"

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
asio::awaitable<Json> run_on_pool(asio::thread_pool& pool, Host& host, Json request) {
  return server::run_on(pool.get_executor(),
                        [&host, request = std::move(request)] { return handle_request(host, request); });
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

asio::awaitable<void> serve_one(Protocol::socket& socket, asio::thread_pool& pool, Host& host, const Logger& logger) {
  server::Deadline deadline(socket.get_executor(), [&socket] {
    asio::error_code ignored;
    socket.close(ignored);
  });
  deadline.arm(std::chrono::steady_clock::now() + peer_patience);
  asio::error_code error;
  std::string line;
  auto buffer = asio::dynamic_buffer(line, request_octets_max);
  co_await asio::async_read_until(socket, buffer, '\n', into(error));
  if (error) co_return;  // it went away, was too slow, or said too much
  deadline.disarm();

  Json request = Json::parse(line, nullptr, false);
  Json answer = co_await run_on_pool(pool, host, request);
  log_request(logger, request, answer);

  std::string reply = answer.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  deadline.arm(std::chrono::steady_clock::now() + peer_patience);
  auto out = asio::buffer(reply);
  co_await asio::async_write(socket, out, into(error));
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

asio::awaitable<void> serve_admin(Protocol::acceptor& acceptor, asio::thread_pool& pool, Host& host, Logger logger) {
  constexpr std::chrono::milliseconds pause_after_error{200};  // out of descriptors, say
  while (acceptor.is_open()) {
    asio::error_code error;
    Protocol::socket socket = co_await acceptor.async_accept(into(error));
    if (!error) {
      co_await serve_one(socket, pool, host, logger);
    } else if (acceptor.is_open()) {
      logger.warn("admin-accept-failed", {{"reason", error.message()}});
      asio::steady_timer pause(acceptor.get_executor(), pause_after_error);
      co_await pause.async_wait(into(error));
    }
  }
}

std::optional<Result<Json>> call_server(const std::string& path, const Json& request) {
  const auto broken = [](const asio::error_code& error) {
    return failure(ErrorKind::unavailable, "The server did not answer", error.message());
  };
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
  if (error) return std::nullopt;  // no socket, or a stale one

  asio::write(socket, asio::buffer(request.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"), error);
  if (error) return broken(error);
  std::string line;
  asio::read_until(socket, asio::dynamic_buffer(line), '\n', error);
  if (error) return broken(error);
  return read_answer(Json::parse(line, nullptr, false));
}

}  // namespace postkeep::admin
