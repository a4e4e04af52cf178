// What many commands begin with: the user and the mailbox that they are about, or an error that says what to do next.
// Blocking, on the far side.
#pragma once

#include <string>
#include <string_view>

#include "auth/user_directory.h"
#include "server/admin/commands.h"
#include "storage/account_store.h"

namespace postkeep::admin {

// The schemes in which a password can be put, as Parameter::choices wants them (auth/schemes.cpp has all).
inline constexpr std::string_view scheme_choices =
    "ARGON2ID SCRAM-SHA-256 PLAIN CRYPT SHA512-CRYPT SHA256-CRYPT BLF-CRYPT SCRAM-SHA-1 SSHA512 SSHA256";

// The user whom the argument `parameter` names. Errors: not_found, with the name that may have been meant.
Result<auth::User> existing_user(Host& host, const nlohmann::json& arguments, std::string_view parameter = "user");

// The name in the argument `parameter`, as people write it: UTF-8, with the separator that clients see. Errors: cannot.
Result<MailboxName> mailbox_argument(Host& host, const nlohmann::json& arguments,
                                     std::string_view parameter = "mailbox");

// The other way round.
std::string shown_name(const MailboxName& name, char separator);

// Where one user's mailboxes are looked for, and how names are shown.
struct MailboxFinder {
  std::string user;
  char separator;

  // A mailbox that exists, what other programs did to it taken in. Errors: not_found, with the name that may have been
  // meant; those of the account.
  Result<storage::Mailbox> find(storage::AccountStore& account, const MailboxName& name) const;
};

}  // namespace postkeep::admin
