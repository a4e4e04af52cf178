// The schema of index.sqlite, and opening it. Called by storage/maildir_store alone.
// The index is a cache of the Maildir: whatever is wrong with the file, it is put aside and an empty one
// takes its place; the caller fills that from the folders (storage/reconcile).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "protocol/base/result.h"
#include "storage/index/database.h"

namespace postkeep::storage {

class FileSystem;

// Raised with every change to the tables. There are no migrations: an index of another version is rebuilt,
// which costs one reading of the folders.
inline constexpr std::int64_t index_schema_version = 3;

// What the one row of the table `account` says.
struct IndexFacts {
  std::int64_t generation = 0;       // raised with the first write after each opening; see postkeep-account
  bool clean = false;                // closed in good order, so that its counters are the newest
  std::int64_t search_identity = 0;  // of the search.sqlite that goes with it; 0: there is none
};

struct OpenedIndex {
  std::unique_ptr<Database> database;
  IndexFacts facts;
  bool fresh = false;  // made just now: empty
};

// Opens `path`. A file that is damaged, of another schema version, or of a generation before
// `oldest_generation` is renamed to "<path>.aside" (replacing an older one) and made anew.
Result<OpenedIndex> open_index(FileSystem& files, const std::string& path, std::int64_t oldest_generation);

// What open_index() does with a file that it cannot use. The database is closed. No error if it is not there.
Outcome put_index_aside(FileSystem& files, const std::string& path);

// Of IndexFacts this alone.
Outcome save_search_identity(Database& database, std::int64_t identity);
Outcome save_index_facts(Database& database, const IndexFacts& facts);

}  // namespace postkeep::storage
