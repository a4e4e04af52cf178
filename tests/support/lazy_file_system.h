// LazyFileSystem: a FileSystem that leaves out what durability needs, as naive code would. The simulation runs the
// store on it to show that such code is caught.
#pragma once

#include <memory>

#include "storage/file_system.h"

namespace postkeep::test {

enum class Laziness {
  no_sync,              // files and directories are never synced
  rename_before_write,  // content is written and synced only when the file is closed, after it got its name
};

// `real` outlives it. SQLite goes to `real` directly: its own syncs are not left out.
std::unique_ptr<storage::FileSystem> lazy_file_system(storage::FileSystem& real, Laziness laziness);

}  // namespace postkeep::test
