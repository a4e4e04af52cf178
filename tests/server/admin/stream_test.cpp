#include "server/admin/stream.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <csignal>
#include <sstream>
#include <thread>

#include "tests/server/admin/fake_host.h"

using namespace postkeep;
using namespace postkeep::admin;
using Json = nlohmann::json;

namespace {

void print_line(const Json& piece, std::ostream& out) { out << piece.dump() << "\n"; }

struct Near {
  std::istringstream in;
  std::ostringstream out, err;
  NearSide side{in, out, err, nullptr};
};

// Sends what the test says, keeps what comes.
class Script final : public NearEnd {
 public:
  explicit Script(std::function<Outcome(Feed&)> what) : feed_(std::move(what)) {}
  Outcome feed(Feed& feed) override { return feed_(feed); }
  Outcome take(const Json&) override { return {}; }
  Outcome take_octets(std::string_view) override { return failure(ErrorKind::over_quota, "No room"); }
  Outcome finish(const Json&) override { return {}; }

 private:
  std::function<Outcome(Feed&)> feed_;
};

std::function<Outcome(Feed&)> script;
std::unique_ptr<NearEnd> scripted(const Command&, const Json&, NearSide&) { return std::make_unique<Script>(script); }

// Counts pieces up to "count".
Result<Json> count(Host&, const Json& arguments, Exchange& exchange) {
  const int end = arguments["count"];
  for (int i = 0; i < end; ++i) {
    exchange.progress({static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(end), "pieces", ""});
    TRY(exchange.send(i));
  }
  TRY(exchange.send_octets(std::string("o\0k\n", 4)));
  return nullptr;
}

// Adds up what it receives.
std::uint64_t received_octets = 0;
Result<Json> swallow(Host&, const Json&, Exchange& exchange) {
  received_octets = 0;
  Json values = Json::array();
  for (;;) {
    const Exchange::Item item = TRY(exchange.receive());
    if (item.kind == Exchange::Item::Kind::end) return values;
    if (item.kind == Exchange::Item::Kind::value) values.push_back(item.value);
    CHECK(item.octets.size() <= channel_block_octets);
    received_octets += item.octets.size();
  }
}

Result<Json> refuse(Host&, const Json&, Exchange&) { return failure(ErrorKind::not_found, "No such user"); }
Result<Json> break_down(Host&, const Json&, Exchange&) { throw std::runtime_error("a bug"); }
Result<Json> give_octets(Host&, const Json&, Exchange& exchange) {
  for (;;) TRY(exchange.send_octets(std::string(100'000, 'x')));
}
Result<Json> wait_for_interrupt(Host&, const Json&, Exchange& exchange) {
  TRY(exchange.send("ready"));
  for (;;) {
    TRY(exchange.check());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Command row(decltype(Command::stream) stream, decltype(Command::near_end) near_end = nullptr) {
  Command command{"test", "", "A test."};
  command.print = print_line;
  command.stream = stream;
  command.near_end = near_end;
  return command;
}

struct StreamFixture {
  test::FakeHost host;
  Near near;
  Outcome run(const Command& command, const Json& arguments = Json::object()) {
    return run_both_sides(host, command, arguments, near.side);
  }
};

}  // namespace

TEST_CASE_FIXTURE(StreamFixture, "pieces and octets arrive in order and as they were") {
  REQUIRE(run(row(count), {{"count", 3}}).has_value());
  CHECK(near.out.str() == std::string("0\n1\n2\no\0k\n", 10));
  CHECK(near.err.str() == "");
}

TEST_CASE_FIXTURE(StreamFixture, "with --json a piece is a line, and progress is shown when it was asked for") {
  near.side.format = NearSide::Format::json;
  near.side.progress = true;
  REQUIRE(run(row(count), {{"count", 20'000}}).has_value());
  CHECK(near.out.str().starts_with("0\n1\n2\n3\n"));
  CHECK(near.err.str().find("/20,000 pieces") != std::string::npos);
}

TEST_CASE_FIXTURE(StreamFixture,
                  "the near side sends values and octets, far more than memory between the two would hold") {
  script = [](Feed& feed) -> Outcome {
    TRY(feed.send("first"));
    for (int i = 0; i < 100; ++i) TRY(feed.send_octets(std::string(1'000'000, 'x')));
    return feed.send({{"last", true}});
  };
  REQUIRE(run(row(swallow, scripted)).has_value());
  CHECK(received_octets == 100'000'000);
}

TEST_CASE_FIXTURE(StreamFixture,
                  "an error, a bug and an early end of the far side reach the near one while it still sends") {
  script = [](Feed& feed) -> Outcome {
    for (;;) TRY(feed.send_octets(std::string(1'000'000, 'x')));
  };
  CHECK(run(row(refuse, scripted)).error().kind == ErrorKind::not_found);
  CHECK(run(row(break_down, scripted)).error().kind == ErrorKind::server_bug);
}

TEST_CASE_FIXTURE(StreamFixture, "an error of the near side ends the far one and is what is told") {
  script = [](Feed&) -> Outcome { return failure(ErrorKind::corruption, "Cannot read the file"); };
  CHECK(run(row(wait_for_interrupt, scripted)).error().kind == ErrorKind::corruption);
  script = [](Feed&) -> Outcome { return {}; };
  CHECK(run(row(give_octets, scripted)).error().kind == ErrorKind::over_quota);
}

TEST_CASE_FIXTURE(StreamFixture, "SIGINT interrupts the command, and the far side says so") {
  std::thread person([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    kill(getpid(), SIGINT);
  });
  const Outcome done = run(row(wait_for_interrupt));
  person.join();
  CHECK(done.error().kind == ErrorKind::unavailable);
  CHECK(done.error().text.starts_with("Interrupted"));
}

TEST_CASE_FIXTURE(StreamFixture, "a near side that is gone ends the far side wherever it is") {
  for (const auto& stream : {count, swallow, give_octets, wait_for_interrupt}) {
    const auto ends = Channel::make_pair().value();
    auto near_channel = std::make_unique<Channel>(ends.first);
    Channel far_channel(ends.second);
    std::thread far([&] {
      CHECK(run_far_side(host, row(stream), {{"count", 1'000'000}}, far_channel).contains("error"));
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    near_channel.reset();
    far.join();
  }
}

TEST_CASE_FIXTURE(StreamFixture, "a far side that is gone is an error of the near one") {
  const auto ends = Channel::make_pair().value();
  Channel near_channel(ends.first);
  { const Channel far_channel(ends.second); }
  CHECK(run_near_side(row(count), Json::object(), near_channel, near.side).error().kind == ErrorKind::unavailable);
}

TEST_CASE("a channel takes frames in any cuts and refuses nonsense") {
  const std::string good = "{\"value\":1}\n{\"octets\":3}\na\nb{\"end\":true}\n";
  for (std::size_t cut = 0; cut <= good.size(); ++cut) {
    const auto ends = Channel::make_pair().value();
    Channel receiver(ends.first, good.substr(0, cut));
    Channel sender(ends.second);
    REQUIRE(send(sender.descriptor(), good.data() + cut, good.size() - cut, 0) >= 0);
    CHECK(receiver.receive().value().line["value"] == 1);
    CHECK(receiver.receive().value().octets == "a\nb");
    CHECK(receiver.receive().value().line.contains("end"));
  }
  for (const char* bad : {"x\n", "1\n", "\n", "{\"octets\":0}\n", "{\"octets\":-1}\n", "{\"octets\":262145}\n",
                          "{\"octets\":\"3\"}\n", "{\"a\":\n"}) {
    const auto ends = Channel::make_pair().value();
    Channel receiver(ends.first, bad);
    const Channel sender(ends.second);
    CHECK(receiver.receive().error().kind == ErrorKind::bad_syntax);
  }
  const auto ends = Channel::make_pair().value();
  Channel receiver(ends.first, std::string(2 * channel_line_octets_max, 'x'));
  const Channel sender(ends.second);
  CHECK(receiver.receive().error().kind == ErrorKind::bad_syntax);
}
