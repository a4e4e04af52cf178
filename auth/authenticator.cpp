#include "auth/authenticator.h"

#include <algorithm>

#include "auth/limits.h"
#include "auth/user_name.h"
#include "protocol/base/ascii.h"

namespace postkeep::auth {

namespace {

tl::unexpected<Error> refused(std::string detail) { return tl::unexpected<Error>(wrong_login(std::move(detail))); }

const Verifier* find_scheme(const std::vector<Verifier>& verifiers, Scheme scheme) {
  const auto found = std::ranges::find(verifiers, scheme, &Verifier::scheme);
  return found == verifiers.end() ? nullptr : &*found;
}

// The verifiers of a user who was found a moment ago; none if the user is gone by now.
Result<std::vector<Verifier>> verifiers_of(UserDirectory& users, const User& user) {
  Result<std::vector<Verifier>> found = users.verifiers(user.name);
  if (!found && found.error().kind == ErrorKind::not_found) return std::vector<Verifier>();
  return found;
}

}  // namespace

Error wrong_login(std::string detail) {
  return Error(ErrorKind::authentication_failed, "Wrong user name or password", std::move(detail));
}

// One of the costly hashes that are allowed at one time; waits for its turn.
class Authenticator::HashTurn {
 public:
  HashTurn(Authenticator& owner, const Options& options) : owner_(owner) {
    std::unique_lock lock(owner_.mutex_);
    owner_.turn_.wait(lock, [&] { return owner_.running_ < std::max(1U, options.concurrent_hashes); });
    ++owner_.running_;
  }
  ~HashTurn() {
    {
      const std::lock_guard lock(owner_.mutex_);
      --owner_.running_;
    }
    owner_.turn_.notify_one();
  }
  HashTurn(const HashTurn&) = delete;
  HashTurn& operator=(const HashTurn&) = delete;

