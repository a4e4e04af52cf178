// IMAP commands on one connection: most goals are some command on some mailbox.
#include <algorithm>
#include <stdexcept>

#include "tests/bench/load/corpus.h"
#include "tests/bench/load/imap.h"
#include "tests/bench/load/lmtp.h"

namespace postkeep::bench {

namespace {

// {uidvalidity}, {modseq} and {n}, the number of the round.
std::string filled_in(std::string text, const ImapClient& client, unsigned round) {
  const auto replace = [&text](const std::string& name, const std::string& value) {
    const std::size_t at = text.find(name);
    if (at != std::string::npos) text.replace(at, name.size(), value);
  };
  for (const auto& [name, value] : client.known) replace("{" + name + "}", value);
  replace("{n}", std::to_string(round));
  return text;
}

asio::awaitable<void> prepare_commands(Bench& bench, ImapClient& client) {
  const std::string user = bench.user(0);
  co_await client.log_in(user);
  if (!bench.options.mailbox.empty()) {
    const std::string select = "SELECT " + bench.options.mailbox;
    co_await client.command(select);
  }
  for (const std::string& text : bench.options.before) {
    const std::string filled = filled_in(text, client, 0);
    co_await client.command(filled);
  }
}

asio::awaitable<void> deliver_one(Bench& bench) {
  LmtpClient lmtp(bench);
  const asio::ip::tcp::endpoint server = bench.lmtp_server();
  co_await lmtp.connect(server);
  std::vector<std::string> recipients(1, bench.user(0));
  std::string text = message_of_size(bench.options.size, "new");
  co_await lmtp.deliver(std::move(recipients), std::move(text));
  co_await lmtp.quit();
}

asio::awaitable<void> repeat_commands(Bench& bench, ImapClient& client, Measurement& measurement) {
  // Each round is that of a client which comes back knowing no more than at the first.
  const auto known = client.known;
  std::uint64_t untagged = 0;
  for (unsigned round = 0; bench.goes_on(round); ++round) {
    if (bench.options.new_mail) co_await deliver_one(bench);
    const Clock::time_point start = Clock::now();
    for (const std::string& text : bench.options.commands) {
      const std::string filled = filled_in(text, client, round);
      const Answer got = co_await client.command(filled);
      if (got.untagged < bench.options.expect)
        throw std::runtime_error(filled + ": too few answers: " + std::to_string(got.untagged));
      untagged += got.untagged;
      measurement.octets += got.literals;
    }
    client.known = known;
    measurement.latencies.add(seconds_since(start));
    ++measurement.operations;
  }
  measurement.more["untagged"] = untagged;
}

}  // namespace

void run_commands(Bench& bench) {
  ImapClient client(bench);
  bench.run(1, [&](unsigned) { return prepare_commands(bench, client); });
  const unsigned count = bench.options.count;
  if (bench.options.warm_up > 0) {
    Measurement unused;
    bench.options.count = bench.options.warm_up;
    bench.run(1, [&](unsigned) { return repeat_commands(bench, client, unused); });
    bench.options.count = count;
  }
  bench.wait_for_step();
  const std::uint64_t received = client.stream().received(), raw = client.stream().received_raw();
  Measurement measurement;
  bench.run(1, [&](unsigned) { return repeat_commands(bench, client, measurement); });
  measurement.more["received"] = client.stream().received() - received;
  measurement.more["received_compressed"] = client.stream().received_raw() - raw;
  bench.report(measurement.finish());
}

}  // namespace postkeep::bench
