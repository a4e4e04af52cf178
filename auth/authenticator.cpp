#include "auth/authenticator.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "auth/limits.h"
#include "auth/schemes.h"
#include "auth/user_name.h"
#include "protocol/base/ascii.h"
#include "protocol/base/hex.h"
#include "protocol/text/prep.h"

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

Scheme scheme_of(ScramHash hash) { return hash == ScramHash::sha_1 ? Scheme::scram_sha_1 : Scheme::scram_sha_256; }

// As find_user() looks for it last, so that nobody is the same nobody however the name is written.
std::string prepared_name(std::string_view name) {
  const Result<std::string> prepared = text::sasl_prep(name);
  return prepared ? *prepared : std::string(name);
}

using Md5 = std::array<unsigned char, cram_md5_digits / 2>;

// RFC 2195 §2. Throws std::runtime_error if libcrypto fails.
Md5 cram_md5_digest(const Secret& password, std::string_view challenge) {
  Md5 mac{};
  unsigned length = 0;
  const std::string_view key = password.reveal();
  if (HMAC(EVP_md5(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(challenge.data()), challenge.size(), mac.data(),
           &length) == nullptr) {
    throw std::runtime_error("libcrypto cannot compute HMAC-MD5");
  }
  return mac;
}

// RFC 1939 §7. Throws std::runtime_error if libcrypto fails.
Md5 apop_digest(const Secret& password, std::string_view challenge) {
  std::string signed_text;
  signed_text.reserve(challenge.size() + password.reveal().size());  // at once: growing would leave a copy behind
  (signed_text += challenge) += password.reveal();
  const Secret whole(std::move(signed_text));
  Md5 digest{};
  unsigned length = 0;
  if (EVP_Digest(whole.reveal().data(), whole.reveal().size(), digest.data(), &length, EVP_md5(), nullptr) != 1) {
    throw std::runtime_error("libcrypto cannot compute MD5");
  }
  return digest;
}

std::string digest_of(const Secret& password, const Credentials& credentials) {
  return to_hex(credentials.proof == Proof::apop ? apop_digest(password, credentials.challenge)
                                                 : cram_md5_digest(password, credentials.challenge));
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
Result<std::optional<User>> Authenticator::find_as_given(std::string_view name, const Options& options) {
  std::optional<User> user = TRY(users_.find(name));
  const std::string local = without_own_domain(name, options);
  if (user || local == name) return user;
  return users_.find(local);
}

// A name that is nobody's is looked for in its SASLprep form, too (RFC 5802 §5.1, as a query string): soft hyphens and
// wide letters do not matter.
Result<std::optional<User>> Authenticator::find_user(std::string_view name, const Options& options) {
  std::optional<User> user = TRY(find_as_given(name, options));
  if (user) return user;
  const std::string prepared = prepared_name(name);
  if (prepared == name) return user;
  return find_as_given(prepared, options);
}

void Authenticator::waste(const Secret& password, const Options& options) {
  const HashTurn turn(*this, options);
  waste_like_argon2(password, options.cost);
}

// The cheapest verifier that decides is asked: a PLAIN one costs nothing. When Argon2 did not run and the answer is no,
// as much time is wasted as if it had: the answer must not tell how a user's password is kept, nor a disabled user's
// that it is right.
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
  if (!(right && user.enabled) && work != Work::argon2) waste(password, options);
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

// Of a user who has shown who it is. Whether the other is there, and enabled, is told to nobody who may not act so.
Result<Identity> Authenticator::admit(const User& user, std::string_view authorization, const Options& options) {
  if (!user.enabled) return refused("the user is disabled");
  Identity identity;
  identity.user = user.name;
  if (authorization.empty()) return identity;
  const std::optional<User> other = TRY(find_user(authorization, options));
  if (other && other->name == user.name) return identity;
  const auto not_allowed = [&](std::string_view why) {
    return failure(ErrorKind::authorization_failed, "You may not act as somebody else",
                   user.name + " as " + std::string(authorization) + ": " + std::string(why));
  };
  if (!other) return not_allowed("no such user");
  if (!may_act(options.acting, user.name, other->name)) return not_allowed("no right to act as that user");
  if (!other->enabled) return not_allowed("that user is disabled");
  identity.user = other->name;
  identity.acted_by = user.name;
  return identity;
}

// A failure is no reason to refuse the login; it is told to the log.
void Authenticator::add_keys(Identity& identity, const User& user, std::vector<Verifier> verifiers,
                             const Secret& password, const Options& options) {
  if (!options.add_scram_keys || find_scheme(verifiers, Scheme::plain) != nullptr || !users_.is_writable(user.name)) {
    return;
  }
  const auto add = [&](Scheme scheme) -> Outcome {
    const HashTurn turn(*this, options);
    auto made = TRY(make_verifiers(password, scheme, options.cost));
    TRY(users_.add_verifier(user.name, made.front(), verifiers));
    verifiers.push_back(std::move(made.front()));
    return {};
  };
  for (const Scheme scheme : {Scheme::scram_sha_256, Scheme::scram_sha_1}) {
    if (find_scheme(verifiers, scheme) != nullptr) continue;
    if (scheme == Scheme::scram_sha_1 && !options.cost.scram_sha_1) continue;
    const Outcome added = add(scheme);
    if (added) identity.keys_added = true;
    if (!added) identity.keys_problem = added.error().text + " " + added.error().detail;
  }
}

Result<Identity> Authenticator::verify(const Credentials& credentials) {
  const std::shared_ptr<const Options> current = options();
  switch (credentials.proof) {
    case Proof::certificate:
      return verify_certificate(credentials, *current);
    case Proof::cram_md5:
    case Proof::apop:
      return verify_digest_of_password(credentials, *current);
    case Proof::nothing:
      return admit_anonymous(*current);
    case Proof::password:
      break;
  }
  return verify_sent_password(credentials, *current);
}

Result<Identity> Authenticator::verify_sent_password(const Credentials& credentials, const Options& options) {
  // Refused before anybody is looked for, so the quick answer tells nothing of us.
  if (credentials.login.size() > login_octets_max) return refused("the name is too long");
  if (const auto prepared = prepared_password(credentials.password); !prepared) return refused(prepared.error().text);

  const LoginName name = split_master(credentials.login, credentials.authorization, options.master_separator);
  const std::optional<User> user = TRY(find_user(name.login, options));
  if (!user) {
    waste(credentials.password, options);
    return refused("no such user");
  }
  const std::vector<Verifier> verifiers = TRY(verifiers_of(users_, *user));
  if (!TRY(check_password(*user, verifiers, credentials.password, options))) return refused("wrong password");
  Identity identity = TRY(admit(*user, name.authorization, options));
  add_keys(identity, *user, verifiers, credentials.password, options);
  return identity;
}

// Only a password that is kept as it is can be asked for a digest. Whoever is refused waits for as long as with a wrong
// password, whatever the reason.
Result<Identity> Authenticator::verify_digest_of_password(const Credentials& credentials, const Options& options) {
  if (credentials.login.size() > login_octets_max) return refused("the name is too long");
  const LoginName name = split_master(credentials.login, credentials.authorization, options.master_separator);
  const std::optional<User> user = TRY(find_user(name.login, options));
  std::vector<Verifier> verifiers;
  if (user) verifiers = TRY(verifiers_of(users_, *user));
  const Verifier* kept = find_scheme(verifiers, Scheme::plain);
  const Secret nobodys("nobody's");
  const Secret& password = kept != nullptr ? kept->hash : nobodys;
  const bool right = are_equal(digest_of(password, credentials), credentials.password.reveal());
  if (kept == nullptr || !right || !user->enabled) waste(credentials.password, options);
  if (kept == nullptr || !right) {
    return refused(!user ? "no such user" : kept == nullptr ? "the password is not kept as PLAIN" : "wrong password");
  }
  return admit(*user, name.authorization, options);
}

// RFC 4422 §A.1. A certificate may stand for several users: with an authorization, the one it is right for counts.
Result<Identity> Authenticator::verify_certificate(const Credentials& credentials, const Options& options) {
  Result<Identity> answer = refused("the certificate is nobody's by auth.certificate_users");
  bool found = false;
  for (const std::string& name : users_of(credentials.certificate, options.certificate_rules)) {
    if (name.size() > login_octets_max) continue;
    const std::optional<User> user = TRY(find_user(name, options));
    if (!user) continue;
    Result<Identity> identity = admit(*user, credentials.authorization, options);
    if (identity) return identity;
    if (!found) answer = std::move(identity);
    found = true;
  }
  return answer;
}

Result<Identity> Authenticator::admit_anonymous(const Options& options) {
  if (options.anonymous_user.empty()) return refused("nobody is to be let in without a password");
  const std::optional<User> user = TRY(find_user(options.anonymous_user, options));
  if (!user) return refused("auth.anonymous_user is not there");
  return admit(*user, {}, options);
}

// Keys of a password that is kept as PLAIN are made on the spot, with the salt that stands for nobody, so that it is
// the same each time. That costs a PBKDF2 run, so everybody else gets one that is wasted.
std::optional<ScramKeys> Authenticator::keys_from(const std::vector<Verifier>& verifiers, const ScramKeys& made_up,
                                                  const Options& options) {
  const Verifier* ready = find_scheme(verifiers, scheme_of(made_up.hash));
  const Verifier* plain = find_scheme(verifiers, Scheme::plain);
  Result<Secret> password = prepared_password(plain != nullptr ? plain->hash : Secret("nobody's"));
  const HashTurn turn(*this, options);
  const Secret nobodys("nobody's");
  ScramKeys made = derive_scram_keys(password ? *password : nobodys, made_up.salt, made_up.iterations, made_up.hash);
  if (ready != nullptr) {
    if (auto keys = scram_keys_from_text(ready->hash.reveal(), made_up.hash)) return std::move(*keys);
  }
  if (plain == nullptr || !password) return std::nullopt;
  return made;
}

Result<KeyAnswer> Authenticator::look_up_keys(const KeyRequest& request) {
  const std::shared_ptr<const Options> current = options();
  if (request.login.size() > login_octets_max) return refused("the name is too long");
  const LoginName asked = split_master(request.login, request.authorization, current->master_separator);
  const std::optional<User> user = TRY(find_user(asked.login, *current));
  std::vector<Verifier> verifiers;
  if (user) verifiers = TRY(verifiers_of(users_, *user));
  const std::string name = user ? user->name : without_own_domain(prepared_name(asked.login), *current);
  const ScramKeys made_up =
      made_up_scram_keys(current->server_secret, user_key(name), current->cost.scram_iterations, request.hash);
  const std::optional<ScramKeys> kept = keys_from(verifiers, made_up, *current);
  KeyAnswer answer;
  answer.keys = kept ? *kept : made_up;
  answer.if_wrong = !user ? "no such user" : kept ? "wrong password" : "the user has no SCRAM keys";
  answer.if_proven = kept ? admit(*user, asked.authorization, *current) : refused(answer.if_wrong);
  return answer;
}

std::string Authenticator::account_key(std::string_view login) const {
  if (login.size() > login_octets_max) return {};
  const std::shared_ptr<const Options> current = options();
  const LoginName name =
      split_master(login, {}, current->master_separator);  // it is the master's password that is tried
  return user_key(without_own_domain(prepared_name(name.login), *current));
}

bool Authenticator::can_supply_keys() const { return users_.can_supply_keys(); }
bool Authenticator::can_supply_sha_1_keys() const { return users_.can_supply_sha_1_keys(); }

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
