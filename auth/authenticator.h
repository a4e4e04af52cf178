// Authenticator: decides who someone is, by login name and password, and whose mail an address is.
// Blocking: the server calls it on its authentication pool. Knows no protocol and no mechanism.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "auth/password_hash.h"
#include "auth/user_directory.h"
#include "protocol/base/result.h"
#include "protocol/base/secret.h"

namespace postkeep::auth {

// Who was authenticated: the user's name as the directory has it, the key to the mail.
struct Identity {
  std::string user;
};

// What a mechanism asks to have checked. `authorization` is whom the client wants to act as (RFC 4422 §3.4.1);
// empty: itself.
struct Credentials {
  std::string login;
  std::string authorization;
  Secret password;
};

// Where an LMTP recipient's mail goes: `detail` is what stood after '+', empty if nothing did.
struct Recipient {
  std::string user;
  std::string detail;
};

// Thread-safe. Keeps a reference to the directory, which must outlive it.
class Authenticator {
 public:
  struct Options {
    std::vector<std::string> domains;  // ours: hostname and those configured; localhost is always one
    HashCost cost;                     // of the hash wasted on users that do not exist
    unsigned concurrent_hashes = 2;    // Argon2 runs at one time; others wait. At least 1
  };

  Authenticator(UserDirectory& users, Options options);

  // A wrong name, a wrong password and a disabled user answer alike (authentication_failed) and cost alike; the
  // log tells them apart by `detail`. `authorization` may only be the login's own name (else authorization_failed,
  // and only after the password was right). Errors besides: unavailable, corruption.
  Result<Identity> verify(const Credentials& credentials);

  // The user whom an address (RFC 5321 §4.1.2 Mailbox without quotes, or a name without domain) means: the whole
  // name; else without its detail; else, where the domain is ours, the local part alone, likewise.
  // Errors: not_found; unavailable, corruption.
  Result<Recipient> resolve_recipient(std::string_view address);

  // After a reload of the configuration; runs under way finish as they began.
  void reconfigure(Options options);

 private:
  class HashTurn;
  std::shared_ptr<const Options> options() const;
  Result<std::optional<User>> find_user(std::string_view name, const Options& options);
  void waste(const Secret& password, const Options& options);
  Result<bool> check_password(const User& user, const Secret& password, const Options& options);

  UserDirectory& users_;
  mutable std::mutex mutex_;  // guards options_ and running_; never held while hashing
  std::condition_variable turn_;
  std::shared_ptr<const Options> options_;
  unsigned running_ = 0;
};

}  // namespace postkeep::auth
