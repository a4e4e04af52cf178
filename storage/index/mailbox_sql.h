// Rows about mailboxes in index.sqlite: counters, flag combinations, what was expunged when.
// Called by storage/mailbox_state and its neighbours. Plain statements: transactions are the caller's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/mail/flags.h"
#include "protocol/mail/ids.h"
#include "protocol/mail/mailbox_name.h"
#include "protocol/mail/uid_set.h"
#include "storage/index/database.h"

namespace postkeep::storage {

// A value; what the table `mailbox` says of one.
struct MailboxRow {
  std::int64_t key = 0;  // 0: not in the table yet
  MailboxId id;
  std::string directory;  // below the account: "" for INBOX, ".Sent"
  SpecialUse special_use = SpecialUse::none;
  UidValidity uid_validity;
  Uid uid_next{1};
  ModSeq highest_modseq{1};
  Uid first_recent{1};
  ModSeq expunges_known_since;  // older expunges are forgotten: RFC 7162 §3.2.6
  Uid adopt_from;               // files named with a UID from here on may be unknown to the index
  bool scan_needed = true;      // the folder has to be listed before anything is believed
  std::uint32_t messages = 0;
  std::uint32_t seen = 0;
  std::uint32_t deleted = 0;
  std::uint64_t octets = 0;       // as served; an upper bound while messages are uncached
  std::int64_t cur_modified = 0;  // nanoseconds
  std::int64_t new_modified = 0;  // nanoseconds
  std::int64_t listed_at = 0;     // nanoseconds, by the machine's file times
};

Result<std::vector<MailboxRow>> load_mailbox_rows(Database& database);
// Inserts where row.key is 0, and sets it.
Outcome save_mailbox_row(Database& database, MailboxRow& row);
// Takes a mailbox's directory from its row until it is saved again, so that another can have it.
Outcome free_directory(Database& database, std::int64_t key);
// The mailbox goes at once; its messages' rows go in slices: remove_dropped_rows().
Outcome drop_mailbox_row(Database& database, std::int64_t key);
// Removes up to `limit` rows of dropped mailboxes; false when there are none left.
Result<bool> remove_dropped_rows(Database& database, std::int64_t limit);

Result<std::vector<Flags>> load_flag_sets(Database& database, std::int64_t key);  // by code, from 0
Outcome add_flag_set(Database& database, std::int64_t key, std::int64_t code, const Flags& flags);

Outcome add_expunged(Database& database, std::int64_t key, ModSeq modseq, const UidSet& uids);
Result<UidSet> load_expunged(Database& database, std::int64_t key, ModSeq since);

}  // namespace postkeep::storage
