// Many clients beside each other: who waits for whom, and how much work a server does for all of them.
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <memory>

#include "tests/bench/load/corpus.h"
#include "tests/bench/load/imap.h"
#include "tests/bench/load/lmtp.h"

namespace postkeep::bench {

namespace {

constexpr std::chrono::milliseconds noop_pause{10};
constexpr std::chrono::milliseconds arrival_pause{20};
constexpr std::chrono::milliseconds idle_pause{50};

struct Company {
  explicit Company(Bench& given) : bench(given), until(Clock::now() + duration_of(given.options.seconds)) {}
  bool is_open() const { return Clock::now() < until; }

  Bench& bench;
  Clock::time_point until;
  Measurement measurement;
  std::uint64_t fetched = 0, searches = 0, deliveries = 0, logins = 0;
};

asio::awaitable<void> pause_for(Bench& bench, std::chrono::milliseconds time) {
  asio::steady_timer timer(bench.io, time);
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> keep_delivering(Company& company) {
  LmtpClient lmtp(company.bench);
  const asio::ip::tcp::endpoint server = company.bench.lmtp_server();
  co_await lmtp.connect(server);
  for (unsigned i = 0; company.is_open(); ++i) {
    std::vector<std::string> recipients(1, company.bench.user(i));
    std::string text = message_of_size(company.bench.options.size, "company." + std::to_string(i));
    co_await lmtp.deliver(std::move(recipients), std::move(text));
    ++company.deliveries;
    co_await pause_for(company.bench, arrival_pause);
  }
  co_await lmtp.quit();
}

asio::awaitable<void> keep_asking(Company& company, unsigned number) {
  ImapClient client(company.bench);
  const std::string user = company.bench.user(number);
  co_await client.log_in(user);
  const std::string select("SELECT INBOX");
  co_await client.command(select);
  const std::string noop("NOOP");
  while (company.is_open()) {
    const Clock::time_point start = Clock::now();
    co_await client.command(noop);
    company.measurement.latencies.add(seconds_since(start));
    ++company.measurement.operations;
    co_await pause_for(company.bench, noop_pause);
  }
}

// What keeps the server busy: `octets` counts what came, `times` how often.
asio::awaitable<void> keep_at(Company& company, std::string command, std::uint64_t& octets, std::uint64_t& times) {
  ImapClient client(company.bench);
  const std::string user = company.bench.options.notice_command;
  co_await client.log_in(user);
  const std::string select = "EXAMINE " + company.bench.options.mailbox;
  co_await client.command(select);
  while (company.is_open()) {
    const Answer got = co_await client.command(command);
    octets += got.literals;
    ++times;
  }
}

// What a client remembers of its mailbox from one connection to the next.
using Known = std::map<std::string, std::string>;

asio::awaitable<void> one_visit(Company& company, unsigned number, Known& known, unsigned visit) {
  ImapClient client(company.bench);
  const std::string user = company.bench.user(number);
  co_await client.log_in(user);
  std::vector<std::string> commands = {"ENABLE QRESYNC", "LIST \"\" *", "STATUS INBOX (MESSAGES UNSEEN UIDNEXT)"};
  if (known.empty()) {
    commands.push_back("SELECT INBOX");
  } else {
    commands.push_back("SELECT INBOX (QRESYNC (" + known["uidvalidity"] + " " + known["modseq"] + "))");
  }
  commands.push_back("UID FETCH * (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)");
  commands.push_back("UID FETCH * (BODY.PEEK[])");
  for (const std::string& command : commands) {
    co_await client.command(command);
    ++company.measurement.operations;
  }
  known = client.known;
  const std::string tag = client.next_tag();
  const std::string idle = tag + " IDLE\r\n";
  co_await client.send(idle);
  co_await client.continuation();
  co_await pause_for(company.bench, idle_pause);
  const std::string done("DONE\r\n");
  co_await client.send(done);
  co_await client.answer(tag);
  const std::string store("UID STORE * +FLAGS (\\Seen)");
  co_await client.command(store);
  company.measurement.operations += 2;
  if (visit % 3 == 2) {
    const std::string move("UID MOVE * Archive");
    co_await client.command(move);
    ++company.measurement.operations;
  }
  const std::string logout("t0 LOGOUT\r\n");
  co_await client.send(logout);
  for (bool open = true; open;) open = co_await client.stream().fill_if_open();
  ++company.measurement.operations;
}

asio::awaitable<void> keep_visiting(Company& company, unsigned number) {
  Known known;
  // They do not all come in the same moment.
  co_await pause_for(company.bench, std::chrono::milliseconds(number * 5 % 1000));
  for (unsigned visit = number; company.is_open(); ++visit) {
    const Clock::time_point start = Clock::now();
    co_await one_visit(company, number, known, visit);
    company.measurement.latencies.add(seconds_since(start));
    ++company.logins;
  }
}

asio::awaitable<void> make_archive(Bench& bench, unsigned number) {
  ImapClient client(bench);
  const std::string user = bench.user(number);
  co_await client.log_in(user);
  const std::string create("c1 CREATE Archive\r\n");
  co_await client.send(create);
  co_await client.answer("c1");  // it may be there
}

}  // namespace

void run_fairness(Bench& bench) {
  bench.wait_for_step();
  Company company(bench);
  std::uint64_t fetches = 0, nothing = 0;
  const std::string search = std::string("UID SEARCH BODY ") + absent_word;
  bench.run(bench.options.connections + 3, [&](unsigned number) {
    if (number == 0) return keep_at(company, "UID FETCH 1:* (BODY.PEEK[])", company.fetched, fetches);
    if (number == 1) return keep_at(company, search, nothing, company.searches);
    if (number == 2) return keep_delivering(company);
    return keep_asking(company, number - 3);
  });
  company.measurement.octets = company.fetched;
  company.measurement.more["searches"] = company.searches;
  company.measurement.more["deliveries"] = company.deliveries;
  bench.report(company.measurement.finish());
}

void run_mixed(Bench& bench) {
  bench.run(std::min(bench.options.users, bench.options.connections),
            [&](unsigned number) { return make_archive(bench, number); });
  bench.wait_for_step();
  Company company(bench);
  bench.run(bench.options.connections + 1, [&](unsigned number) {
    if (number == 0) return keep_delivering(company);
    return keep_visiting(company, number - 1);
  });
  company.measurement.more["visits"] = company.logins;
  company.measurement.more["deliveries"] = company.deliveries;
  bench.report(company.measurement.finish());
}

}  // namespace postkeep::bench
