// Recovery: intents that an unclean stop left are undone (APPEND of several, COPY) or carried on (MOVE, RENAME).
// Called by maildir_mail_store when an account is opened, before its mailboxes are read: it works on files alone,
// and the listing that follows an unclean stop brings the index up to them.
#pragma once

#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "storage/account/context.h"

namespace postkeep::storage {

enum class Recovered { nothing, something };

Result<Recovered> recover_intents(AccountContext& context);
// The same; `names` are those in the account's directory.
Result<Recovered> recover_intents(AccountContext& context, const std::vector<std::string>& names);

}  // namespace postkeep::storage
