#include "auth/authenticator.h"

#include <algorithm>
#include <array>

#include "auth/limits.h"
#include "protocol/base/ascii.h"

namespace postkeep::auth {

namespace {

// One text for every reason: who guesses learns nothing from it.
tl::unexpected<Error> refused(std::string detail) {
  return failure(ErrorKind::authentication_failed, "Wrong user name or password", std::move(detail));
}

bool is_ours(std::string_view domain, const Authenticator::Options& options) {
  return ascii::iequals(domain, "localhost") ||
         std::ranges::any_of(options.domains, [&](const std::string& own) { return ascii::iequals(own, domain); });
}

}  // namespace

// One of the Argon2 runs that are allowed at one time; waits for its turn.
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
    : users_(users), options_(std::make_shared<const Options>(std::move(options))) {}

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
}

// `name@domain` is the user of that whole name; else, if the domain is ours, the user `name`.
Result<std::optional<User>> Authenticator::find_user(std::string_view name, const Options& options) {
  std::optional<User> user = TRY(users_.find(name));
  const std::size_t at = name.rfind('@');
  if (user || at == std::string_view::npos || !is_ours(name.substr(at + 1), options)) return user;
  return users_.find(name.substr(0, at));
}

void Authenticator::waste(const Secret& password, const Options& options) {
  const HashTurn turn(*this, options);
  waste_like_argon2(password, options.cost);
}

// The cheapest verifier that decides comes first: a PLAIN one costs nothing. When Argon2 did not run and the answer
// is no, as much time is wasted as if it had: the answer must not tell how a user's password is kept.
Result<bool> Authenticator::check_password(const User& user, const Secret& password, const Options& options) {
  const std::vector<Verifier> verifiers = TRY(users_.verifiers(user.name));
  for (const Scheme scheme : std::array{Scheme::plain, Scheme::argon2id, Scheme::scram_sha_256}) {
    const auto verifier = std::ranges::find(verifiers, scheme, &Verifier::scheme);
    if (verifier == verifiers.end()) continue;
    if (scheme == Scheme::argon2id) {
      const HashTurn turn(*this, options);
      return verify_password(password, *verifier);
    }
    const bool right = TRY(verify_password(password, *verifier));
    if (!right) waste(password, options);
    return right;
  }
  waste(password, options);
  return false;
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
  if (!TRY(check_password(*user, credentials.password, *current))) return refused("wrong password");
  if (!user->enabled) return refused("the user is disabled");
  if (!credentials.authorization.empty()) {
    const std::optional<User> other = TRY(find_user(credentials.authorization, *current));
    if (!other || other->name != user->name) {
      return failure(ErrorKind::authorization_failed, "You may not act as somebody else",
                     "authorization as another user asked for");
    }
  }
  return Identity{user->name};
}

Result<Recipient> Authenticator::resolve_recipient(std::string_view address) {
  const std::shared_ptr<const Options> current = options();
  const auto nobody = [] { return failure(ErrorKind::not_found, "No such user here"); };
  if (address.empty() || address.size() > login_octets_max) return nobody();
  if (const std::optional<User> user = TRY(find_user(address, *current))) return Recipient{user->name, {}};

  const std::size_t at = address.rfind('@');
  const std::string_view local = address.substr(0, at);
  const std::size_t plus = local.find('+');
  if (plus == std::string_view::npos || plus == 0) return nobody();
  std::string without_detail(local.substr(0, plus));
  if (at != std::string_view::npos) without_detail += address.substr(at);
  const std::optional<User> user = TRY(find_user(without_detail, *current));
  if (!user) return nobody();
  return Recipient{user->name, std::string(local.substr(plus + 1))};
}

}  // namespace postkeep::auth
