#include "auth/guess_guard.h"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

using namespace postkeep;
using namespace postkeep::auth;
using namespace std::chrono_literals;

namespace {

// A guard with a clock that stands still until it is moved.
struct Guarded {
  explicit Guarded(GuessGuard::Options options = GuessGuard::Options())
      : guard(
            std::move(options), [this](const GuessGuard::Ban& ban) { banned.push_back(ban); }, [this] { return now; }) {
  }

  std::shared_ptr<GuessGuard::Attempt> begin(const std::string& account, const std::string& address) {
    return guard.begin(account, account, address.empty() ? Origin() : Origin(IpAddress::parse(address).value()));
  }
  // What a try would be told now: "0 ms", "1000 ms", or why it is refused.
  std::string told(const std::string& account, const std::string& address) {
    const auto wait = begin(account, address)->admit();
    return wait ? std::to_string(wait->count()) + " ms" : wait.error().detail;
  }
  // Waits as it is told and fails; false if it was refused.
  bool fail(const std::string& account, const std::string& address, const std::string& password) {
    const auto attempt = begin(account, address);
    const auto wait = attempt->admit();
    if (!wait) return false;
    now += *wait;
    const Secret guess(password);
    attempt->wrong(&guess);
    return true;
  }
  bool succeed(const std::string& account, const std::string& address) {
    const auto attempt = begin(account, address);
    const auto wait = attempt->admit();
    if (!wait) return false;
    now += *wait;
    attempt->right();
    return true;
  }
  // `count` different wrong passwords.
  void guess(const std::string& account, const std::string& address, int count) {
    for (int i = 0; i < count; ++i) fail(account, address, "guess " + std::to_string(++guesses));
  }

  GuessGuard::TimePoint now = GuessGuard::TimePoint() + 1000h;
  std::vector<GuessGuard::Ban> banned;
  int guesses = 0;
  GuessGuard guard;
};

GuessGuard::Options options_with(std::uint64_t delay_after, std::uint64_t ban_after) {
  GuessGuard::Options options;
  options.delay_after = delay_after;
  options.ban_after = ban_after;
  return options;
}

}  // namespace

TEST_CASE("failures fade by half in half an hour") {
  FadingCount count;
  const FadingCount::TimePoint start{1h};
  CHECK(count.at(start) == 0);
  count.add(8, start);
  CHECK(count.at(start + 30min) == doctest::Approx(4));
  count.add(4, start + 30min);
  CHECK(count.at(start + 90min) == doctest::Approx(2));
}

TEST_CASE("the first wrong passwords cost no time, further ones twice as much each, up to the most") {
  Guarded g(options_with(3, 0));
  for (const char* wait :
       {"0 ms", "0 ms", "0 ms", "1000 ms", "2000 ms", "4000 ms", "8000 ms", "15000 ms", "15000 ms"}) {
    const auto before = g.now;
    CHECK(g.fail("alice", "192.0.2.1", "guess " + std::to_string(++g.guesses)));
    CHECK(std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(g.now - before).count()) + " ms" ==
          wait);
  }
  CHECK(g.told("alice", "192.0.2.1") == "15000 ms");
  CHECK(g.told("bob", "192.0.2.2") == "0 ms");
}

TEST_CASE("who has waited anyway is not made to wait again") {
  Guarded g(options_with(3, 0));
  g.guess("alice", "192.0.2.1", 4);
  g.now += 3s;
  CHECK(g.told("alice", "192.0.2.1") == "0 ms");
}

TEST_CASE("tries at one time are as slow as tries one after another, and the rest is refused") {
  Guarded g(options_with(3, 0));
  g.guess("alice", "192.0.2.1", 5);  // from now on 4 s lie between
  std::vector<std::shared_ptr<GuessGuard::Attempt>> tries;
  std::vector<std::string> told;
  for (int i = 0; i < 5; ++i) {
    tries.push_back(g.begin("alice", "192.0.2.1"));
    const auto wait = tries.back()->admit();
    told.push_back(wait ? std::to_string(wait->count()) : "refused");
  }
  CHECK(told == std::vector<std::string>{"4000", "8000", "12000", "refused", "refused"});
}

