// Layout: where a mailbox lies on disk. Maildir++: INBOX is the account's directory itself, every other mailbox a
// directory in it whose name starts with a dot and has '.' where the mailbox name has '/'.
//
//   INBOX -> ""    Sent -> ".Sent"    A/B -> ".A.B"    v1.0 -> ".v1&AC4-0"    Entwürfe -> ".Entw&APw-rfe"
//
// Used by the store, reconciliation and the admin commands. Pure but for list_folders.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/mail/mailbox_name.h"
#include "storage/file_system.h"

namespace postkeep::storage::maildir {

inline constexpr std::size_t directory_name_octets_max = 250;  // file systems allow 255

// The directory of a mailbox within its account's; "" for INBOX. Components are in modified UTF-7 with '.', '~',
// and control characters shifted too. Errors: cannot, if the result is over directory_name_octets_max.
Result<std::string> folder_directory(const MailboxName& name);
// The inverse. nullopt for what folder_directory would not have made: no leading dot, bad UTF-7, ".INBOX".
std::optional<MailboxName> mailbox_of_directory(std::string_view directory);

// The directory of a user below <data_dir>/mail: bytes other than letters, digits and "@+=_-", and dots except
// inside, are percent-encoded. Errors: cannot, if it is empty or over directory_name_octets_max.
Result<std::string> user_directory(std::string_view user);
std::optional<std::string> user_of_directory(std::string_view directory);

struct Folder {
  MailboxName name;
  std::string directory;  // within the account's; "" for INBOX
};
struct FolderListing {
  std::vector<Folder> folders;       // INBOX first, the others by name
  std::vector<std::string> ignored;  // directories with a leading dot whose names cannot be read
};
// The folders of an account: one list and one info call for each name with a leading dot. Errors: not_found.
Result<FolderListing> list_folders(FileSystem& files, const std::string& account_path);

// "<account>/<directory>", or "<account>" for INBOX.
std::string folder_path(const std::string& account_path, const std::string& directory);

}  // namespace postkeep::storage::maildir
