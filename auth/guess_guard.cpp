#include "auth/guess_guard.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace postkeep::auth {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds first_pace{1'000};
constexpr unsigned account_share = 5;           // of delay_max: an account is slowed down less than a pair or a site
constexpr double repeats_free = 10;             // tries of passwords known to be wrong, before they cost time too
constexpr double pair_share = 3;                // failures of one account held against a site where others log in
constexpr unsigned good_accounts_count = 20;    // more do not make a site more patient
constexpr std::chrono::hours trusted{24 * 30};  // a known good pair
constexpr std::chrono::hours ban_memory{24};
constexpr seconds ban_max{24 * 3600};
constexpr std::size_t shown_login_octets = 64;

Secret guard_key(RandomSource random) {
  std::array<unsigned char, 32> octets{};
  random(octets);
  return Secret(std::string(octets.begin(), octets.end()));
}

std::string_view octets_of(const Hash128& hash) { return {reinterpret_cast<const char*>(&hash), sizeof hash}; }

std::string octets_of(const std::optional<IpAddress>& site) {
  if (!site) return {};
  const auto octets = site->octets();
  return std::string(octets.begin(), octets.end());
}

void count_down(auto& counts, const auto& key) {
  const auto found = counts.find(key);
  if (found != counts.end() && --found->second == 0) counts.erase(found);
}

template <class Counts, class Key>
unsigned count_of(const Counts& counts, const Key& key) {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

constexpr auto nothing = [](const auto&) {};

}  // namespace

Error too_many_logins(std::string detail) {
  return Error(ErrorKind::unavailable, "Too many failed logins; try again later", std::move(detail));
}

double FadingCount::at(TimePoint now) const {
  if (count_ == 0) return 0;
  const std::chrono::duration<double> age = now - when_;
  return count_ * std::exp2(-age / std::chrono::duration<double>(half_life));
}

void FadingCount::add(double failures, TimePoint now) {
  count_ = at(now) + failures;
  when_ = now;
}

GuessGuard::GuessGuard(Options options, OnBan on_ban, Clock clock, RandomSource random)
    : on_ban_(std::move(on_ban)), clock_(std::move(clock)), secret_(guard_key(random)), options_(std::move(options)) {}

void GuessGuard::reconfigure(Options options) {
  const std::lock_guard lock(mutex_);
  options_ = std::move(options);
}

// HMAC-SHA-256, cut. Names that strangers invent take 16 octets whatever their length; of a password no more is kept,
// and worth nothing without the process's memory.
Hash128 GuessGuard::keyed(std::string_view kind, std::string_view a, std::string_view b) const {
  std::string text;
  text.reserve(kind.size() + a.size() + b.size() + 32);  // at once: growing would leave copies of a password behind
  for (const std::string_view part : {kind, a, b}) {
    text += std::to_string(part.size());
    text += ':';
    text += part;
  }
  const Secret whole(std::move(text));
  std::array<unsigned char, 32> mac{};
  unsigned length = 0;
  if (HMAC(EVP_sha256(), secret_.reveal().data(), static_cast<int>(secret_.reveal().size()),
           reinterpret_cast<const unsigned char*>(whole.reveal().data()), whole.reveal().size(), mac.data(),
           &length) == nullptr) {
    throw std::runtime_error("libcrypto cannot compute HMAC-SHA-256");
  }
  Hash128 key;
  std::memcpy(&key, mac.data(), sizeof key);
  return key;
}

std::shared_ptr<GuessGuard::Attempt> GuessGuard::begin(std::string_view account, std::string_view login,
                                                       const Origin& origin) {
  Key key;
  key.account = keyed("account", account);
  if (origin) key.site = site_of(*origin).address();
  key.pair = keyed("pair", octets_of(key.account), octets_of(key.site));
  key.login = login.substr(0, shown_login_octets);
  return std::make_shared<Attempt>(*this, std::move(key));
}