TEST_CASE("a try that others have failed before is judged anew") {
  Guarded g(options_with(2, 0));
  g.guess("alice", "192.0.2.1", 1);
  const auto early = g.begin("alice", "192.0.2.1");
  CHECK(early->admit().value() == 0ms);
  CHECK(early->still_admitted());
  g.guess("alice", "192.0.2.1", 1);
  CHECK_FALSE(early->still_admitted());
  CHECK(early->admit().value() == 1s);
  CHECK(early->still_admitted());
}

TEST_CASE("the same wrong password is counted once, from wherever it comes") {
  Guarded g(options_with(3, 5));
  for (int i = 0; i < 9; ++i) {
    const auto attempt = g.begin("alice", i % 2 == 0 ? "192.0.2.1" : "198.51.100.1");
    CHECK(attempt->admit().value() == 0ms);
    const Secret old("old password");
    CHECK(attempt->wrong(&old) == (i == 0));
  }
  CHECK(g.told("alice", "192.0.2.1") == "0 ms");
  CHECK(g.banned.empty());
  // It is another guess for another account.
  const Secret old("old password");
  CHECK(g.begin("bob", "192.0.2.1")->wrong(&old));
}

TEST_CASE("the same wrong password over and over is tried once a second") {
  Guarded g;
  for (int i = 0; i < 11; ++i) g.fail("alice", "192.0.2.1", "old password");
  CHECK(g.told("alice", "192.0.2.1") == "1000 ms");
}

TEST_CASE("where nobody can tell which password it was, each counts") {
  Guarded g(options_with(3, 0));
  for (int i = 0; i < 3; ++i) CHECK(g.begin("alice", "192.0.2.1")->wrong(nullptr));
  CHECK(g.told("alice", "192.0.2.1") == "1000 ms");
}

TEST_CASE("a try without an outcome counts for nothing") {
  Guarded g(options_with(1, 1));
  for (int i = 0; i < 100; ++i) CHECK(g.begin("alice", "192.0.2.1")->admit().value() == 0ms);
}

TEST_CASE("a site with too many failures is banned, longer each time, and the ban ends") {
  Guarded g(options_with(1000, 20));
  g.guess("alice", "192.0.2.1", 19);
  CHECK(g.banned.empty());
  g.guess("bob", "192.0.2.1", 1);
  REQUIRE(g.banned.size() == 1);
  CHECK(g.banned[0].site.to_string() == "192.0.2.1");
  CHECK(g.banned[0].left == 600s);
  CHECK(g.banned[0].last_login == "bob");
  CHECK(g.told("carol", "192.0.2.1") == "banned for 600 s more");
  CHECK(g.told("carol", "192.0.2.2") == "0 ms");
  CHECK(g.guard.turns_away(IpAddress::parse("192.0.2.1").value()));
  CHECK_FALSE(g.guard.turns_away(IpAddress::parse("192.0.2.2").value()));
  g.now += 600s;
  CHECK_FALSE(g.guard.turns_away(IpAddress::parse("192.0.2.1").value()));
  CHECK(g.told("carol", "192.0.2.1") == "0 ms");
  g.guess("dave", "192.0.2.1", 20);
  REQUIRE(g.banned.size() == 2);
  CHECK(g.banned[1].left == 1200s);
  CHECK(g.banned[1].times == 2);
  g.now += 48h;
  g.guess("erin", "192.0.2.1", 20);
  CHECK(g.banned.back().left == 600s);
}

TEST_CASE("a ban catches a try that waits for its turn") {
  Guarded g(options_with(1000, 20));
  const auto early = g.begin("carol", "192.0.2.1");
  CHECK(early->admit().value() == 0ms);
  g.guess("alice", "192.0.2.1", 20);
  CHECK_FALSE(early->still_admitted());
  CHECK_FALSE(early->admit());
}

