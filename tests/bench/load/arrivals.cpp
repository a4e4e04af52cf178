// Mail that comes in: LMTP, APPEND in its three ways, and the corpus that other workloads find.
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "tests/bench/load/corpus.h"
#include "tests/bench/load/imap.h"
#include "tests/bench/load/lmtp.h"

namespace postkeep::bench {

namespace {

// Differs from run to run too, since a server may keep equal messages once.
std::string unique_id(const Bench& bench, unsigned number) {
  return "bench." + std::to_string(bench.options.seed) + "." + std::to_string(number);
}

asio::awaitable<void> connect_lmtp(Bench& bench, LmtpClient& client) {
  const asio::ip::tcp::endpoint server = bench.lmtp_server();
  co_await client.connect(server);
}

asio::awaitable<void> deliver_often(Bench& bench, LmtpClient& client, unsigned number, Measurement& measurement) {
  const Options& options = bench.options;
  for (unsigned i = number; bench.goes_on(i); i += options.connections) {
    std::vector<std::string> recipients;
    for (unsigned r = 0; r < options.recipients; ++r) recipients.push_back(bench.user(i * options.recipients + r));
    std::string text = message_of_size(options.size, unique_id(bench, i));
    measurement.octets += text.size() * options.recipients;
    const Clock::time_point start = Clock::now();
    co_await client.deliver(std::move(recipients), std::move(text));
    measurement.latencies.add(seconds_since(start));
    measurement.operations += options.recipients;
  }
}

asio::awaitable<void> log_in_as(Bench& bench, ImapClient& client, unsigned number) {
  const std::string user = bench.user(number);
  co_await client.log_in(user);
}

asio::awaitable<void> append_one(ImapClient& client, std::string mailbox, std::string text) {
  const std::string tag = client.next_tag();
  const std::string head = tag + " APPEND " + mailbox + " {" + std::to_string(text.size()) + "}\r\n";
  co_await client.send(head);
  co_await client.continuation();
  text += "\r\n";
  co_await client.send(text);
  const Answer got = co_await client.answer(tag);
  if (!got.tagged.starts_with("OK")) throw std::runtime_error("APPEND: " + got.tagged);
}

// One command with many messages: RFC 3502.
asio::awaitable<void> append_together(ImapClient& client, std::string mailbox, std::vector<std::string> texts) {
  const std::string tag = client.next_tag();
  std::string sent = tag + " APPEND " + mailbox;
  for (const std::string& text : texts) sent += " {" + std::to_string(text.size()) + "+}\r\n" + text;
  sent += "\r\n";
  co_await client.send(sent);
  const Answer got = co_await client.answer(tag);
  if (!got.tagged.starts_with("OK")) throw std::runtime_error("MULTIAPPEND: " + got.tagged);
}

// Many commands in one piece. The answers are so short that they need not be read meanwhile.
asio::awaitable<void> append_in_a_row(ImapClient& client, std::string mailbox, std::vector<std::string> texts) {
  std::string sent;
  std::vector<std::string> tags;
  for (const std::string& text : texts) {
    tags.push_back(client.next_tag());
    sent += tags.back() + " APPEND " + mailbox + " {" + std::to_string(text.size()) + "+}\r\n" + text + "\r\n";
  }
  co_await client.send(sent);
  for (const std::string& tag : tags) {
    const Answer got = co_await client.answer(tag);
    if (!got.tagged.starts_with("OK")) throw std::runtime_error("pipelined APPEND: " + got.tagged);
  }
}

asio::awaitable<void> append_often(Bench& bench, ImapClient& client, unsigned number, Measurement& measurement) {
  const Options& options = bench.options;
  const std::string mailbox = options.mailbox.empty() ? "INBOX" : options.mailbox;
  const unsigned at_once = options.mode == "single" || options.mode.empty() ? 1 : options.batch;
  for (unsigned i = number * at_once; bench.goes_on(i); i += options.connections * at_once) {
    std::vector<std::string> texts;
    for (unsigned k = i; k < i + at_once; ++k) texts.push_back(message_of_size(options.size, unique_id(bench, k)));
    for (const std::string& text : texts) measurement.octets += text.size();
    measurement.operations += texts.size();
    const Clock::time_point start = Clock::now();
    if (options.mode == "multi") {
      co_await append_together(client, mailbox, std::move(texts));
    } else if (options.mode == "pipelined") {
      co_await append_in_a_row(client, mailbox, std::move(texts));
    } else {
      co_await append_one(client, mailbox, std::move(texts.front()));
    }
    measurement.latencies.add(seconds_since(start));
  }
}

asio::awaitable<void> fill_mailbox(Bench& bench, ImapClient& client) {
  co_await log_in_as(bench, client, 0);
  const Options& options = bench.options;
  for (unsigned i = 0; i < options.count; i += options.batch) {
    std::vector<std::string> texts;
    for (unsigned k = i; k < options.count && k < i + options.batch; ++k)
      texts.push_back(corpus_message(options.seed, k));
    co_await append_together(client, options.mailbox, std::move(texts));
  }
  const std::string sent = client.next_tag() + " LOGOUT\r\n";
  co_await client.send(sent);
}

}  // namespace

void run_deliveries(Bench& bench) {
  std::vector<std::unique_ptr<LmtpClient>> clients;
  for (unsigned i = 0; i < bench.options.connections; ++i) clients.push_back(std::make_unique<LmtpClient>(bench));
  bench.run(bench.options.connections, [&](unsigned number) { return connect_lmtp(bench, *clients[number]); });
  bench.wait_for_step();
  Measurement measurement;
  bench.run(bench.options.connections,
            [&](unsigned number) { return deliver_often(bench, *clients[number], number, measurement); });
  bench.report(measurement.finish());
}

void run_appends(Bench& bench) {
  std::vector<std::unique_ptr<ImapClient>> clients;
  for (unsigned i = 0; i < bench.options.connections; ++i) clients.push_back(std::make_unique<ImapClient>(bench));
  bench.run(bench.options.connections, [&](unsigned number) { return log_in_as(bench, *clients[number], number); });
  bench.wait_for_step();
  Measurement measurement;
  bench.run(bench.options.connections,
            [&](unsigned number) { return append_often(bench, *clients[number], number, measurement); });
  bench.report(measurement.finish());
}

void run_fill(Bench& bench) {
  ImapClient client(bench);
  Measurement measurement;
  bench.run(1, [&](unsigned) { return fill_mailbox(bench, client); });
  measurement.operations = bench.options.count;
  bench.report(measurement.finish());
}

void run_corpus(Bench& bench) {
  namespace fs = std::filesystem;
  const fs::path folder = bench.options.folder;
  for (const char* part : {"cur", "new", "tmp"}) fs::create_directories(folder / part);
  Measurement measurement;
  for (unsigned i = 0; i < bench.options.count; ++i) {
    const std::string text = corpus_message(bench.options.seed, i);
    const std::string name = std::to_string(1'600'000'000 + i * 60ULL) + "." + std::to_string(i) +
                             ".bench,S=" + std::to_string(text.size()) + ",W=" + std::to_string(text.size()) + ":2,";
    std::ofstream(folder / "cur" / name, std::ios::binary) << text;
    measurement.octets += text.size();
  }
  measurement.operations = bench.options.count;
  bench.report(measurement.finish());
}

}  // namespace postkeep::bench