bool GuessGuard::is_exempt(const IpAddress& address) const { return contains(options_.exempt, address); }

bool GuessGuard::is_good(const Key& key, TimePoint now) {
  const Good* good = good_.find(key.pair);
  return good != nullptr && now - good->last < trusted;
}

unsigned GuessGuard::good_accounts_at(const std::optional<IpAddress>& site) const {
  return site ? std::min(count_of(good_accounts_, *site), good_accounts_count) : 0;
}

milliseconds GuessGuard::Judges::pace() const {
  milliseconds slowest{0};
  for (const One& one : all) slowest = std::max(slowest, one.pace);
  return slowest;
}

// What must lie between two tries after so many failures: 1 s, 2 s, 4 s...
milliseconds GuessGuard::pace(double failures, std::uint64_t free, milliseconds max) const {
  // Half a failure is given, so that one which has just begun to fade still counts.
  const double over = std::floor(failures + 0.5) - static_cast<double>(free);
  if (over < 0) return milliseconds(0);
  const double wanted = static_cast<double>(first_pace.count()) * std::exp2(std::min(over, 30.0));
  return milliseconds(static_cast<milliseconds::rep>(std::min(wanted, static_cast<double>(max.count()))));
}

GuessGuard::Judges GuessGuard::judges_of(const Key& key, TimePoint now) {
  const milliseconds max = options_.delay_max;
  Judges judges;
  if (Pair* pair = pairs_.find(key.pair)) {
    milliseconds own = pace(pair->failures.at(now), options_.delay_after, max);
    if (pair->repeats.at(now) >= repeats_free) own = std::max(own, std::min(first_pace, max));
    judges.all.push_back({pair, own});
  }
  judges.good = is_good(key, now);
  if (judges.good) return judges;
  if (Account* account = accounts_.find(key.account)) {
    judges.all.push_back({account, pace(account->failures.at(now), options_.delay_after, max / account_share)});
  }
  if (!key.site || is_exempt(*key.site)) return judges;
  if (Site* site = sites_.find(*key.site)) {
    const std::uint64_t free = options_.delay_after * (1 + good_accounts_at(key.site));
    judges.all.push_back({site, pace(site->failures.at(now), free, max)});
    judges.banned_until = site->banned_until;
  }
  return judges;
}

bool GuessGuard::too_many_pending(const Key& key, bool good) const {
  if (count_of(pending_pairs_, key.pair) > pair_pending_max) return true;
  if (good) return false;
  if (count_of(pending_accounts_, key.account) > account_pending_max) return true;
  return key.site && !is_exempt(*key.site) && count_of(pending_sites_, *key.site) > site_pending_max;
}

GuessGuard::Verdict GuessGuard::judge(const Key& key, TimePoint since) {
  const TimePoint now = clock_();
  const std::lock_guard lock(mutex_);
  Verdict verdict;
  verdict.when = now;
  if (!options_.enabled) return verdict;
  const Judges judges = judges_of(key, now);
  if (judges.banned_until > now) {
    verdict.kind = Verdict::Kind::banned;
    verdict.when = judges.banned_until;
    return verdict;
  }
  verdict.pace = judges.pace();
  // Behind all that wait already: tries at one time are as slow as tries one after another.
  for (const Judges::One& one : judges.all) {
    if (one.pace.count() > 0) verdict.when = std::max(verdict.when, one.level->last + one.pace);
  }
  const bool too_long = verdict.when > now && verdict.when - since > options_.delay_max;
  if (too_long || too_many_pending(key, judges.good)) {
    verdict.kind = Verdict::Kind::too_many;
    return verdict;
  }
  for (const Judges::One& one : judges.all) one.level->last = std::max(one.level->last, verdict.when);
  return verdict;
}

bool GuessGuard::still_admits(const Key& key, milliseconds admitted_pace) {
  const TimePoint now = clock_();
  const std::lock_guard lock(mutex_);
  if (!options_.enabled) return true;
  const Judges judges = judges_of(key, now);
  return judges.banned_until <= now && judges.pace() <= admitted_pace;
}

