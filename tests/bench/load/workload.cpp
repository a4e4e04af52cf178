// See workload.h.
#include "tests/bench/load/workload.h"

#include <asio/co_spawn.hpp>
#include <asio/ip/address.hpp>
#include <exception>
#include <iostream>

namespace postkeep::bench {

Bench::Bench(Options given) : options(std::move(given)) {
  if (options.use_tls) tls_.emplace(options.resume);
}

void Bench::run(unsigned count, const std::function<asio::awaitable<void>(unsigned)>& task) {
  std::exception_ptr first;
  for (unsigned number = 0; number < count; ++number) {
    asio::co_spawn(io, task(number), [this, &first](std::exception_ptr failure) {
      if (!failure || first) return;
      first = failure;
      io.stop();
    });
  }
  io.run();
  io.restart();
  if (first) std::rethrow_exception(first);
}

std::string Bench::wait_for_step() {
  std::string line = "go";
  if (options.steps) {
    line.clear();
    std::cout << "{\"event\": \"ready\"}" << std::endl;
    std::getline(std::cin, line);
  }
  until_ = Clock::now() + duration_of(options.seconds);
  return line;
}

void Bench::report(const Json& result) { std::cout << result.dump() << std::endl; }

asio::ip::tcp::endpoint Bench::server() const { return {asio::ip::make_address(options.host), options.port}; }

asio::ip::tcp::endpoint Bench::lmtp_server() const {
  return {asio::ip::make_address(options.host), options.lmtp_port != 0 ? options.lmtp_port : options.port};
}

std::string Bench::user(unsigned number) const {
  std::string name = options.user;
  const std::size_t mark = name.find('%');
  if (mark != std::string::npos) name.replace(mark, 1, std::to_string(options.first_user + number % options.users));
  return name;
}

}  // namespace postkeep::bench
