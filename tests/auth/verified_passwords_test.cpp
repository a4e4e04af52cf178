#include "auth/verified_passwords.h"

#include <doctest/doctest.h>

#include <string>

using namespace postkeep;
using namespace postkeep::auth;

namespace {

using Clock = VerifiedPasswords::Clock;
using std::chrono::seconds;

Verifier verifier(std::string hash, Scheme scheme = Scheme::argon2id) {
  return Verifier{scheme, Secret(std::move(hash))};
}

}  // namespace

TEST_CASE("a password is known for its time, for its user and for its verifier alone") {
  VerifiedPasswords verified(10);
  const Clock::time_point now = Clock::now();
  verified.add("alice", verifier("h1"), Secret("secret"), now, now + seconds(10));
  CHECK(verified.knows("alice", verifier("h1"), Secret("secret"), now + seconds(9)));
  CHECK_FALSE(verified.knows("alice", verifier("h1"), Secret("secret"), now + seconds(10)));
  CHECK_FALSE(verified.knows("alice", verifier("h1"), Secret("Secret"), now));
  CHECK_FALSE(verified.knows("bob", verifier("h1"), Secret("secret"), now));
  CHECK_FALSE(verified.knows("alice", verifier("h2"), Secret("secret"), now));
  CHECK_FALSE(verified.knows("alice", verifier("h1", Scheme::crypt), Secret("secret"), now));
  // No other cut of the same octets.
  CHECK_FALSE(verified.knows("alice", verifier("h1s"), Secret("ecret"), now));
  verified.clear();
  CHECK_FALSE(verified.knows("alice", verifier("h1"), Secret("secret"), now));
}

TEST_CASE("the oldest password is forgotten for a new one, and one that was renewed is not") {
  VerifiedPasswords verified(2);
  const Clock::time_point now = Clock::now();
  const auto knows = [&](const char* user, int second) {
    return verified.knows(user, verifier("h"), Secret("p"), now + seconds(second));
  };
  const auto add = [&](const char* user, int second) {
    verified.add(user, verifier("h"), Secret("p"), now + seconds(second), now + seconds(second + 100));
  };
  add("a", 0);
  add("a", 1);
  add("b", 2);  // the first of a's goes, which has been renewed
  CHECK(knows("a", 3));
  CHECK(knows("b", 3));
  add("c", 4);
  CHECK_FALSE(knows("a", 5));
  CHECK(knows("b", 5));
  CHECK(knows("c", 5));
  add("d", 200);  // all others have had their time
  CHECK_FALSE(knows("b", 200));
  CHECK(knows("d", 200));
}

TEST_CASE("nothing is remembered where nothing may be") {
  VerifiedPasswords none(0);
  const Clock::time_point now = Clock::now();
  none.add("a", verifier("h"), Secret("p"), now, now + seconds(1));
  CHECK_FALSE(none.knows("a", verifier("h"), Secret("p"), now));
}
