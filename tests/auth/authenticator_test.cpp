#include "auth/authenticator.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <map>
#include <mutex>
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
    const std::lock_guard lock(mutex_);
    const auto found = users_.find(user_key(name));
    if (found == users_.end()) return std::optional<User>();
    return std::optional<User>(found->second.first);
  }
  Result<std::vector<Verifier>> verifiers(std::string_view name) override {
    const std::lock_guard lock(mutex_);
    const auto found = users_.find(user_key(name));
    if (found == users_.end()) return failure(ErrorKind::not_found, "No such user");
    return found->second.second;
  }
  Result<std::vector<User>> list() override { return std::vector<User>(); }
  Outcome add(const User& user, const std::vector<Verifier>& verifiers) override {
    const std::lock_guard lock(mutex_);
    users_[user_key(user.name)] = {user, verifiers};
    return {};
  }
  Outcome set_verifiers(std::string_view name, const std::vector<Verifier>& verifiers) override {
    const std::lock_guard lock(mutex_);
    users_.at(user_key(name)).second = verifiers;
    return {};
  }
  bool can_supply_keys() const override { return true; }
  bool is_writable(std::string_view) override { return writable; }
  Outcome add_verifier(std::string_view name, const Verifier& verifier, const std::vector<Verifier>& seen) override {
    const std::lock_guard lock(mutex_);
    std::vector<Verifier>& kept = users_.at(user_key(name)).second;
    if (kept.size() != seen.size()) return failure(ErrorKind::in_use, "changed");
    kept.push_back(verifier);
    return {};
  }
  Outcome set_enabled(std::string_view name, bool enabled) override {
    const std::lock_guard lock(mutex_);
    users_.at(user_key(name)).first.enabled = enabled;
    return {};
  }
  Outcome remove(std::string_view name) override {
    const std::lock_guard lock(mutex_);
    users_.erase(user_key(name));
    return {};
  }
  bool broken = false;
  bool writable = true;

 private:
  std::mutex mutex_;  // logins come from several threads
  std::map<std::string, std::pair<User, std::vector<Verifier>>> users_;
};

Authenticator::Options options(std::uint32_t memory_kib = 64, unsigned hashes = 2) {
  Authenticator::Options options;
  options.domains = {"mail.example.org", "example.org"};
  options.cost.argon2_memory_kib = memory_kib;
  options.cost.argon2_iterations = 1;
  options.concurrent_hashes = hashes;
  options.server_secret = Secret("the server's secret");
  return options;
}

