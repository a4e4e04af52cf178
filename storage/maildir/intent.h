// Intent: a change of several files that is under way, written down before it begins so that recovery can carry it on
// or undo it: <account>/postkeep-intent.<n>. Durable before the first link or rename, removed after the index commit.
// Used by the store and its recovery.
//
//   postkeep-intent 1
//   kind copy
//   source .Sent
//   target .Archive
//   message 5 1005 1700.V1.host,S=9,P=64-5:2,S 1800.V2.host,S=9,P=99-3ed:2,S
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/mail/ids.h"
#include "storage/file_system.h"
#include "storage/maildir/text_file.h"

namespace postkeep::storage::maildir {

inline constexpr char intent_file_name[] = "postkeep-intent";
inline constexpr std::size_t intent_file_octets_max = 256 * 1024 * 1024;

// A value. append and copy are undone by recovery (the targets are removed), move and rename are carried on.
struct Intent {
  enum class Kind { append, copy, move, rename };
  struct Entry {
    Uid source_uid;           // 0 for append; rename: the folder's UIDVALIDITY, which no other folder ever gets
    Uid target_uid;           // 0 for rename
    std::string source_name;  // file name in the source folder's cur/; rename: directory within the account
    std::string target_name;  // likewise in the target; rename: its new name
    bool operator==(const Entry&) const = default;
  };
  Kind kind = Kind::append;
  std::string source;  // directory within the account, "" for INBOX and where it means nothing
  std::string target;
  std::vector<Entry> entries;
  Lines unknown;

  std::string render() const;
  static Result<Intent> parse(std::string_view text);  // errors: corruption
  bool operator==(const Intent&) const = default;
};

// An intent on disk.
struct StoredIntent {
  std::uint64_t number = 0;
  Intent intent;
};
struct IntentListing {
  std::vector<StoredIntent> intents;  // ascending by number
  // Those that cannot be read. One that was torn was never durable, so nothing was begun on its account.
  std::vector<std::string> torn;  // paths
};

// Writes <account>/postkeep-intent.<number>, durably. Errors: already_exists, those of the file system; then the file
// is gone again as far as possible.
Outcome write_intent(FileSystem& files, const std::string& account_path, std::uint64_t number, const Intent& intent);
// Removes it; the removal is made durable by the next sync of the account's directory, or here.
enum class Durable { now, later };
Outcome remove_intent(FileSystem& files, const std::string& account_path, std::uint64_t number, Durable durable);
// All intents of an account; `names` are those in its directory.
Result<IntentListing> list_intents(FileSystem& files, const std::string& account_path);
Result<IntentListing> list_intents(FileSystem& files, const std::string& account_path,
                                   const std::vector<std::string>& names);

}  // namespace postkeep::storage::maildir