 private:
  Authenticator& owner_;
};

Authenticator::Authenticator(UserDirectory& users, Options options)
    : users_(users), options_(std::make_shared<const Options>(std::move(options))), verified_(verified_passwords_max) {}

std::shared_ptr<const Authenticator::Options> Authenticator::options() const {
  const std::lock_guard lock(mutex_);
  return options_;
}

void Authenticator::reconfigure(Options options) {
  auto fresh = std::make_shared<const Options>(std::move(options));
  {
    const std::lock_guard lock(mutex_);
    options_ = std::move(fresh);
  }
  turn_.notify_all();
  verified_.clear();
}

// What nobody of this name would be called: a user who had it could also leave our domain out.
std::string Authenticator::without_own_domain(std::string_view name, const Options& options) {
  const std::size_t at = name.rfind('@');
  return std::string(
      at != std::string_view::npos && is_own_domain(name.substr(at + 1), options.domains) ? name.substr(0, at) : name);
}

// `name@domain` is the user of that whole name; else, if the domain is ours, the user `name`.
Result<std::optional<User>> Authenticator::find_user(std::string_view name, const Options& options) {
  std::optional<User> user = TRY(users_.find(name));
  const std::string local = without_own_domain(name, options);
  if (user || local == name) return user;
  return users_.find(local);
}

void Authenticator::waste(const Secret& password, const Options& options) {
  const HashTurn turn(*this, options);
  waste_like_argon2(password, options.cost);
}

// The cheapest verifier that decides is asked: a PLAIN one costs nothing. When Argon2 did not run and the answer is no,
// as much time is wasted as if it had: the answer must not tell how a user's password is kept.
Result<bool> Authenticator::check_password(const User& user, const std::vector<Verifier>& verifiers,
                                           const Secret& password, const Options& options) {
  const auto cheapest =
      std::ranges::min_element(verifiers, {}, [](const Verifier& verifier) { return work_of(verifier.scheme); });
  if (cheapest == verifiers.end()) {
    waste(password, options);
    return false;
  }
  bool right = false;
  const Work work = work_of(cheapest->scheme);
  if (work == Work::trifling) {
    right = TRY(verify_password(password, *cheapest));
  } else {
    right = TRY(check_costly(user, *cheapest, password, options));
  }
  if (!right && work != Work::argon2) waste(password, options);
  return right;
}

// What was right a while ago needs no run. Every login that is refused costs one: a wrong password is never remembered,
// and a disabled user's is not asked for, or the quick answer would tell that it is right.
Result<bool> Authenticator::check_costly(const User& user, const Verifier& verifier, const Secret& password,
                                         const Options& options) {
  using Clock = VerifiedPasswords::Clock;
  const bool remembers = user.enabled && options.remember_passwords.count() > 0;
  if (remembers && verified_.knows(user.name, verifier, password, Clock::now())) return true;
  const HashTurn turn(*this, options);
  const bool right = TRY(verify_password(password, verifier));
  const Clock::time_point now = Clock::now();
  if (right && remembers) verified_.add(user.name, verifier, password, now, now + options.remember_passwords);
  return right;
}

// Of a user who has shown who it is.
Result<Identity> Authenticator::admit(const User& user, std::string_view authorization, const Options& options) {
  if (!user.enabled) return refused("the user is disabled");
  if (!authorization.empty()) {
    const std::optional<User> other = TRY(find_user(authorization, options));
    if (!other || other->name != user.name) {
      return failure(ErrorKind::authorization_failed, "You may not act as somebody else",
                     "authorization as another user asked for");
    }
  }
  Identity identity;
  identity.user = user.name;
  return identity;
}

// A failure is no reason to refuse the login; it is told to the log.
void Authenticator::add_keys(Identity& identity, const std::vector<Verifier>& verifiers, const Secret& password,
                             const Options& options) {
  if (!options.add_scram_keys || find_scheme(verifiers, Scheme::scram_sha_256) != nullptr ||
      find_scheme(verifiers, Scheme::plain) != nullptr || !users_.is_writable(identity.user)) {
    return;
  }
  const auto add = [&]() -> Outcome {
    const HashTurn turn(*this, options);
    const auto made = TRY(make_verifiers(password, Scheme::scram_sha_256, options.cost));
    return users_.add_verifier(identity.user, made.front(), verifiers);
  };
  const Outcome added = add();
  identity.keys_added = added.has_value();
  if (!added) identity.keys_problem = added.error().text + " " + added.error().detail;
}

Result<Identity> Authenticator::verify(const Credentials& credentials) {
  const std::shared_ptr<const Options> current = options();
  // Refused before anybody is looked for, so the quick answer tells nothing of us.
  if (credentials.login.size() > login_octets_max) return refused("the name is too long");
  if (const auto prepared = prepared_password(credentials.password); !prepared) return refused(prepared.error().text);

  const std::optional<User> user = TRY(find_user(credentials.login, *current));
  if (!user) {
    waste(credentials.password, *current);
    return refused("no such user");
  }
  const std::vector<Verifier> verifiers = TRY(verifiers_of(users_, *user));
  if (!TRY(check_password(*user, verifiers, credentials.password, *current))) return refused("wrong password");
  Identity identity = TRY(admit(*user, credentials.authorization, *current));
  add_keys(identity, verifiers, credentials.password, *current);
  return identity;
}

// Keys of a password that is kept as PLAIN are made on the spot, with the salt that stands for nobody, so that it is
// the same each time. That costs a PBKDF2 run, so everybody else gets one that is wasted.
std::optional<ScramKeys> Authenticator::keys_from(const std::vector<Verifier>& verifiers, const ScramKeys& made_up,
                                                  const Options& options) {
  const Verifier* ready = find_scheme(verifiers, Scheme::scram_sha_256);
  const Verifier* plain = find_scheme(verifiers, Scheme::plain);
  Result<Secret> password = prepared_password(plain != nullptr ? plain->hash : Secret("nobody's"));
  const HashTurn turn(*this, options);
  const Secret nobodys("nobody's");
  ScramKeys made = derive_scram_keys(password ? *password : nobodys, made_up.salt, made_up.iterations);
  if (ready != nullptr) {
    if (auto keys = scram_keys_from_text(ready->hash.reveal())) return std::move(*keys);
  }
  if (plain == nullptr || !password) return std::nullopt;
  return made;
}

Result<KeyAnswer> Authenticator::look_up_keys(const KeyRequest& request) {
  const std::shared_ptr<const Options> current = options();
  if (request.login.size() > login_octets_max) return refused("the name is too long");
  const std::optional<User> user = TRY(find_user(request.login, *current));
  std::vector<Verifier> verifiers;
  if (user) verifiers = TRY(verifiers_of(users_, *user));
  const std::string name = user ? user->name : without_own_domain(request.login, *current);
  const ScramKeys made_up = made_up_scram_keys(current->server_secret, user_key(name), current->cost.scram_iterations);
  const std::optional<ScramKeys> kept = keys_from(verifiers, made_up, *current);
  KeyAnswer answer;
  answer.keys = kept ? *kept : made_up;
  answer.if_wrong = !user ? "no such user" : kept ? "wrong password" : "the user has no SCRAM keys";
  answer.if_proven = kept ? admit(*user, request.authorization, *current) : refused(answer.if_wrong);
  return answer;
}

bool Authenticator::can_supply_keys() const { return users_.can_supply_keys(); }

RecipientRules Authenticator::rules_of(const Options& options) {
  RecipientRules rules;
  rules.domains = options.domains;
  rules.delimiters = options.detail_delimiters;
  rules.aliases = options.aliases;
  return rules;
}

FindUser Authenticator::finder() {
  return [this](std::string_view name) -> Result<std::optional<std::string>> {
    std::optional<User> user = TRY(users_.find(name));
    return user ? std::optional<std::string>(std::move(user->name)) : std::nullopt;
  };
}

Result<Recipient> Authenticator::resolve_recipient(std::string_view address) {
  return resolve_user(address, rules_of(*options()), finder());
}

Result<RecipientSet> Authenticator::resolve_recipients(std::string_view address) {
  return auth::resolve_recipients(address, rules_of(*options()), finder());
}

}  // namespace postkeep::auth
