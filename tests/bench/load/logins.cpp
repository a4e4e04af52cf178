// A connection from its beginning to its end, as often as asked for.
#include <utility>

#include "tests/bench/load/imap.h"

namespace postkeep::bench {

namespace {

asio::awaitable<bool> one_login(Bench& bench, std::string user) {
  ImapClient client(bench);
  co_await client.log_in(user);
  const std::string select("SELECT INBOX");
  co_await client.command(select);
  const bool resumed = client.stream().was_resumed();
  const std::string logout("t99 LOGOUT\r\n");
  co_await client.send(logout);
  for (bool open = true; open;) open = co_await client.stream().fill_if_open();
  client.close();
  co_return resumed;
}

asio::awaitable<void> log_in_often(Bench& bench, unsigned number, Measurement& measurement, std::uint64_t& resumed) {
  const unsigned connections = bench.options.connections;
  for (unsigned i = number; bench.goes_on(i); i += connections) {
    const Clock::time_point start = Clock::now();
    const std::string user = bench.user(i);
    const bool was_resumed = co_await one_login(bench, user);
    resumed += was_resumed ? 1 : 0;
    measurement.latencies.add(seconds_since(start));
    ++measurement.operations;
  }
}

}  // namespace

void run_logins(Bench& bench) {
  std::uint64_t resumed = 0;
  const auto run = [&](Measurement& measurement) {
    bench.run(bench.options.connections,
              [&](unsigned number) { return log_in_often(bench, number, measurement, resumed); });
  };
  if (bench.options.warm_up > 0) {
    const unsigned count = std::exchange(bench.options.count, bench.options.warm_up);
    Measurement unused;
    run(unused);
    bench.options.count = count;
  }
  bench.wait_for_step();
  resumed = 0;
  Measurement measurement;
  run(measurement);
  measurement.more["resumed"] = resumed;
  bench.report(measurement.finish());
}

}  // namespace postkeep::bench
