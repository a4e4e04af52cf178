// MailboxView: what one client believes about the mailbox that it has selected: which message has which
// number, which flags it was told, what is \Recent to it. RFC 9051 §7.5, RFC 3501 §2.3.1.2 and §7.4.1.
// Pure: no I/O, no coroutine. server/imap/updates writes what apply() reports; handlers resolve numbers here.
//
// Invariants:
// - The view changes in apply() alone, so that numbers cannot move under a running command.
// - Every difference between two views was reported to the client, in order, or is one that it made itself.
// - Where EXPUNGE must be held, expunged messages stay in the view as ghosts: they keep their numbers and
//   yield no data, while new messages and flags go on being reported.
// - Where a client does not want flag changes (NOTIFY), the view has them all the same, and remembers which it
// withheld.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "protocol/mail/flags.h"
#include "protocol/mail/uid_set.h"
#include "storage/mailbox_version.h"

namespace postkeep::imap {

// May EXPUNGE be reported now? Not during FETCH, STORE and SEARCH by message number (RFC 9051 §7.5.1).
enum class ExpungeRule { allowed, held };

// What to send to bring the client from the view before to the view after, in this order.
struct ViewReport {
  // Message numbers of the view before, ascending ranges. Sent from the last to the first, each number
  // is right at the moment when it is sent.
  struct SeqRange {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    bool operator==(const SeqRange&) const = default;
  };
  std::vector<SeqRange> expunged;
  UidSet expunged_uids;                 // the same as UIDs
  bool new_keywords = false;            // FLAGS is due again: a keyword is used that it did not name
  UidSet added;                         // what `exists` is due for
  std::optional<std::uint32_t> exists;  // set when messages were added
  std::optional<std::uint32_t> recent;  // set when the number of \Recent messages changed
  UidSet changed;                       // their FLAGS are due; all are in the view after
  UidSet silent;                        // likewise, but only to a client that wants MODSEQ, and that alone

  bool empty() const {
    return expunged.empty() && !new_keywords && !exists && !recent && changed.empty() && silent.empty();
  }
};

// What the running command itself did to flags, so that apply() can tell it from what others did.
struct OwnStore {
  enum class Answer {
    silent,  // .SILENT: not reported where the outcome is what the client expects
    told,    // all of `uids` are reported, changed or not
  };
  Answer answer = Answer::told;
  UidSet uids;
  FlagChange change = FlagChange::add;
  Flags flags;
  UidSet refused;            // by UNCHANGEDSINCE: told as they are, so that the client need not ask (RFC 7162 §3.1.3)
  bool conditional = false;  // with UNCHANGEDSINCE: MODSEQ is due even where nothing changed
};

class MailboxView {
 public:
  // `recent_from`: messages of `version` from this UID on are \Recent here; 0: none are.
  MailboxView(storage::MailboxVersionPtr version, Uid recent_from);

  // The messages that the client knows; ghosts included.
  const storage::MailboxVersion& messages() const { return *version_; }
  const storage::MailboxVersionPtr& version() const { return version_; }
  const UidSet& recent() const { return recent_; }
  const UidSet& ghosts() const { return ghosts_; }
  // Whose flags changed without a word to the client.
  const UidSet& withheld() const { return withheld_; }
  // The caller tells them; settled_modseq() follows with the next apply().
  UidSet take_withheld() { return version_->existing(std::exchange(withheld_, UidSet())); }
  bool is_recent(Uid uid) const { return recent_.contains(uid); }
  // Everything up to this one was reported, expunges included: what a client may keep to resynchronize from later.
  // Below facts().highest_modseq while there are ghosts (RFC 7162 §3.2, §6) or withheld flags.
  ModSeq settled_modseq() const { return settled_; }

  // UIDs meant by message numbers as a client wrote them; "n:*" always has the last. Errors: client_bug when another
  // number is above the number of messages, or the mailbox is empty (RFC 9051 §9 seq-number).
  Result<UidSet> resolve_sequence(const SequenceSet& numbers) const;
  // UIDs meant by a uid-set: those of them that are in the view (UIDs that are not are ignored, §6.4.9).
  UidSet resolve_uids(const SequenceSet& numbers) const;

  // Moves the view to `newest` and says what the client must be told. `recent_from`: added messages from
  // this UID on are \Recent here; 0: none are. `own` may be null. `flags_of`: the only messages whose flags may be
  // told, those of others are withheld; null: all may.
  ViewReport apply(storage::MailboxVersionPtr newest, ExpungeRule rule, Uid recent_from, const OwnStore* own = nullptr,
                   const UidSet* flags_of = nullptr);

 private:
  void report_flags(const UidSet& changed, const storage::MailboxVersion& newest, const OwnStore* own,
                    ViewReport& report) const;
  void withhold_flags(const UidSet& told, ViewReport& report);
  std::vector<ViewReport::SeqRange> numbers_of(const UidSet& uids) const;

  storage::MailboxVersionPtr version_;
  UidSet recent_;
  UidSet ghosts_;    // in version_, but expunged
  UidSet withheld_;  // may name messages that are gone
  ModSeq settled_;
};

}  // namespace postkeep::imap
