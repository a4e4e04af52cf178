#include "auth/authenticator.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <map>
#include <thread>

#include "auth/user_name.h"

using namespace postkeep;
using namespace postkeep::auth;

namespace {

// A directory in memory; can be told to fail.
class Directory final : public UserDirectory {
 public:
  Result<std::optional<User>> find(std::string_view name) override {
    if (broken) return failure(ErrorKind::unavailable, "Try again later");
    const auto found = users_.find(user_key(name));
    if (found == users_.end()) return std::optional<User>();
    return std::optional<User>(found->second.first);
  }
  Result<std::vector<Verifier>> verifiers(std::string_view name) override {
    const auto found = users_.find(user_key(name));
    if (found == users_.end()) return failure(ErrorKind::not_found, "No such user");
    return found->second.second;
  }
  Result<std::vector<User>> list() override { return std::vector<User>(); }
  Outcome add(const User& user, const std::vector<Verifier>& verifiers) override {
    users_[user_key(user.name)] = {user, verifiers};
    return {};
  }
  Outcome set_verifiers(std::string_view name, const std::vector<Verifier>& verifiers) override {
    users_.at(user_key(name)).second = verifiers;
    return {};
  }
  Outcome set_enabled(std::string_view name, bool enabled) override {
    users_.at(user_key(name)).first.enabled = enabled;
    return {};
  }
  Outcome remove(std::string_view name) override {
    users_.erase(user_key(name));
    return {};
  }
  bool broken = false;

 private:
  std::map<std::string, std::pair<User, std::vector<Verifier>>> users_;
};

Authenticator::Options options(std::uint32_t memory_kib = 64, unsigned hashes = 2) {
  Authenticator::Options options;
  options.domains = {"mail.example.org", "example.org"};
  options.cost.argon2_memory_kib = memory_kib;
  options.cost.argon2_iterations = 1;
  options.concurrent_hashes = hashes;
  return options;
}

struct Fixture {
  Directory users;
  Authenticator authenticator{users, options()};

