// The steps of which scenarios are made: what a client, a mail server or another program does to an account.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/sim/scenario.h"

namespace postkeep::test {

// The message of that number, as served.
std::string content(int number);
std::vector<std::string> contents(std::initializer_list<int> numbers);
Flags flags_of(std::initializer_list<const char*> names);

struct Mail {
  int number = 0;
  Flags flags;
  std::optional<std::int64_t> internal_date;
};
Result<std::vector<Uid>> append(Machine& machine, const std::string& mailbox, const std::vector<Mail>& mails);

// --- What is asked of the store; mailboxes are addresses, as tests/support/sim/machine.h has them ---

Step append_step(std::string mailbox, std::vector<Mail> mails);
Step receive_step(int number);  // into the spool, once for all who get it
// Gives a mailbox what was received: a step of its own, since each recipient has an answer of its own.
Step deliver_step(std::string mailbox, int number, std::optional<std::int64_t> internal_date = std::nullopt);
Step store_step(std::vector<std::string> messages, FlagChange change, Flags flags);  // in INBOX
Step expunge_step(std::vector<std::string> messages);                                // in INBOX
enum class Transfer { copy, move };
// From INBOX, in the order of UIDs.
Step transfer_step(Transfer transfer, std::vector<std::string> messages, std::string target);
// Of a message in INBOX, by a new one in `target`. Both may be left where it was not answered, never none.
Step replace_step(int number, std::string target, Mail mail);
Step create_step(std::string mailbox, SpecialUse special_use = SpecialUse::none);  // with its superiors
Step delete_step(std::string mailbox);
Step rename_step(std::string from, std::string to);  // with the mailboxes below it; INBOX: its messages go
Step subscribe_step(std::string mailbox);
Step unsubscribe_step(std::string mailbox);
Step special_use_step(std::string mailbox, SpecialUse special_use);
Step quota_step(std::optional<std::uint64_t> messages);  // anna's own limit
Step open_step(const std::string& user);                 // whose account is made when it is opened first
Step rename_user_step(const std::string& from, const std::string& to);
Step defaults_step();  // the first login's mailboxes: Drafts and Sent, made and subscribed, once in an account's life
// Flags to names, unlinks: whatever is due while nobody asks for anything.
Step background_step();
Step first_background_step();  // only the first slice of it

// --- What another program does to anna's INBOX, durably; the account is asked to look afterwards ---

// 1 to 6 are ours, by UID; others are those of deliver_foreign().
void deliver_foreign(SimulatedDisk& disk, int number, const std::string& path);  // with bare LF
Step foreign_deliver_step(int number);
Step foreign_flag_step(int number, SystemFlag flag);
Step foreign_base_step(int number);    // another name, with our tag still in it
Step foreign_unlink_step(int number);  // also of what is expunged and still there

}  // namespace postkeep::test
