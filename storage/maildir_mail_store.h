// The backend "maildir": Maildir++ on the file system, one SQLite index per user. See storage/README.md for its
// promises and docs/on-disk-format.md for what it writes. Row of storage/backends.cpp.
#pragma once

#include <memory>

#include "protocol/base/result.h"
#include "storage/account_store.h"

namespace postkeep::storage {

// Makes <data_dir>/mail and <data_dir>/spool. `files` and `clock` outlive the store. The caller holds <data_dir>/lock:
// what lies in the spool is left from an earlier run and is removed.
Result<std::unique_ptr<MailStore>> open_maildir_store(StoreOptions options, FileSystem& files, Clock& clock);

}  // namespace postkeep::storage