TEST_CASE("an IPv6 address is judged with its /64") {
  Guarded g(options_with(1000, 20));
  for (int i = 0; i < 20; ++i) g.guess("alice", "2001:db8:1:2::" + std::to_string(i), 1);
  REQUIRE(g.banned.size() == 1);
  CHECK(g.banned[0].site.to_string() == "2001:db8:1:2::/64");
  CHECK(g.told("bob", "2001:db8:1:2:ffff::1").starts_with("banned"));
  CHECK(g.told("bob", "2001:db8:1:3::1") == "0 ms");
  CHECK(g.guard.lift(IpAddress::parse("2001:db8:1:2::77").value()));
  CHECK(g.told("bob", "2001:db8:1:2:ffff::1") == "0 ms");
}

TEST_CASE("a rightful user gets in from where he always does while his account is under attack") {
  Guarded g;
  CHECK_FALSE(g.begin("alice", "192.0.2.1")->known_good());
  CHECK(g.succeed("alice", "192.0.2.1"));
  CHECK(g.begin("alice", "192.0.2.1")->known_good());
  CHECK_FALSE(g.begin("alice", "192.0.2.2")->known_good());
  for (int i = 0; i < 500; ++i)
    g.guess("alice", "198.51." + std::to_string(i / 250) + "." + std::to_string(i % 250), 1);
  CHECK(g.told("alice", "192.0.2.1") == "0 ms");
  CHECK(g.succeed("alice", "192.0.2.1"));
  CHECK(g.told("alice", "203.0.113.1") == "3000 ms");  // a fifth of the most, from where he never was
}

TEST_CASE("one telephone that guesses does not lock its office out") {
  Guarded g;
  const std::string office = "192.0.2.1";
  for (const char* user : {"alice", "bob"}) CHECK(g.succeed(user, office));
  g.guess("carol", office, 200);
  CHECK(g.banned.empty());
  CHECK(g.told("alice", office) == "0 ms");
  CHECK(g.told("dave", office) == "0 ms");  // who has never been here
  CHECK(g.told("carol", office) != "0 ms");
  CHECK(g.told("carol", "203.0.113.1") != "0 ms");
}

TEST_CASE(
    "who guesses at many accounts is banned from an office too, and those who know their passwords still get in") {
  Guarded g(options_with(5, 20));
  const std::string office = "192.0.2.1";
  for (const char* user : {"alice", "bob"}) CHECK(g.succeed(user, office));
  for (int i = 0; i < 59; ++i) g.guess("user" + std::to_string(i), office, 1);
  CHECK(g.banned.empty());  // 20 for the address, 20 more for each of the two
  g.now += 15s;
  g.guess("user60", office, 1);
  g.now += 15s;
  g.guess("user61", office, 1);
  for (int i = 62; i < 90 && g.banned.empty(); ++i) {
    g.now += 15s;
    g.guess("user" + std::to_string(i), office, 1);
  }
  CHECK(g.banned.size() == 1);
  CHECK(g.told("alice", office) == "0 ms");
  CHECK(g.told("dave", office).starts_with("banned"));
  CHECK_FALSE(g.guard.turns_away(IpAddress::parse(office).value()));
}

TEST_CASE("a right password ends what was held against the pair") {
  Guarded g(options_with(5, 0));
  g.guess("alice", "192.0.2.1", 7);
  CHECK(g.succeed("alice", "192.0.2.1"));
  CHECK(g.told("alice", "192.0.2.1") == "0 ms");
  g.guess("alice", "192.0.2.1", 5);
  CHECK(g.told("alice", "192.0.2.1") == "1000 ms");  // known good as it is
}

TEST_CASE("exempt addresses are not banned, and accounts are watched from there and from Unix sockets too") {
  GuessGuard::Options options = options_with(5, 20);
  options.exempt = {IpNetwork::parse("127.0.0.0/8").value()};
  Guarded g(options);
  for (int i = 0; i < 100; ++i) g.guess("user" + std::to_string(i), "127.0.0.1", 1);
  for (int i = 0; i < 100; ++i) g.guess("user" + std::to_string(i), "", 1);
  CHECK(g.banned.empty());
  CHECK(g.told("alice", "127.0.0.1") == "0 ms");
  CHECK(g.told("alice", "") == "0 ms");
  g.guess("bob", "127.0.0.1", 6);
  CHECK(g.told("bob", "127.0.0.1") == "2000 ms");
  g.now += 2s;
  CHECK(g.told("bob", "") == "2000 ms");
}

