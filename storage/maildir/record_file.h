// postkeep-uids and postkeep-keywords: append-only files of one folder, one record a line, each line with its own
// checksum, so that a line that a power cut tore is known for what it is. A record counts once it was synced; nobody
// is told a UID before that. Used by the store and reconciliation.
//
//   postkeep-uids 1                      postkeep-keywords 1
//   uid 17 1700000000.V5.host ~1f3a5b7c  keywords 17 $Work later ~1f3a5b7c
//   gone 3 9 ~0e2f4a6b
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/mail/ids.h"
#include "storage/file_system.h"

namespace postkeep::storage::maildir {

inline constexpr char uids_file_name[] = "postkeep-uids";
inline constexpr char keywords_file_name[] = "postkeep-keywords";
inline constexpr std::size_t record_file_octets_max = 256 * 1024 * 1024;

// A file that another program named has this UID.
struct UidRecord {
  Uid uid;
  std::string base;  // FileName::base
  bool operator==(const UidRecord&) const = default;
};
// These UIDs were expunged: no file has them, whatever its name says.
struct GoneRecord {
  Uid first;
  Uid last;  // inclusive
  bool operator==(const GoneRecord&) const = default;
};
// The message's keywords beyond the folder's 26 letters, all of them: the last record of a UID counts.
struct KeywordsRecord {
  Uid uid;
  std::vector<std::string> keywords;
  bool operator==(const KeywordsRecord&) const = default;
};
using Record = std::variant<UidRecord, GoneRecord, KeywordsRecord>;

// One line, its line end included.
std::string render_record(const Record& record);

struct RecordFile {
  std::vector<Record> records;
  // Lines that are torn or damaged. The good ones before and after them are in `records`. The caller replaces the
  // file (rewrite_records) before it appends again.
  std::size_t damaged_lines = 0;
  std::uint64_t octets = 0;  // of the file: when to rewrite it shorter
};

// Pure. Never fails: lines that cannot be read are counted. Records of a newer version count as damaged.
RecordFile parse_records(std::string_view kind, std::string_view text);

// A file that is not there has no records. Errors: those of the file system; too_big.
Result<RecordFile> read_records(FileSystem& files, const std::string& folder_path, const char* kind);
// Appends and syncs; makes the file, and syncs its directory, if it is not there. After an error the file may end
// with a torn line or with records that were not promised: read again before the next append.
Outcome append_records(FileSystem& files, const std::string& folder_path, const char* kind,
                       const std::vector<Record>& records);
// Replaces the whole file, durably.
Outcome rewrite_records(FileSystem& files, const std::string& folder_path, const char* kind,
                        const std::vector<Record>& records);

}  // namespace postkeep::storage::maildir
