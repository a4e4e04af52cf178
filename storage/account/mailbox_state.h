// MailboxState: one mailbox of an open account as the parts of storage/account share it: its index row, its folder
// file, its flag combinations and, once somebody asked, its current version. Held by MailboxList for as long as
// the account is open. An append needs the first two only, so delivering to a large mailbox reads none of it.
//
// Always: what is told (row, version) lies below the floors of the folder file; the version, if there, is what the
// index says.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "protocol/base/result.h"
#include "storage/account/context.h"
#include "storage/index/mailbox_sql.h"
#include "storage/mailbox_version.h"
#include "storage/maildir/folder.h"
#include "storage/maildir/folder_file.h"
#include "storage/maildir/record_file.h"
#include "storage/message_columns.h"

namespace postkeep::storage {

struct MailboxState {
  MailboxName name;
  maildir::MessageFolder folder;
  MailboxRow row;

  bool loaded = false;  // what follows is there
  maildir::MailboxFile file;
  std::shared_ptr<const FlagTable> flag_table;
  std::unordered_map<std::string, FlagCode> codes;  // FlagTable by canonical text
  Flags keywords;                                   // all known here, in the spelling first seen

  MailboxVersionPtr version;                // null: nobody asked yet, or the index had an error
  std::int64_t listing_us = 0;              // what listing the folder and comparing it took last
  std::unique_ptr<MessageColumns> columns;  // null: nobody asked for any yet
  bool records_checked = false;             // postkeep-uids and -keywords end with a whole line

  MailboxState(MailboxName mailbox_name, maildir::MessageFolder mailbox_folder, MailboxRow mailbox_row)
      : name(std::move(mailbox_name)), folder(std::move(mailbox_folder)), row(std::move(mailbox_row)) {}
  MailboxVersion::Facts facts() const;
};

// Reads folder file and flag combinations, once. Errors: corruption of the folder file.
Outcome load_mailbox(AccountContext& context, MailboxState& box);
// The version, read from the index if it is not there. The folder is not looked at.
Result<MailboxVersionPtr> load_version(AccountContext& context, MailboxState& box);
// Makes room below durable floors for `uids` more UIDs and one more modseq. Errors: limit when UIDs run out.
Outcome reserve(AccountContext& context, MailboxState& box, std::uint64_t uids);

// Flags that are about to be used in a mailbox: spellings unified, combinations given codes. Staged, so that a
// rollback leaves the mailbox as it was: add() any number, write() inside the transaction, install() after it.
class FlagStage {
 public:
  explicit FlagStage(MailboxState& box) : box_(box) {}
  // With the spelling that the mailbox knows.
  Flags canonical(const Flags& flags) const;
  // Errors: limit (too many combinations).
  Result<FlagCode> add(const Flags& flags);
  Outcome write(AccountContext& context);
  void install();

 private:
  MailboxState& box_;
  std::vector<std::pair<std::string, Flags>> added_;
};

// May these keywords be used in the mailbox? Errors: limit, when it would have more than StoreOptions::keywords_max.
Outcome check_keywords(const AccountContext& context, const MailboxState& box, const Flags& flags);
// The same, and gives letters to those that are new (durable when it returns), as far as there are free ones.
Outcome define_keywords(AccountContext& context, MailboxState& box, const Flags& flags);

// Appends to postkeep-uids or postkeep-keywords, durable when it returns. After an error the records are not there.
Outcome add_records(AccountContext& context, MailboxState& box, const char* kind,
                    const std::vector<maildir::Record>& records);

// Nothing in memory is believed any more: the folder is listed before the next use, and files that are named with a
// UID from `adopt_from` on are taken in.
void distrust(MailboxState& box, Uid adopt_from);

// Applies a committed change to counters' owner: sets the row and moves the version on.
void advance(MailboxState& box, MailboxRow row, const std::vector<MessageState>& changed, const UidSet& removed);

// The counters of `row` with one message more or less.
void count_in(MailboxRow& row, const Flags& flags, std::uint64_t octets);
void count_out(MailboxRow& row, const Flags& flags, std::uint64_t octets);
void count_change(MailboxRow& row, const Flags& before, const Flags& after);

}  // namespace postkeep::storage