// Whether it is a new one of this account.
bool GuessGuard::note_guess(const Key& key, std::string_view guess, TimePoint now) {
  const std::uint64_t hash = keyed("guess", octets_of(key.account), guess).low | 1;
  Account& account = accounts_.use(
      key.account, [now](const Account& one) { return one.failures.at(now); }, nothing);
  if (std::ranges::find(account.guesses, hash) != account.guesses.end()) return false;
  account.guesses[account.next_guess] = hash;
  account.next_guess = (account.next_guess + 1) % account.guesses.size();
  return true;
}

GuessGuard::Ban GuessGuard::ban_of(const IpAddress& site, const Site& entry, TimePoint now) const {
  Ban ban;
  ban.site = site_of(site);
  ban.left = std::chrono::ceil<seconds>(entry.banned_until - now);
  ban.times = entry.bans;
  ban.last_login = entry.last_login;
  return ban;
}

// Where others log in, one account alone is never a reason to keep all of them out.
std::optional<GuessGuard::Ban> GuessGuard::count_at_site(const Key& key, double pair_failures, TimePoint now) {
  const unsigned good = good_accounts_at(key.site);
  if (!key.site || is_exempt(*key.site) || (good > 0 && pair_failures > pair_share + 0.5)) return std::nullopt;
  const auto worth = [now](const Site& one) {
    return one.failures.at(now) + (one.banned_until > now ? 1e9 : 0) + (one.ban_memory > now ? 1e6 : 0);
  };
  Site& site = sites_.use(*key.site, worth, nothing);
  site.failures.add(1, now);
  site.last_login = key.login;
  const bool banned = site.banned_until > now;
  const double limit = static_cast<double>(options_.ban_after) * (1 + good);
  if (options_.ban_after == 0 || banned || site.failures.at(now) + 0.5 < limit) return std::nullopt;
  if (site.ban_memory <= now) site.bans = 0;
  const seconds wanted = options_.ban_time * (1LL << std::min(site.bans, 20U));
  ++site.bans;
  site.banned_until = now + std::min(wanted, std::max(ban_max, options_.ban_time));
  site.ban_memory = site.banned_until + ban_memory;
  site.failures = FadingCount();
  return ban_of(*key.site, site, now);
}

bool GuessGuard::knows(const Key& key) {
  const TimePoint now = clock_();
  const std::lock_guard lock(mutex_);
  return !options_.enabled || is_good(key, now);
}

bool GuessGuard::note_wrong(const Key& key, const Secret* guess) {
  const TimePoint now = clock_();
  std::optional<Ban> ban;
  {
    const std::lock_guard lock(mutex_);
    if (!options_.enabled) return true;
    const auto guilt = [now](const Level& one) { return one.failures.at(now); };
    const bool is_new = guess == nullptr || note_guess(key, guess->reveal(), now);
    Pair& pair = pairs_.use(key.pair, guilt, nothing);
    pair.account = key.account;
    if (!is_new) {
      pair.repeats.add(1, now);
      return false;
    }
    pair.failures.add(1, now);
    pair.last = std::max(pair.last, now);
    Account& account = accounts_.use(key.account, guilt, nothing);
    account.failures.add(1, now);
    account.last = std::max(account.last, now);
    ban = count_at_site(key, pair.failures.at(now), now);
  }
  if (ban && on_ban_) on_ban_(*ban);
  return true;
}

void GuessGuard::note_right(const Key& key) {
  const TimePoint now = clock_();
  const std::lock_guard lock(mutex_);
  if (!options_.enabled) return;
  pairs_.erase(key.pair);
  const bool was_good = good_.find(key.pair) != nullptr;
  const auto newest = [](const Good& one) { return one.last.time_since_epoch().count(); };
  Good& good = good_.use(key.pair, newest, [this](const Good& gone) {
    if (gone.site) count_down(good_accounts_, *gone.site);
  });
  good.site = key.site;
  good.last = now;
  if (!was_good && key.site) ++good_accounts_[*key.site];
}

