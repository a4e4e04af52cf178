// AccountFile and MailboxFile: what postkeep-account and postkeep-mailbox hold: all that the messages themselves
// do not tell and that must outlive the index. docs/on-disk-format.md shows them. Replaced whole
// (storage/file_system.h replace_file), never written in place. Used by the store.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "protocol/base/result.h"
#include "protocol/mail/ids.h"
#include "protocol/mail/mailbox_name.h"
#include "storage/file_system.h"
#include "storage/maildir/name.h"
#include "storage/maildir/text_file.h"

namespace postkeep::storage::maildir {

inline constexpr char account_file_name[] = "postkeep-account";
inline constexpr char mailbox_file_name[] = "postkeep-mailbox";
inline constexpr std::size_t folder_file_octets_max = 8 * 1024 * 1024;

// RFC 5464: entry name ("/private/comment") to value.
using Metadata = std::map<std::string, std::string>;

// A value.
struct AccountFile {
  std::uint64_t generation = 0;         // of the index that belongs to these files; an index with another is old
  UidValidity uid_validity_floor;       // all UIDVALIDITYs ever given in this account lie below
  std::uint64_t mailbox_id_floor = 1;   // all mailbox ids ever given lie below
  bool defaults_made = false;           // the special-use mailboxes of a first login were made
  std::set<std::string> subscriptions;  // mailbox names in UTF-8
  std::optional<std::uint64_t> quota_octets, quota_messages;  // instead of those of all accounts; 0: no limit
  Metadata metadata;
  Lines unknown;  // lines of a newer version, kept

  std::string render() const;
  static Result<AccountFile> parse(std::string_view text);  // errors: corruption
  bool operator==(const AccountFile&) const = default;
};

// A value.
struct MailboxFile {
  UidValidity uid_validity;
  MailboxId id;
  SpecialUse special_use = SpecialUse::none;
  std::uint64_t uid_floor = 1;     // all UIDs ever told lie below; up to 2^32
  std::uint64_t modseq_floor = 1;  // likewise
  // Keyword of letter 'a' + i; "" where the letter is free. Never reassigned while a name may use it.
  std::array<std::string, keyword_letters_max> keywords;
  Metadata metadata;
  Lines unknown;

  std::string render() const;
  static Result<MailboxFile> parse(std::string_view text);  // errors: corruption
  // The letter's index of a keyword, compared without ASCII case.
  std::optional<int> letter_of(std::string_view keyword) const;
  bool operator==(const MailboxFile&) const = default;
};

// Reading and replacing. Errors: not_found, corruption, those of the file system. Writing is durable.
Result<AccountFile> read_account_file(FileSystem& files, const std::string& account_path);
Outcome write_account_file(FileSystem& files, const std::string& account_path, const AccountFile& file);
Result<MailboxFile> read_mailbox_file(FileSystem& files, const std::string& folder_path);
Outcome write_mailbox_file(FileSystem& files, const std::string& folder_path, const MailboxFile& file);

}  // namespace postkeep::storage::maildir
