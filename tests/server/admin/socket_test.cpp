#include "server/admin/socket.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <thread>

#include "tests/server/admin/fake_host.h"

using namespace postkeep;
using namespace postkeep::admin;
using Json = nlohmann::json;

namespace {

// A server with nothing but the admin socket, on its own thread.
class AdminServer {
 public:
  explicit AdminServer(const std::string& path) {
    Settings::Log log_settings;
    log_settings.file = directory_ / "log";
    log_ = Log::open(log_settings).value();
    acceptor_ = open_admin_socket(context_.get_executor(), path).value();
    asio::co_spawn(context_, serve_admin(*acceptor_, pool_, host, Logger(*log_)), [](std::exception_ptr error) {
      if (error) std::terminate();
    });
    thread_ = std::thread([this] { context_.run(); });
  }
  ~AdminServer() {
    asio::post(context_, [this] { acceptor_->close(); });
    thread_.join();  // serve_admin has returned: nothing is left to run
    pool_.join();
  }
  test::FakeHost host;

 private:
  test::TemporaryDirectory directory_;
  std::unique_ptr<Log> log_;
  asio::io_context context_;
  server::WorkerPool pool_{1, "admin"};
  std::unique_ptr<asio::local::stream_protocol::acceptor> acceptor_;
  std::thread thread_;
};

// What the command line does. nullopt: no server.
std::optional<Result<Json>> call_server(const std::string& path, const Json& request) {
  auto server = connect_to_server(path);
  if (!server) return tl::unexpected(server.error());
  if (*server == nullptr) return std::nullopt;
  if (const Outcome sent = (*server)->send_line(request); !sent) return tl::unexpected(sent.error());
  auto answer = (*server)->receive();
  if (!answer) return tl::unexpected(answer.error());
  return read_answer(answer->line);
}

// A connection that speaks whatever it likes.
int connect_raw(const std::string& path) {
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  REQUIRE(connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return descriptor;
}

std::string talk_raw(const std::string& path, const std::string& text) {
  const int descriptor = connect_raw(path);
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t n = send(descriptor, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) break;  // it was cut off
    sent += static_cast<std::size_t>(n);
  }
  shutdown(descriptor, SHUT_WR);
  std::string answer;
  char part[4096];
  for (ssize_t n = 0; (n = read(descriptor, part, sizeof part)) > 0;) answer.append(part, static_cast<std::size_t>(n));
  close(descriptor);
  return answer;
}

const Json list_users = {{"command", "user list"}, {"arguments", Json::object()}};

}  // namespace

TEST_CASE("a command goes to the server and its result or error comes back") {
  const test::TemporaryDirectory directory;
  const std::string path = socket_path(directory.path());
  AdminServer server(path);
  const Json add = {{"command", "user add"}, {"arguments", {{"name", "j\xC3\xBCrgen"}, {"verifiers", {"{PLAIN}x"}}}}};
  REQUIRE(call_server(path, add).value().has_value());
  CHECK(call_server(path, add).value().error().kind == ErrorKind::already_exists);
  CHECK(call_server(path, list_users).value().value()[0]["name"] == "j\xC3\xBCrgen");
}

TEST_CASE("where nobody listens there is no server, also if a dead one left its socket") {
  const test::TemporaryDirectory directory;
  const std::string path = socket_path(directory.path());
  CHECK_FALSE(call_server(path, list_users).has_value());
  { const AdminServer server(path); }
  CHECK(std::filesystem::exists(path));
  CHECK_FALSE(call_server(path, list_users).has_value());
  const AdminServer next(path);
  CHECK(call_server(path, list_users).value().has_value());
}

TEST_CASE("the socket is for its owner alone") {
  const test::TemporaryDirectory directory;
  const std::string path = socket_path(directory.path());
  const AdminServer server(path);
  struct stat info {};
  REQUIRE(stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("a data folder with a path longer than a socket's address works, and a missing one is no server") {
  const test::TemporaryDirectory directory;
  const std::string data = directory / std::string(150, 'd');
  CHECK_FALSE(call_server(socket_path(data), list_users).has_value());
  std::filesystem::create_directory(data);
  const AdminServer server(socket_path(data));
  CHECK(call_server(socket_path(data), list_users).value().has_value());
}

TEST_CASE("who talks nonsense gets an error or is cut off, and the next one is served") {
  const test::TemporaryDirectory directory;
  const std::string path = socket_path(directory.path());
  const AdminServer server(path);
  CHECK(talk_raw(path, "hello\n").find("bad_syntax") != std::string::npos);
  CHECK(talk_raw(path, "{\"command\":\n").find("bad_syntax") != std::string::npos);
  CHECK(talk_raw(path, std::string("\0\xFF\n", 3)).find("bad_syntax") != std::string::npos);
  CHECK(talk_raw(path, "no line end").empty());
  CHECK(talk_raw(path, "").empty());
  CHECK(talk_raw(path, std::string(request_octets_max + 10, 'x') + "\n").empty());
  close(connect_raw(path));
  CHECK(call_server(path, list_users).value().has_value());
}

TEST_CASE("several who ask at once are all answered") {
  const test::TemporaryDirectory directory;
  const std::string path = socket_path(directory.path());
  const AdminServer server(path);
  std::atomic<int> answered = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto answer = call_server(path, list_users);
      if (answer && answer->has_value()) ++answered;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(answered == 8);
}
