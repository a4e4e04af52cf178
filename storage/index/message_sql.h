// Rows about messages in index.sqlite: flags and modseq, files, cached answers, work left for later.
// Called by storage/account and its parts. Plain statements: transactions are the caller's. `key` is
// MailboxRow::key.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/mail/date_time.h"
#include "protocol/mail/ids.h"
#include "protocol/mail/uid_set.h"
#include "storage/index/database.h"
#include "storage/mailbox_version.h"

namespace postkeep::storage {

enum class Place { cur = 0, fresh = 1 };      // cur/ or new/
enum class Origin { ours = 0, foreign = 1 };  // foreign: named by others, line ends converted when served

inline constexpr std::int64_t served_unknown = -1;

// A message's file; the table `file`.
struct FileRow {
  Uid uid;
  Place place = Place::cur;
  std::string name;  // as last written or seen
  Origin origin = Origin::ours;
  UnixTime internal_date;
  UnixTime save_date;
  std::uint64_t octets = 0;              // of the file
  std::int64_t served = served_unknown;  // RFC822.SIZE
};

// What can be computed from the message alone; the table `cache`.
struct CacheRow {
  EmailId email_id;
  ThreadId thread_id;
  bool ends_in_crlf = true;  // as served; true of a message without octets
  std::string envelope;
  std::string body_structure;
  std::optional<std::string> headers;
};

// Work for background_step().
// text: what search.sqlite must take in or let go; the newest first.
enum class Work { flags, unlink, cache, text };

struct MessageKey {
  std::int64_t key = 0;
  Uid uid;
};

// All messages of the mailbox, ascending. `visit` must not change the index.
Outcome visit_messages(Database& database, std::int64_t key, const std::function<void(const MessageState&)>& visit);
// Messages with this UID or a larger one; costs what it counts.
Result<std::uint32_t> count_messages_from(Database& database, std::int64_t key, Uid first);
Result<bool> has_message(Database& database, std::int64_t key, Uid uid);
Outcome put_message(Database& database, std::int64_t key, const MessageState& message);
// The messages' rows in `message`, `cache` and the work lists but that of texts; their file rows stay until the files
// are gone. Costs a few statements for each range of UIDs.
Outcome remove_messages(Database& database, std::int64_t key, const UidSet& uids);

Outcome put_file(Database& database, std::int64_t key, const FileRow& file);
Result<std::optional<FileRow>> find_file(Database& database, std::int64_t key, Uid uid);
Result<std::vector<FileRow>> load_files(Database& database, std::int64_t key, const UidSet& uids);  // ascending
// The names of all files of a mailbox, ascending by UID, valid during the call.
Outcome visit_file_names(Database& database, std::int64_t key,
                         const std::function<void(Place place, std::string_view name)>& visit);
// Of the rows of `file` what does not change while there is the message, ascending, without a copy of anything else.
struct FileFacts {
  Uid uid;
  UnixTime internal_date;
  UnixTime save_date;
  std::int64_t served = served_unknown;
};
// `visit` must not change the index.
Outcome visit_file_facts(Database& database, std::int64_t key, const UidSet& uids,
                         const std::function<void(const FileFacts&)>& visit);
// CacheRow::headers alone, likewise. The view is valid during the call.
Outcome visit_headers(Database& database, std::int64_t key, const UidSet& uids,
                      const std::function<void(Uid, const std::optional<std::string_view>&)>& visit);
Outcome set_file_name(Database& database, std::int64_t key, Uid uid, Place place, const std::string& name);
Outcome set_served(Database& database, std::int64_t key, Uid uid, std::uint64_t octets);
Outcome remove_file(Database& database, std::int64_t key, Uid uid);
Outcome remove_files(Database& database, std::int64_t key, const UidSet& uids);

Outcome put_cache(Database& database, std::int64_t key, Uid uid, const CacheRow& row);
Result<std::optional<CacheRow>> find_cache(Database& database, std::int64_t key, Uid uid);
Outcome remove_cache(Database& database, std::int64_t key, Uid uid);
// CacheRow::ends_in_crlf alone, for listings that want nothing else of the row.
Result<std::optional<bool>> find_line_end(Database& database, std::int64_t key, Uid uid);

// The messages of `uids`, in ascending order, have copies in `to_key` from `first` on: gives those what `cache` has, or
// Work::cache.
Outcome copy_cache(Database& database, std::int64_t key, const UidSet& uids, std::int64_t to_key, Uid first);

Outcome add_work(Database& database, Work work, std::int64_t key, Uid uid);
// Work::unlink for messages that remove_messages() has not taken yet.
Outcome add_unlinks(Database& database, std::int64_t key, const UidSet& uids);
Outcome remove_work(Database& database, Work work, std::int64_t key, Uid uid);
Result<std::vector<MessageKey>> next_work(Database& database, Work work, std::int64_t limit);
Result<UidSet> work_of_mailbox(Database& database, Work work, std::int64_t key, Uid first = Uid(0),
                               Uid last = Uid(~std::uint32_t{0}));
// Work::text for the next `limit` messages before this one, whatever their mailbox; the last of them, none at the end.
Result<std::optional<MessageKey>> add_text_work_below(Database& database, MessageKey before, std::int64_t limit);
Result<bool> has_work(Database& database, Work work);

}  // namespace postkeep::storage
