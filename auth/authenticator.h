// Authenticator: decides who someone is, by login name and password, and whose mail an address is.
// Blocking: the server calls it on its authentication pool. Knows no protocol and no mechanism.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/acting.h"
#include "auth/certificate_names.h"
#include "auth/guess_guard.h"
#include "auth/password_hash.h"
#include "auth/recipient_resolver.h"
#include "auth/scram_keys.h"
#include "auth/user_directory.h"
#include "auth/verified_passwords.h"
#include "protocol/base/result.h"
#include "protocol/base/secret.h"

namespace postkeep::auth {

// Who was authenticated: the user's name as the directory has it, the key to the mail.
struct Identity {
  std::string user;
  // For the log: SCRAM keys were made of the password and kept; why that failed, if it did.
  bool keys_added = false;
  std::string keys_problem;
  // Who has logged in as `user`, if it is another (auth/acting): his password or certificate was right.
  std::string acted_by = {};
};

// By what a client shows who it is.
enum class Proof {
  password,     // which it sends
  certificate,  // its own, which TLS has verified: EXTERNAL
  cram_md5,     // HMAC-MD5 of a challenge, keyed with the password
  apop,         // MD5 of a challenge and the password (RFC 1939 §7)
  nothing,      // ANONYMOUS
};

// What a mechanism asks to have checked. `authorization` is whom the client wants to act as (RFC 4422 §3.4.1);
// empty: itself.
struct Credentials {
  std::string login;  // a name; of a certificate its subject, and of ANONYMOUS what it says of itself
  std::string authorization;
  Secret password;  // with cram_md5 and apop: the digest, in lower-case hexadecimal digits
  Proof proof = Proof::password;
  std::string challenge = {};         // with cram_md5 and apop: what was to be signed
  CertificateNames certificate = {};  // with certificate
};

// What a mechanism asks for when the password does not travel (SCRAM): the keys of a user.
struct KeyRequest {
  std::string login;
  std::string authorization;
  ScramHash hash = ScramHash::sha_256;
};

// Keys to go on with, whoever was asked for: those of nobody are made up, and no proof fits them.
struct KeyAnswer {
  ScramKeys keys;
  Result<Identity> if_proven;  // what a right proof is worth
  std::string if_wrong;        // what a wrong one means, for the log
  // The try that the mechanism gives its outcome to; null where none is watched.
  std::shared_ptr<GuessGuard::Attempt> attempt = nullptr;
};

// The one answer to every wrong login: who guesses learns nothing from it. `detail` is for the log.
Error wrong_login(std::string detail);

// Thread-safe. Keeps a reference to the directory, which must outlive it.
class Authenticator {
 public:
  struct Options {
    std::vector<std::string> domains;  // ours: hostname and those configured; localhost is always one
    HashCost cost;                     // of the hash wasted on users that do not exist
    unsigned concurrent_hashes = 2;    // costly hashes at one time; others wait. At least 1
    bool add_scram_keys = true;        // to a user who has none, when the password came and was right; see `cost`
    // A right password is not hashed again for so long, while the user's verifier is the same. 0: always hashed.
    std::chrono::seconds remember_passwords{0};
    Secret server_secret;                                 // of which the keys of nobody are made (auth/server_secret)
    std::vector<ActingRight> acting = {};                 // who may log in as somebody else
    std::string master_separator = {};                    // `user*master`; empty: not
    std::vector<CertificateRule> certificate_rules = {};  // which user a certificate stands for
    std::string anonymous_user = {};                      // of ANONYMOUS; empty: nobody
    std::string detail_delimiters = "+";                  // RecipientRules::delimiters
    std::shared_ptr<const AliasTable> aliases;            // may be null
  };

  Authenticator(UserDirectory& users, Options options);

  // A wrong name, a wrong password and a disabled user answer alike (authentication_failed) and cost alike; the
  // log tells them apart by `detail`. `authorization` may be the login's own name, or one that Options::acting allows
  // (else authorization_failed, and only after the password was right): then the identity is that user's, who must not
  // be disabled either. A login `user*master` is the same. Certificates and ANONYMOUS are answered likewise; no
  // password is hashed for them. Errors besides: unavailable, corruption.
  Result<Identity> verify(const Credentials& credentials);

  // The keys of a user for SCRAM. A name that is not there and a user without keys get made-up ones, the same each
  // time, at the same cost, so that the answer tells neither. Errors: authentication_failed (a name that is
  // too long to be anybody's), unavailable, corruption.
  Result<KeyAnswer> look_up_keys(const KeyRequest& request);
  // Whether every user can have keys, so that mechanisms which need them may be offered. Does not block.
  bool can_supply_keys() const;
  // Whether every user has SCRAM-SHA-1 keys. Does not block.
  bool can_supply_sha_1_keys() const;

  // One text for all ways to write one user's name, whether or not there is such a user; for GuessGuard.
  std::string account_key(std::string_view login) const;

  // Whose mail an address is: auth/recipient_resolver.h, without aliases and with them. Errors besides: unavailable,
  // corruption.
  Result<Recipient> resolve_recipient(std::string_view address);
  Result<RecipientSet> resolve_recipients(std::string_view address);

  // After a reload of the configuration; runs under way finish as they began. Passwords that were remembered are not
  // any more.
  void reconfigure(Options options);

 private:
  class HashTurn;
  std::shared_ptr<const Options> options() const;
  static RecipientRules rules_of(const Options& options);
  FindUser finder();
  static std::string without_own_domain(std::string_view name, const Options& options);
  Result<std::optional<User>> find_user(std::string_view name, const Options& options);
  Result<std::optional<User>> find_as_given(std::string_view name, const Options& options);
  void waste(const Secret& password, const Options& options);
  Result<bool> check_password(const User& user, const std::vector<Verifier>& verifiers, const Secret& password,
                              const Options& options);
  Result<bool> check_costly(const User& user, const Verifier& verifier, const Secret& password, const Options& options);
  Result<Identity> verify_sent_password(const Credentials& credentials, const Options& options);
  Result<Identity> verify_digest_of_password(const Credentials& credentials, const Options& options);
  Result<Identity> verify_certificate(const Credentials& credentials, const Options& options);
  Result<Identity> admit_anonymous(const Options& options);
  Result<Identity> admit(const User& user, std::string_view authorization, const Options& options);
  void add_keys(Identity& identity, const User& user, std::vector<Verifier> verifiers, const Secret& password,
                const Options& options);
  std::optional<ScramKeys> keys_from(const std::vector<Verifier>& verifiers, const ScramKeys& made_up,
                                     const Options& options);

  UserDirectory& users_;
  mutable std::mutex mutex_;  // guards options_ and running_; never held while hashing
  std::condition_variable turn_;
  std::shared_ptr<const Options> options_;
  unsigned running_ = 0;
  VerifiedPasswords verified_;
};

}  // namespace postkeep::auth
