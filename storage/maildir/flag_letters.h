// Flags of a message to the letters of its file's name and back, by the folder's keyword table. What has no letter
// goes to postkeep-keywords. docs/on-disk-format.md, "Flags". Pure; used by the store and reconciliation.
#pragma once

#include <string>
#include <vector>

#include "protocol/mail/flags.h"
#include "storage/maildir/folder_file.h"
#include "storage/maildir/name.h"

namespace postkeep::storage::maildir {

// The one keyword that Maildir has a letter for: P, "passed".
inline constexpr char forwarded_keyword[] = "$Forwarded";

// The letters for `flags`. What `before` has that means nothing here (unknown letters, letters without a keyword)
// is kept.
NameFlags letters_of(const MailboxFile& table, const Flags& flags, const NameFlags& before = {});
// The keywords of `flags` that have no letter, in order.
std::vector<std::string> keywords_without_letter(const MailboxFile& table, const Flags& flags);
// The inverse; letters that have no keyword in the table are passed over.
Flags flags_of(const MailboxFile& table, const NameFlags& letters);

// `ours` with the flags in which `theirs` differs from `agreed` taken from `theirs`: what another program changed
// wins for that flag, the rest stays ours.
Flags merge_foreign(const Flags& ours, const Flags& agreed, const Flags& theirs);

}  // namespace postkeep::storage::maildir
