// MailState: what mail the accounts of a machine have, as a client knows it or as it is found, and how the two compare.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/sim/machine.h"

namespace postkeep::test {

struct KnownMessage {
  std::optional<Uid> uid;                     // none: nobody was told it yet
  std::string content;                        // as served
  std::string flags;                          // Flags::to_wire()
  std::optional<std::int64_t> internal_date;  // none: not known
  ModSeq modseq;                              // only of what was found
};

struct KnownMailbox {
  MailboxId id;              // 0: not known
  UidValidity uid_validity;  // 0: not known
  Uid uid_next;
  ModSeq highest_modseq;
  SpecialUse special_use = SpecialUse::none;
  std::vector<KnownMessage> messages;

  const KnownMessage* find(Uid uid) const;
  Uid uid_of(std::string_view content) const;  // 0 if not there
  UidSet uids_of(const std::vector<std::string>& contents) const;
};

struct MailState {
  std::map<std::string, KnownMailbox> mailboxes;  // by address
  std::set<std::string> subscribed;               // addresses
  storage::QuotaLimits quota;                     // anna's own

  KnownMailbox& inbox() { return mailboxes.at("INBOX"); }
  const KnownMailbox& inbox() const { return mailboxes.at("INBOX"); }
};

Flags flags_of_words(const std::string& words);  // the inverse of Flags::to_wire()

// Everything in all accounts: lists, reads and refreshes all mailboxes and messages. Errors: those of the accounts;
// corruption if what one says of a message contradicts itself.
Result<MailState> observe(Machine& machine);

enum class FlagsAre { exact, mixed };

// "" if `found` is what is `expected`: the same mailboxes, the same messages, each once, told ones under their UID.
// Otherwise what differs. mixed: what an `earlier` state has otherwise may be in part as there and in part as expected.
std::string difference(const MailState& expected, const MailState& found, FlagsAre flags_are,
                       const std::vector<MailState>& earlier);

}  // namespace postkeep::test