void GuessGuard::note_end(const Key& key) {
  const std::lock_guard lock(mutex_);
  count_down(pending_pairs_, key.pair);
  count_down(pending_accounts_, key.account);
  if (key.site) count_down(pending_sites_, *key.site);
}

bool GuessGuard::turns_away(const IpAddress& address) {
  const IpAddress key = site_of(address).address();
  const TimePoint now = clock_();
  const std::lock_guard lock(mutex_);
  if (!options_.enabled || is_exempt(key) || good_accounts_.contains(key)) return false;
  const Site* site = sites_.find(key);
  return site != nullptr && site->banned_until > now;
}

std::vector<GuessGuard::Ban> GuessGuard::bans() {
  const TimePoint now = clock_();
  std::vector<Ban> found;
  {
    const std::lock_guard lock(mutex_);
    sites_.each([&](const IpAddress& key, const Site& site) {
      if (site.banned_until > now) found.push_back(ban_of(key, site, now));
    });
  }
  std::ranges::sort(found, [](const Ban& a, const Ban& b) { return a.left > b.left; });
  return found;
}

bool GuessGuard::lift(const IpAddress& address) {
  const IpAddress key = site_of(address).address();
  const std::lock_guard lock(mutex_);
  const Site* site = sites_.find(key);
  const bool banned = site != nullptr && site->banned_until > clock_();
  sites_.erase(key);
  return banned;
}

std::size_t GuessGuard::lift_all() {
  const std::vector<Ban> lifted = bans();
  for (const Ban& ban : lifted) lift(ban.site.address());
  return lifted.size();
}

bool GuessGuard::forgive(std::string_view account) {
  const Hash128 key = keyed("account", account);
  const std::lock_guard lock(mutex_);
  std::vector<Hash128> from_somewhere;
  pairs_.each([&](const Hash128& pair, const Pair& entry) {
    if (entry.account == key) from_somewhere.push_back(pair);
  });
  for (const Hash128& pair : from_somewhere) pairs_.erase(pair);
  const bool known = accounts_.find(key) != nullptr;
  accounts_.erase(key);
  return known || !from_somewhere.empty();
}

GuessGuard::Attempt::Attempt(GuessGuard& guard, Key key)
    : guard_(guard), key_(std::move(key)), since_(guard_.clock_()) {
  const std::lock_guard lock(guard_.mutex_);
  ++guard_.pending_pairs_[key_.pair];
  ++guard_.pending_accounts_[key_.account];
  if (key_.site) ++guard_.pending_sites_[*key_.site];
}

GuessGuard::Attempt::~Attempt() { rest(); }

void GuessGuard::Attempt::rest() {
  if (std::exchange(under_way_, false)) guard_.note_end(key_);
}

Result<milliseconds> GuessGuard::Attempt::admit() {
  const Verdict verdict = guard_.judge(key_, since_);
  const TimePoint now = guard_.clock_();
  if (verdict.kind == Verdict::Kind::too_many) return tl::unexpected<Error>(too_many_logins("too many tries wait"));
  if (verdict.kind == Verdict::Kind::banned) {
    const seconds left = std::chrono::ceil<seconds>(verdict.when - now);
    return tl::unexpected<Error>(too_many_logins("banned for " + std::to_string(left.count()) + " s more"));
  }
  pace_ = verdict.pace;
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(verdict.when - now));
}

bool GuessGuard::Attempt::known_good() const { return guard_.knows(key_); }

bool GuessGuard::Attempt::still_admitted() const { return guard_.still_admits(key_, pace_); }

bool GuessGuard::Attempt::wrong(const Secret* guess) { return guard_.note_wrong(key_, guess); }

void GuessGuard::Attempt::right() { guard_.note_right(key_); }

}  // namespace postkeep::auth
