// RETR of every message of a maildrop, one by one or many in one piece (RFC 2449 §6.6).
#include <stdexcept>

#include "tests/bench/load/workload.h"

namespace postkeep::bench {

namespace {

class Pop3Client {
 public:
  explicit Pop3Client(Bench& bench) : bench_(bench), stream_(bench.io) {}

  asio::awaitable<void> log_in() {
    co_await stream_.connect(bench_.server(), bench_.tls());
    co_await ok();
    const std::string user = "USER " + bench_.user(0) + "\r\n";
    co_await stream_.send(user);
    co_await ok();
    const std::string pass = "PASS " + bench_.options.password + "\r\n";
    co_await stream_.send(pass);
    co_await ok();
  }

  asio::awaitable<void> retrieve(unsigned first, unsigned count, std::uint64_t& octets) {
    std::string sent;
    for (unsigned i = 0; i < count; ++i) sent += "RETR " + std::to_string(first + i) + "\r\n";
    co_await stream_.send(sent);
    for (unsigned i = 0; i < count; ++i) {
      co_await ok();
      co_await multi_line(octets);
    }
  }

 private:
  asio::awaitable<void> ok() {
    std::string_view line;
    while (!stream_.take_line(line)) co_await stream_.fill();
    if (!line.starts_with("+OK")) throw std::runtime_error("POP3: " + std::string(line));
  }

  asio::awaitable<void> multi_line(std::uint64_t& octets) {
    std::string_view line;
    for (;;) {
      while (!stream_.take_line(line)) co_await stream_.fill();
      if (line == ".") co_return;
      octets += line.size() + 2;
    }
  }

  Bench& bench_;
  Stream stream_;
};

asio::awaitable<void> retrieve_all(Bench& bench, Pop3Client& client, Measurement& measurement) {
  const unsigned at_once = bench.options.mode == "pipelined" ? bench.options.batch : 1;
  for (unsigned i = 0; i < bench.options.count; i += at_once) {
    const unsigned count = std::min(at_once, bench.options.count - i);
    const Clock::time_point start = Clock::now();
    co_await client.retrieve(i + 1, count, measurement.octets);
    measurement.latencies.add(seconds_since(start));
    measurement.operations += count;
  }
}

}  // namespace

void run_pop3(Bench& bench) {
  Pop3Client client(bench);
  bench.run(1, [&](unsigned) { return client.log_in(); });
  bench.wait_for_step();
  Measurement measurement;
  bench.run(1, [&](unsigned) { return retrieve_all(bench, client, measurement); });
  bench.report(measurement.finish());
}

}  // namespace postkeep::bench
