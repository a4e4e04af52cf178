// GuessGuard: slows down whoever guesses passwords, before a password is hashed, and lets in whoever does not. Asked by
// server/runtime/auth_gateway about every login, of whatever protocol. In memory only; decides, and waits for nobody.
// docs/security.md says for administrators what it does and why.
//
// Failures are counted in three places, and fade by half in half an hour:
//   pair     one account from one site (an IPv4 address, the /64 of an IPv6 one)
//   site     all accounts from one site
//   account  one account from everywhere
// The pair is judged first. A pair that has logged in before (known good) is judged by itself alone, so neither an
// attack on the account from elsewhere nor a neighbour behind the same address keeps its user out. The same wrong
// password of an account is counted once, however often and from where it is tried.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/bounded_map.h"
#include "auth/password_hash.h"
#include "protocol/base/hash128.h"
#include "protocol/base/result.h"
#include "protocol/base/secret.h"
#include "protocol/net/ip_address.h"

namespace postkeep::auth {

// From where a login comes; none: a Unix socket, or nobody knows.
using Origin = std::optional<IpAddress>;

// What a login is told that is not looked at now. `detail` is for the log.
Error too_many_logins(std::string detail = "tries failed meanwhile");

// A number of failures that fades by half in half an hour.
class FadingCount {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::minutes half_life{30};
  double at(TimePoint now) const;
  void add(double failures, TimePoint now);

 private:
  double count_ = 0;
  TimePoint when_{};
};

// Thread-safe; nothing blocks.
class GuessGuard {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Clock = std::function<TimePoint()>;

  struct Options {
    bool enabled = true;
    std::uint64_t delay_after = 5;                // failures that cost no time
    std::chrono::milliseconds delay_max{15'000};  // of one try; what would have to wait longer is refused. 0: no delays
    std::uint64_t ban_after = 20;                 // failures of a site; 0: never
    std::chrono::seconds ban_time{600};           // of the first ban; each further one within a day is twice as long
    std::vector<IpNetwork> exempt;                // not judged as sites
  };

  // Who is kept out.
  struct Ban {
    IpNetwork site{IpAddress(), 0};
    std::chrono::seconds left{};
    unsigned times = 0;      // bans within a day, this one included
    std::string last_login;  // the name that was tried last, as it came, cut to 64 octets
  };
  using OnBan = std::function<void(const Ban& ban)>;  // on the thread of the login that was one too many

  explicit GuessGuard(Options options, OnBan on_ban = {}, Clock clock = std::chrono::steady_clock::now,
                      RandomSource random = system_random);
  GuessGuard(const GuessGuard&) = delete;
  GuessGuard& operator=(const GuessGuard&) = delete;

  class Attempt;
  // A try that begins. `account` is the same for all ways to write one user's name (Authenticator::account_key),
  // `login` what was given. The guard outlives it.
  std::shared_ptr<Attempt> begin(std::string_view account, std::string_view login, const Origin& origin);

  // Whether everybody at this address would be refused: it is banned, and nobody has ever logged in from there.
  bool turns_away(const IpAddress& address);

  // All bans that hold, the longest first.
  std::vector<Ban> bans();
  // Forgets what is held against a site, its ban included; whether there was a ban.
  bool lift(const IpAddress& address);
  // The same for all sites; how many bans there were.
  std::size_t lift_all();
  // Forgets what is held against an account, from everywhere; whether there was anything.
  bool forgive(std::string_view account);

  void reconfigure(Options options);  // what is counted stays

  // Entries that are kept, at most; an attack that makes more drives out the oldest and least guilty.
  static constexpr std::size_t sites_max = 50'000;
  static constexpr std::size_t accounts_max = 50'000;
  static constexpr std::size_t pairs_max = 100'000;
  static constexpr std::size_t good_pairs_max = 100'000;
  // Tries that may be under way at one time.
  static constexpr unsigned pair_pending_max = 32;
  static constexpr unsigned account_pending_max = 64;
  static constexpr unsigned site_pending_max = 512;