  void add(std::string name, std::optional<Scheme> scheme = Scheme::plain, HashCost cost = options().cost) {
    User user;
    user.name = name;
    REQUIRE(users.add(user, make_verifiers(Secret("secret"), scheme, cost).value()));
  }
  Result<Identity> verify(std::string login, std::string password = "secret", std::string authorization = "") {
    return authenticator.verify(Credentials{std::move(login), std::move(authorization), Secret(std::move(password))});
  }
  std::string resolved(std::string_view address) {
    const auto recipient = authenticator.resolve_recipient(address);
    return recipient ? recipient->user + "|" + recipient->detail : std::string(to_string(recipient.error().kind));
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "the right password is accepted whatever the scheme it is kept in") {
  add("plain", Scheme::plain);
  add("argon", Scheme::argon2id);
  add("scram", Scheme::scram_sha_256);
  add("both", std::nullopt);
  for (const std::string name : {"plain", "argon", "scram", "both"}) {
    CAPTURE(name);
    CHECK(verify(name).value().user == name);
    CHECK(verify(name, "wrong").error().kind == ErrorKind::authentication_failed);
  }
}

TEST_CASE_FIXTURE(Fixture, "wrong user, wrong password, disabled user and user without password answer alike") {
  add("alice");
  add("off");
  REQUIRE(users.set_enabled("off", false));
  add("bare");
  REQUIRE(users.set_verifiers("bare", {}));
  const std::vector<Result<Identity>> answers = {
      verify("alice", "wrong"), verify("nobody"), verify("off"),        verify("bare"),
      verify("alice", ""),      verify("\xFF"),   verify("", "secret"), verify(std::string(5000, 'x'))};
  for (const Result<Identity>& answer : answers) {
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().kind == ErrorKind::authentication_failed);
    CHECK(answer.error().text == answers[0].error().text);
    CHECK_FALSE(answer.error().detail.empty());
  }
}

TEST_CASE_FIXTURE(Fixture, "a wrong user costs as much as a wrong password") {
  const auto costly = options(32 * 1024);
  authenticator.reconfigure(costly);
  add("argon", std::nullopt, costly.cost);
  add("plain");
  // Time of this thread, not of the clock on the wall: the machine may be busy. The best of some.
  const auto thread_seconds = [] {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
  };
  const auto cost = [&](const std::string& login) {
    double best = 1e9;
    for (int i = 0; i < 5; ++i) {
      const double begin = thread_seconds();
      CHECK_FALSE(verify(login, "wrong").has_value());
      best = std::min(best, thread_seconds() - begin);
    }
    return best;
  };
  const double real = cost("argon");
  CHECK(cost("nobody") > real / 3);
  CHECK(cost("nobody") < real * 3);
  CHECK(cost("plain") > real / 3);
  CHECK(cost("nobody@example.org") > real / 3);
}

TEST_CASE_FIXTURE(Fixture, "a login of the whole name comes before the local part of a domain of ours") {
  add("alice");
  add("alice@example.org");
  add("bob");
  add("carol@other.net");
  CHECK(verify("alice").value().user == "alice");
  CHECK(verify("alice@example.org").value().user == "alice@example.org");
  CHECK(verify("alice@MAIL.example.org").value().user == "alice");
  CHECK(verify("bob@localhost").value().user == "bob");
  CHECK(verify("BOB@Example.Org").value().user == "bob");
  CHECK_FALSE(verify("bob@other.net").has_value());
  CHECK(verify("carol@other.net").value().user == "carol@other.net");
  CHECK_FALSE(verify("carol").has_value());
}

TEST_CASE_FIXTURE(Fixture, "one may act as oneself by any of one's names and as nobody else") {
  add("alice");
  add("bob");
  CHECK(verify("alice", "secret", "alice").has_value());
  CHECK(verify("alice", "secret", "alice@localhost").has_value());
  CHECK(verify("alice", "secret", "bob").error().kind == ErrorKind::authorization_failed);
  CHECK(verify("alice", "secret", "nobody").error().kind == ErrorKind::authorization_failed);
  CHECK(verify("alice", "wrong", "bob").error().kind == ErrorKind::authentication_failed);
}

TEST_CASE_FIXTURE(Fixture, "a recipient means the whole name, else the name without its detail, else the local part") {
  add("alice");
  add("bob@other.net");
  add("list+announce");
  const std::pair<const char*, const char*> table[] = {
      {"alice", "alice|"},
      {"alice@example.org", "alice|"},
      {"alice@LOCALHOST", "alice|"},
      {"ALICE@example.org", "alice|"},
      {"alice+work", "alice|work"},
      {"alice+work@example.org", "alice|work"},
      {"alice+a+b@example.org", "alice|a+b"},
      {"alice+@example.org", "alice|"},
      {"bob@other.net", "bob@other.net|"},
      {"bob+x@other.net", "bob@other.net|x"},
      {"list+announce@example.org", "list+announce|"},
      {"alice@other.net", "not_found"},
      {"bob", "not_found"},
      {"bob@example.org", "not_found"},
      {"+x@example.org", "not_found"},
      {"@example.org", "not_found"},
      {"", "not_found"},
      {"nobody@example.org", "not_found"},
  };
  for (const auto& row : table) {
    CAPTURE(row.first);
    CHECK(resolved(row.first) == row.second);
  }
}

TEST_CASE_FIXTURE(Fixture, "a disabled user still gets mail") {
  add("alice");
  REQUIRE(users.set_enabled("alice", false));
  CHECK(resolved("alice@example.org") == "alice|");
}

TEST_CASE_FIXTURE(Fixture, "a directory that fails is told apart from a wrong password") {
  users.broken = true;
  CHECK(verify("alice").error().kind == ErrorKind::unavailable);
  CHECK(resolved("alice") == "unavailable");
}

TEST_CASE_FIXTURE(Fixture, "many logins at once are all answered while only one hash runs at a time") {
  authenticator.reconfigure(options(64, 1));
  add("argon", Scheme::argon2id);
  std::atomic<int> right = 0, wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 5; ++n) {
        const auto answer = authenticator.verify(Credentials{"argon", "", Secret(i % 2 == 0 ? "secret" : "wrong")});
        answer ? ++right : ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == 20);
  CHECK(wrong == 20);
}