struct AuthenticatorFixture {
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

TEST_CASE_FIXTURE(AuthenticatorFixture, "the right password is accepted whatever the scheme it is kept in") {
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

TEST_CASE_FIXTURE(AuthenticatorFixture,
                  "wrong user, wrong password, disabled user and user without password answer alike") {
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

TEST_CASE_FIXTURE(AuthenticatorFixture, "a wrong user costs as much as a wrong password") {
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

TEST_CASE_FIXTURE(AuthenticatorFixture, "a login of the whole name comes before the local part of a domain of ours") {
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

TEST_CASE_FIXTURE(AuthenticatorFixture, "one may act as oneself by any of one's names and as nobody else") {
  add("alice");
  add("bob");
  CHECK(verify("alice", "secret", "alice").has_value());
  CHECK(verify("alice", "secret", "alice@localhost").has_value());
  CHECK(verify("alice", "secret", "bob").error().kind == ErrorKind::authorization_failed);
  CHECK(verify("alice", "secret", "nobody").error().kind == ErrorKind::authorization_failed);
  CHECK(verify("alice", "wrong", "bob").error().kind == ErrorKind::authentication_failed);
}

TEST_CASE_FIXTURE(AuthenticatorFixture, "who has the right may act as another, with the own password, by each way") {
  add("admin");
  add("alice", std::nullopt);
  add("bob", std::nullopt);
  add("off");
  REQUIRE(users.set_enabled("off", false));
  auto with_rights = options();
  with_rights.acting = {ActingRight{"admin", "*"}, ActingRight{"alice", "bob"}};
  with_rights.master_separator = "*";
  authenticator.reconfigure(with_rights);
  const auto acted = [](const Result<Identity>& identity) {
    return identity ? identity->user + " by " + identity->acted_by : std::string(to_string(identity.error().kind));
  };
  CHECK(acted(verify("admin", "secret", "bob")) == "bob by admin");
  CHECK(acted(verify("alice", "secret", "BOB@localhost")) == "bob by alice");
  CHECK(acted(verify("bob*alice")) == "bob by alice");
  CHECK(acted(verify("bob@localhost*Alice@example.org")) == "bob by alice");
  CHECK(acted(verify("alice*alice")) == "alice by ");
  // Whose password is tried is the master, whoever he would act as.
  CHECK(authenticator.account_key("bob*Alice@localhost") == authenticator.account_key("alice"));
  CHECK(acted(verify("bob", "secret", "alice")) == "authorization_failed");
  CHECK(acted(verify("alice*bob")) == "authorization_failed");
  CHECK(acted(verify("alice", "secret", "admin")) == "authorization_failed");
  CHECK(acted(verify("admin", "secret", "off")) == "authorization_failed");
  CHECK(acted(verify("admin", "secret", "nobody")) == "authorization_failed");
  CHECK(acted(verify("admin", "wrong", "bob")) == "authentication_failed");
  CHECK(acted(verify("bob*admin", "wrong")) == "authentication_failed");
  CHECK(verify("bob", "secret", "alice").error().text == verify("admin", "secret", "off").error().text);
  // A proof is worth the same.
  const auto proven = [&](std::string login, std::string authorization) {
    return acted(authenticator.look_up_keys(KeyRequest{std::move(login), std::move(authorization)}).value().if_proven);
  };
  CHECK(proven("alice", "bob") == "bob by alice");
  CHECK(proven("bob*alice", "") == "bob by alice");
  CHECK(proven("bob", "alice") == "authorization_failed");
  CHECK(proven("off*alice", "") == "authorization_failed");
  REQUIRE(users.set_enabled("alice", false));
  CHECK(acted(verify("alice", "secret", "bob")) == "authentication_failed");
  // The master's keys are added to the master.
  add("root", Scheme::argon2id);
  with_rights.acting = {ActingRight{"root", "*"}};
  authenticator.reconfigure(with_rights);
  CHECK(acted(verify("admin*root")) == "admin by root");
  CHECK(users.verifiers("root").value().size() == 2);
  CHECK(users.verifiers("admin").value().size() == 1);
}

TEST_CASE_FIXTURE(AuthenticatorFixture, "a certificate stands for the first user that its rules name") {
  add("alice@example.org");
  add("bob");
  add("off");
  REQUIRE(users.set_enabled("off", false));
  auto with_rules = options();
  with_rules.certificate_rules = {certificate_rule_from_text("email").value(),
                                  certificate_rule_from_text("cn").value()};
  authenticator.reconfigure(with_rules);
  const auto user = [this](Credentials credentials) {
    credentials.proof = Proof::certificate;
    const auto identity = authenticator.verify(credentials);
    return identity ? identity->user : std::string(to_string(identity.error().kind));
  };
  Credentials credentials;
  CHECK(user(credentials) == "authentication_failed");
  credentials.certificate.common_names = {"nobody", "bob"};
  CHECK(user(credentials) == "bob");
  credentials.certificate.emails = {"ALICE@example.org"};
  CHECK(user(credentials) == "alice@example.org");
  credentials.authorization = "bob";
  CHECK(user(credentials) == "bob");  // for whom the certificate stands as well
  credentials.authorization = "off";
  CHECK(user(credentials) == "authorization_failed");
  credentials.authorization = "";
  credentials.certificate.emails = {"off@localhost"};
  credentials.certificate.common_names = {};
  CHECK(user(credentials) == "authentication_failed");
  authenticator.reconfigure(options());
  credentials.certificate.emails = {"alice@example.org"};
  CHECK(user(credentials) == "authentication_failed");
}

TEST_CASE_FIXTURE(AuthenticatorFixture,
                  "a digest is checked against a password that is kept as it is, as in RFC 2195") {
  User tim;
  tim.name = "tim";
  REQUIRE(users.add(tim, make_verifiers(Secret("tanstaaftanstaaf"), Scheme::plain, options().cost).value()));
  add("argon", Scheme::argon2id);
  const auto answer = [this](std::string login, std::string digest) {
    Credentials credentials;
    credentials.proof = Proof::cram_md5;
    credentials.login = std::move(login);
    credentials.password = Secret(std::move(digest));
    credentials.challenge = "<1896.697170952@postoffice.reston.mci.net>";
    return authenticator.verify(credentials);
  };
  const std::string right = "b913a602c7eda7a495b4e6e7334d3890";
  CHECK(answer("tim", right).value().user == "tim");
  for (const auto& refused : {answer("tim", "b913a602c7eda7a495b4e6e7334d3891"), answer("argon", right),
                              answer("nobody", right), answer(std::string(5000, 'x'), right)}) {
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::authentication_failed);
    CHECK(refused.error().text == wrong_login("").text);
  }
  REQUIRE(users.set_enabled("tim", false));
  CHECK(answer("tim", right).error().text == wrong_login("").text);
}

TEST_CASE_FIXTURE(AuthenticatorFixture, "APOP's digest is that of RFC 1939") {
  User mrose;
  mrose.name = "mrose";
  REQUIRE(users.add(mrose, make_verifiers(Secret("tanstaaf"), Scheme::plain, options().cost).value()));
  Credentials credentials;
  credentials.proof = Proof::apop;
  credentials.login = "mrose";
  credentials.password = Secret("c4c9334bac560ecc979e58001b3e22fb");
  credentials.challenge = "<1896.697170952@dbc.mtview.ca.us>";
  CHECK(authenticator.verify(credentials).value().user == "mrose");
  credentials.proof = Proof::cram_md5;
  CHECK(authenticator.verify(credentials).error().kind == ErrorKind::authentication_failed);
}

TEST_CASE_FIXTURE(AuthenticatorFixture, "ANONYMOUS is the user whom the configuration names, and else nobody") {
  add("guest");
  Credentials credentials;
  credentials.proof = Proof::nothing;
  credentials.login = "guest";
  CHECK(authenticator.verify(credentials).error().kind == ErrorKind::authentication_failed);
  auto with_guest = options();
  with_guest.anonymous_user = "guest";
  authenticator.reconfigure(with_guest);
  credentials.login = "somebody@example.org";
  CHECK(authenticator.verify(credentials).value().user == "guest");
  REQUIRE(users.set_enabled("guest", false));
  CHECK_FALSE(authenticator.verify(credentials).has_value());
}

TEST_CASE_FIXTURE(AuthenticatorFixture, "names are found in their SASLprep form, and first as they are given") {
  add("alice");
  add("fish");
  add("\xEF\xAC\x81sh2");                                               // with the ligature fi
  CHECK(verify("al\xC2\xADice").value().user == "alice");               // soft hyphen
  CHECK(verify("\xEF\xBD\x81lice@localhost").value().user == "alice");  // wide a
  CHECK(verify("\xEF\xAC\x81sh").value().user == "fish");               // ligature
  CHECK(verify("\xEF\xAC\x81sh2").value().user == "\xEF\xAC\x81sh2");
  CHECK_FALSE(verify("al\x07ice").has_value());
  const auto keys = [this](std::string login) {
    return to_text(authenticator.look_up_keys(KeyRequest{std::move(login), {}}).value().keys);
  };
  CHECK(keys("no\xC2\xAD"
             "body") == keys("nobody"));
}

TEST_CASE_FIXTURE(AuthenticatorFixture, "SCRAM-SHA-1 has keys of its own, made, added and made up like the others") {
  auto with_sha_1 = options();
  with_sha_1.cost.scram_sha_1 = true;
  authenticator.reconfigure(with_sha_1);
  add("alice", std::nullopt, with_sha_1.cost);
  add("old", std::nullopt);
  add("plain", Scheme::plain);
  const auto keys = [this](std::string login) {
    return authenticator.look_up_keys(KeyRequest{std::move(login), {}, ScramHash::sha_1}).value();
  };
  const auto fits = [](const ScramKeys& given) {
    return derive_scram_keys(Secret("secret"), given.salt, given.iterations, given.hash).stored_key == given.stored_key;
  };
  REQUIRE(users.verifiers("alice").value().size() == 3);
  for (const char* name : {"alice", "plain"}) {
    CAPTURE(name);
    CHECK(keys(name).keys.hash == ScramHash::sha_1);
    CHECK(fits(keys(name).keys));
    CHECK(keys(name).if_proven.has_value());
  }
  for (const char* name : {"old", "nobody"}) {
    CAPTURE(name);
    CHECK(keys(name).keys.hash == ScramHash::sha_1);
    CHECK_FALSE(fits(keys(name).keys));
    CHECK_FALSE(keys(name).if_proven.has_value());
    CHECK(to_text(keys(name).keys) == to_text(keys(name).keys));
  }
  CHECK(verify("old").value().keys_added);
  CHECK(users.verifiers("old").value().size() == 3);
  CHECK(fits(keys("old").keys));
  add("argon", Scheme::argon2id);
  CHECK(verify("argon").value().keys_added);
  CHECK(users.verifiers("argon").value().size() == 3);
}

TEST_CASE_FIXTURE(AuthenticatorFixture,
                  "a recipient means the whole name, else the name without its detail, else the local part") {
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

TEST_CASE_FIXTURE(AuthenticatorFixture, "a disabled user still gets mail") {
  add("alice");
  REQUIRE(users.set_enabled("alice", false));
  CHECK(resolved("alice@example.org") == "alice|");
}

TEST_CASE_FIXTURE(AuthenticatorFixture,
                  "a login with the password adds SCRAM keys where there are none and they can be kept") {
  const auto schemes = [this](const char* name) { return users.verifiers(name).value().size(); };
  add("argon", Scheme::argon2id);
  CHECK_FALSE(verify("argon", "wrong").has_value());
  CHECK(schemes("argon") == 1);
  CHECK(verify("argon").value().keys_added);
  REQUIRE(schemes("argon") == 2);
  const Verifier added = users.verifiers("argon").value()[1];
  CHECK(added.scheme == Scheme::scram_sha_256);
  CHECK(verify_password(Secret("secret"), added).value());
  CHECK_FALSE(verify("argon").value().keys_added);
  CHECK(schemes("argon") == 2);

  add("plain", Scheme::plain);  // whose keys can be made at any time
  CHECK_FALSE(verify("plain").value().keys_added);
  CHECK(schemes("plain") == 1);

  add("crypt", Scheme::sha256_crypt);
  users.writable = false;
  CHECK_FALSE(verify("crypt").value().keys_added);
  users.writable = true;
  auto without = options();
  without.add_scram_keys = false;
  authenticator.reconfigure(without);
  CHECK_FALSE(verify("crypt").value().keys_added);
  CHECK(schemes("crypt") == 1);
  authenticator.reconfigure(options());
  add("off", Scheme::argon2id);
  REQUIRE(users.set_enabled("off", false));
  CHECK_FALSE(verify("off").has_value());
  CHECK(schemes("off") == 1);
}

TEST_CASE_FIXTURE(AuthenticatorFixture, "a password that was right is not hashed again, until it is changed") {
  auto remembering = options();
  remembering.remember_passwords = std::chrono::hours(1);
  remembering.add_scram_keys = false;
  authenticator.reconfigure(remembering);
  HashCost costly = options().cost;
  costly.argon2_memory_kib = 64 * 1024;
  costly.argon2_iterations = 16;
  add("alice", Scheme::argon2id, costly);
  const auto cpu_of = [this](const char* password, bool right) {
    const std::clock_t before = std::clock();
    CHECK(verify("alice", password).has_value() == right);
    return std::clock() - before;
  };
  const std::clock_t hashed = cpu_of("secret", true);
  CHECK(cpu_of("secret", true) * 10 < hashed);
  CHECK(cpu_of("wrong", false) * 10 > hashed);
  CHECK(cpu_of("secret", true) * 10 < hashed);
  // Whether a disabled user's password is right is not told by the time either.
  REQUIRE(users.set_enabled("alice", false));
  CHECK(cpu_of("secret", false) * 10 > hashed);
  REQUIRE(users.set_verifiers("alice", make_verifiers(Secret("secret"), Scheme::plain, options().cost).value()));
  auto as_costly = options();
  as_costly.cost = costly;
  authenticator.reconfigure(as_costly);
  CHECK(cpu_of("secret", false) * 10 > hashed);
  REQUIRE(users.set_enabled("alice", true));
  REQUIRE(users.set_verifiers("alice", make_verifiers(Secret("other"), Scheme::argon2id, options().cost).value()));
  CHECK_FALSE(verify("alice", "secret").has_value());
  CHECK(verify("alice", "other").has_value());
  REQUIRE(users.set_enabled("alice", false));
  CHECK_FALSE(verify("alice", "other").has_value());
}

TEST_CASE_FIXTURE(AuthenticatorFixture,
                  "keys that are looked up are the user's, and a proof is worth what a password would be") {
  add("alice", std::nullopt);
  add("plain", Scheme::plain);
  add("off", std::nullopt);
  REQUIRE(users.set_enabled("off", false));
  const auto look_up = [this](std::string login, std::string authorization = {}) {
    return authenticator.look_up_keys(KeyRequest{std::move(login), std::move(authorization)}).value();
  };
  const auto fits = [](const ScramKeys& keys) {
    return derive_scram_keys(Secret("secret"), keys.salt, keys.iterations).stored_key == keys.stored_key;
  };
  for (const char* name : {"alice", "ALICE", "alice@localhost", "plain"}) {
    CAPTURE(name);
    CHECK(fits(look_up(name).keys));
    CHECK(look_up(name).if_proven.has_value());
    CHECK(to_text(look_up(name).keys) == to_text(look_up(name).keys));
  }
  CHECK(look_up("alice@localhost").if_proven->user == "alice");
  CHECK(fits(look_up("off").keys));
  CHECK(look_up("off").if_proven.error().kind == ErrorKind::authentication_failed);
  CHECK(look_up("alice", "Alice").if_proven.has_value());
  CHECK(look_up("alice", "plain").if_proven.error().kind == ErrorKind::authorization_failed);
}

TEST_CASE_FIXTURE(AuthenticatorFixture, "a name that is not there gets keys like any other, the same each time") {
  add("alice", std::nullopt);
  add("argon", Scheme::argon2id);
  const auto keys = [this](std::string login) {
    return authenticator.look_up_keys(KeyRequest{std::move(login), {}}).value();
  };
  const KeyAnswer real = keys("alice");
  for (const char* name : {"nobody", "argon"}) {
    CAPTURE(name);
    const KeyAnswer made_up = keys(name);
    CHECK(made_up.keys.iterations == real.keys.iterations);
    CHECK(made_up.keys.salt.size() == real.keys.salt.size());
    CHECK(to_text(made_up.keys) == to_text(keys(name).keys));
    CHECK(made_up.if_proven.error().kind == ErrorKind::authentication_failed);
    CHECK(made_up.if_proven.error().text == wrong_login("").text);
    CHECK_FALSE(made_up.if_wrong.empty());
  }
  // By any of the names that somebody would have, were he there.
  CHECK(to_text(keys("nobody").keys) == to_text(keys("NoBody@localhost").keys));
  CHECK(to_text(keys("nobody").keys) == to_text(keys("nobody@Example.org").keys));
  CHECK(to_text(keys("nobody").keys) != to_text(keys("nobody@other.net").keys));
  CHECK(keys("nobody").keys.salt != keys("somebody").keys.salt);
  CHECK(authenticator.look_up_keys(KeyRequest{std::string(5000, 'x'), {}}).error().kind ==
        ErrorKind::authentication_failed);
}

TEST_CASE_FIXTURE(AuthenticatorFixture, "a directory that fails is told apart from a wrong password") {
  users.broken = true;
  CHECK(verify("alice").error().kind == ErrorKind::unavailable);
  CHECK(resolved("alice") == "unavailable");
  CHECK(authenticator.look_up_keys(KeyRequest{"alice", {}}).error().kind == ErrorKind::unavailable);
}

TEST_CASE_FIXTURE(AuthenticatorFixture, "many logins at once are all answered while only one hash runs at a time") {
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