 private:
  struct Key {
    Hash128 pair, account;
    std::optional<IpAddress> site;  // the address of its prefix
    std::string login;
  };
  struct KeyHash {
    std::size_t operator()(const Hash128& key) const noexcept { return key.low; }
  };
  struct Level {
    FadingCount failures;
    TimePoint last{};  // when the last try that had to wait may go on
  };
  struct Pair : Level {
    FadingCount repeats;  // of wrong passwords that were known
    Hash128 account;
  };
  struct Account : Level {
    std::array<std::uint64_t, 12> guesses{};  // keyed hashes of wrong passwords; 0: none
    std::size_t next_guess = 0;
  };
  struct Site : Level {
    TimePoint banned_until{};
    TimePoint ban_memory{};  // until then a further ban is longer
    unsigned bans = 0;
    std::string last_login;
  };
  struct Good {
    std::optional<IpAddress> site;
    TimePoint last{};
  };
  struct Verdict {
    enum class Kind { go, banned, too_many };
    Kind kind = Kind::go;
    TimePoint when{};  // go: not before; banned: the end
    std::chrono::milliseconds pace{0};
  };
  // What speaks about one try: the counts that are there, and what each wants to lie between two tries.
  struct Judges {
    struct One {
      Level* level;
      std::chrono::milliseconds pace;
    };
    std::vector<One> all;
    bool good = false;
    TimePoint banned_until{};
    std::chrono::milliseconds pace() const;
  };

  Hash128 keyed(std::string_view kind, std::string_view a, std::string_view b = {}) const;
  // With the mutex held.
  bool is_exempt(const IpAddress& address) const;
  bool is_good(const Key& key, TimePoint now);
  unsigned good_accounts_at(const std::optional<IpAddress>& site) const;
  Judges judges_of(const Key& key, TimePoint now);
  std::chrono::milliseconds pace(double failures, std::uint64_t free, std::chrono::milliseconds max) const;
  bool too_many_pending(const Key& key, bool good) const;
  Verdict judge(const Key& key, TimePoint since);
  bool still_admits(const Key& key, std::chrono::milliseconds admitted_pace);
  bool note_guess(const Key& key, std::string_view guess, TimePoint now);
  std::optional<Ban> count_at_site(const Key& key, double pair_failures, TimePoint now);
  Ban ban_of(const IpAddress& site, const Site& entry, TimePoint now) const;
  // Take the mutex.
  bool knows(const Key& key);
  bool note_wrong(const Key& key, const Secret* guess);
  void note_right(const Key& key);
  void note_end(const Key& key);

  const OnBan on_ban_;
  const Clock clock_;
  const Secret secret_;
  std::mutex mutex_;  // guards what follows; not held while calling out
  Options options_;
  BoundedMap<Hash128, Pair, KeyHash> pairs_{pairs_max};
  BoundedMap<Hash128, Account, KeyHash> accounts_{accounts_max};
  BoundedMap<IpAddress, Site> sites_{sites_max};
  BoundedMap<Hash128, Good, KeyHash> good_{good_pairs_max};
  std::unordered_map<IpAddress, unsigned> good_accounts_;  // of good_
  std::unordered_map<Hash128, unsigned, KeyHash> pending_pairs_, pending_accounts_;
  std::unordered_map<IpAddress, unsigned> pending_sites_;
};

// One try, from the moment a name is known to its end. Thread-safe as far as its users are one after another.
class GuessGuard::Attempt {
 public:
  Attempt(GuessGuard& guard, Key key);
  ~Attempt();  // a try without an outcome counts for nothing
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  // How long to wait before the password is looked at; then still_admitted(). May be asked again. Errors: unavailable
  // (banned, or too many tries wait), at once.
  Result<std::chrono::milliseconds> admit();
  // Whether this account has logged in from there before; always, where the guard is not enabled.
  bool known_good() const;
  // Whether nothing has happened since that would have made it wait longer.
  bool still_admitted() const;
  // The outcomes. `guess` is what was tried, the same for the same wrong password, or null where nobody can tell
  // (SCRAM, CRAM-MD5). Returns whether that was counted: false for one that was known to be wrong.
  bool wrong(const Secret* guess);
  void right();
  // The password has been looked at, or what is awaited is the client's: no longer one of the tries under way. An
  // outcome may still come; then still_admitted() says whether it may be told.
  void rest();

 private:
  GuessGuard& guard_;
  const Key key_;
  const TimePoint since_;
  std::chrono::milliseconds pace_{0};
  bool under_way_ = true;
};

}  // namespace postkeep::auth
