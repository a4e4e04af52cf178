// MailState: what mail an account has, as a client knows it or as it is found, and how the two compare.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/account_store.h"

namespace postkeep::test {

struct KnownMessage {
  std::optional<Uid> uid;                     // none: nobody was told it yet
  std::string content;                        // as served
  std::string flags;                          // Flags::to_wire()
  std::optional<std::int64_t> internal_date;  // none: not known
  ModSeq modseq;                              // only of what was found
};

struct KnownMailbox {
  MailboxId id;
  UidValidity uid_validity;
  Uid uid_next;
  ModSeq highest_modseq;
  std::vector<KnownMessage> messages;

  const KnownMessage* find(Uid uid) const;
  Uid uid_of(std::string_view content) const;  // 0 if not there
  UidSet uids_of(const std::vector<std::string>& contents) const;
};

using MailState = std::map<std::string, KnownMailbox>;  // by mailbox name

// Everything in an account: lists, reads and refreshes all mailboxes and messages. Errors: those of the account;
// corruption if what it says of a message contradicts itself.
Result<MailState> observe(storage::AccountStore& account);

enum class FlagsAre { exact, any_known };

// "" if `found` is what is `expected`: the same mailboxes, the same messages, each once, told ones under their UID.
// Otherwise what differs. any_known: a message may have the flags of an `earlier` state too.
std::string difference(const MailState& expected, const MailState& found, FlagsAre flags_are,
                       const std::vector<MailState>& earlier);

}  // namespace postkeep::test
