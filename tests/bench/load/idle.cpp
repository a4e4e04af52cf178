// Connections in IDLE, each of a user of its own. Steps, each begun by a line on standard input:
//   notice   a message to each; how long until each was told
//   burst    each leaves IDLE, runs the command of --burst, and goes back
//   hold     nothing: whoever measures memory asks again later
// and anything else ends it.
#include <memory>
#include <stdexcept>

#include "tests/bench/load/corpus.h"
#include "tests/bench/load/imap.h"
#include "tests/bench/load/lmtp.h"

namespace postkeep::bench {

namespace {

constexpr unsigned at_once_max = 50;  // so that the listener's queue is never the bottleneck
constexpr unsigned deliverers = 4;

struct Idler {
  explicit Idler(Bench& bench) : client(bench) {}
  ImapClient client;
  std::string tag;
  Clock::time_point sent, accepted, noticed;
};

using Idlers = std::vector<std::unique_ptr<Idler>>;

asio::awaitable<void> go_idle(Idler& idler) {
  idler.tag = idler.client.next_tag();
  const std::string idle = idler.tag + " IDLE\r\n";
  co_await idler.client.send(idle);
  co_await idler.client.continuation();
}

asio::awaitable<void> begin_some(Bench& bench, Idlers& idlers, unsigned first) {
  for (unsigned i = first; i < idlers.size(); i += at_once_max) {
    const std::string user = bench.user(i);
    co_await idlers[i]->client.log_in(user);
    const std::string select("SELECT INBOX");
    co_await idlers[i]->client.command(select);
    co_await go_idle(*idlers[i]);
  }
}

asio::awaitable<void> fetch_some(Bench& bench, Idlers& idlers, unsigned first, Measurement& measurement) {
  for (unsigned i = first; i < idlers.size(); i += at_once_max) {
    Idler& idler = *idlers[i];
    const Clock::time_point start = Clock::now();
    const std::string done("DONE\r\n");
    co_await idler.client.send(done);
    co_await idler.client.answer(idler.tag);
    const Answer got = co_await idler.client.command(bench.options.notice_command);
    co_await go_idle(idler);
    measurement.octets += got.literals;
    measurement.latencies.add(seconds_since(start));
    ++measurement.operations;
  }
}

asio::awaitable<void> wait_for_notice(Idler& idler) {
  for (;;) {
    const std::string line = co_await idler.client.line();
    if (line.ends_with(" EXISTS")) break;
  }
  idler.noticed = Clock::now();
}

asio::awaitable<void> deliver_to_each(Bench& bench, Idlers& idlers, unsigned first) {
  LmtpClient lmtp(bench);
  const asio::ip::tcp::endpoint server = bench.lmtp_server();
  co_await lmtp.connect(server);
  for (unsigned i = first; i < idlers.size(); i += deliverers) {
    std::vector<std::string> recipients(1, bench.user(i));
    std::string text = message_of_size(bench.options.size, "notice." + std::to_string(i));
    idlers[i]->sent = Clock::now();
    co_await lmtp.deliver(std::move(recipients), std::move(text));
    idlers[i]->accepted = Clock::now();
  }
  co_await lmtp.quit();
}

Json notices(Bench& bench, Idlers& idlers) {
  Measurement measurement;
  const auto count = static_cast<unsigned>(idlers.size());
  bench.run(count + deliverers, [&](unsigned number) {
    if (number < count) return wait_for_notice(*idlers[number]);
    return deliver_to_each(bench, idlers, number - count);
  });
  Latencies after;  // since the MTA was told that the message is safe; a notice may come before that
  for (const auto& idler : idlers) {
    measurement.latencies.add(std::chrono::duration<double>(idler->noticed - idler->sent).count());
    after.add(std::max(0.0, std::chrono::duration<double>(idler->noticed - idler->accepted).count()));
  }
  measurement.operations = count;
  measurement.more["after_accepted_ms"] = after.to_json();
  return measurement.finish();
}

Json burst(Bench& bench, Idlers& idlers) {
  Measurement measurement;
  const unsigned at_once = std::min<unsigned>(at_once_max, static_cast<unsigned>(idlers.size()));
  bench.run(at_once, [&](unsigned first) { return fetch_some(bench, idlers, first, measurement); });
  return measurement.finish();
}

}  // namespace

void run_idle(Bench& bench) {
  Idlers idlers;
  for (unsigned i = 0; i < bench.options.users; ++i) idlers.push_back(std::make_unique<Idler>(bench));
  const unsigned at_once = std::min<unsigned>(at_once_max, bench.options.users);
  bench.run(at_once, [&](unsigned first) { return begin_some(bench, idlers, first); });
  for (;;) {
    const std::string step = bench.wait_for_step();
    if (step == "notice") {
      bench.report(notices(bench, idlers));
    } else if (step == "burst") {
      bench.report(burst(bench, idlers));
    } else if (step != "hold") {
      return;
    }
  }
}

}  // namespace postkeep::bench