TEST_CASE("too many tries under way are refused, and their end makes room") {
  Guarded g;
  std::vector<std::shared_ptr<GuessGuard::Attempt>> tries;
  for (unsigned i = 0; i < GuessGuard::pair_pending_max; ++i) {
    tries.push_back(g.begin("alice", "192.0.2.1"));
    CHECK(tries.back()->admit());
  }
  CHECK(g.told("alice", "192.0.2.1") == "too many tries wait");
  CHECK(g.told("alice", "192.0.2.2") == "0 ms");
  tries.pop_back();
  CHECK(g.told("alice", "192.0.2.1") == "0 ms");
}

TEST_CASE("a try that waits for its client is none under way, and is judged again at its end") {
  Guarded g;
  std::vector<std::shared_ptr<GuessGuard::Attempt>> tries;
  for (unsigned i = 0; i < 3 * GuessGuard::account_pending_max; ++i) {
    tries.push_back(g.begin("alice", i % 2 == 0 ? "192.0.2.1" : "192.0.2.3"));
    CHECK(tries.back()->admit());
    tries.back()->rest();
  }
  CHECK(g.told("alice", "192.0.2.1") == "0 ms");
  CHECK(g.told("alice", "192.0.2.2") == "0 ms");
  unsigned told = 0;
  for (const auto& each : tries) {
    if (!each->still_admitted()) continue;
    each->wrong(nullptr);
    ++told;
  }
  CHECK(told < 12);
}

TEST_CASE("a user can be forgiven") {
  Guarded g(options_with(3, 0));
  g.guess("alice", "192.0.2.1", 4);
  g.guess("alice", "192.0.2.2", 4);
  CHECK(g.guard.forgive("alice"));
  CHECK_FALSE(g.guard.forgive("alice"));
  CHECK(g.told("alice", "192.0.2.3") == "0 ms");
  CHECK(g.told("alice", "192.0.2.2") == "2000 ms");                  // the address is not
  CHECK_FALSE(g.guard.lift(IpAddress::parse("192.0.2.2").value()));  // it is not banned, but cleared
  CHECK(g.told("alice", "192.0.2.2") == "0 ms");
}

TEST_CASE("settings change what is done, not what is known") {
  Guarded g(options_with(3, 0));
  g.guess("alice", "192.0.2.1", 5);
  GuessGuard::Options off = options_with(3, 0);
  off.enabled = false;
  g.guard.reconfigure(off);
  CHECK(g.told("alice", "192.0.2.1") == "0 ms");
  g.guard.reconfigure(options_with(3, 0));
  CHECK(g.told("alice", "192.0.2.1") == "4000 ms");
  GuessGuard::Options no_delay = options_with(3, 0);
  no_delay.delay_max = 0ms;
  g.guard.reconfigure(no_delay);
  CHECK(g.told("alice", "192.0.2.1") == "0 ms");
}

TEST_CASE("memory is bounded, and an attack does not drive out the guilty or the good") {
  BoundedMap<int, int> map(20);
  int forgotten = 0;
  const auto worth = [](int value) { return value; };
  const auto count = [&](int) { ++forgotten; };
  map.use(0, worth, count) = 100;
  for (int i = 1; i < 1000; ++i) map.use(i, worth, count) = 1;
  CHECK(map.size() == 20);
  CHECK(forgotten == 980);
  REQUIRE(map.find(0) != nullptr);
  CHECK(*map.find(0) == 100);
  CHECK(map.find(500) == nullptr);
  map.erase(0);
  CHECK(map.find(0) == nullptr);
  CHECK(map.size() == 19);
}

TEST_CASE("the guard may be asked by all threads") {
  GuessGuard guard(options_with(5, 20));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&guard, t] {
      for (int i = 0; i < 500; ++i) {
        const std::string name = "user" + std::to_string(i % 7);
        const auto attempt = guard.begin(name, name, IpAddress(IpAddress::V4{10, 0, 0, static_cast<unsigned char>(t)}));
        if (!attempt->admit()) continue;
        const Secret guess(std::to_string(i));
        if (i % 3 == 0) attempt->right();
        if (i % 3 == 1) attempt->wrong(&guess);
        guard.bans();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(guard.lift_all() <= 4);
}
