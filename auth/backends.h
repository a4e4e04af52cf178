// THE table of backends, which keep users: adding one is a UserDirectory in auth/<name>.{h,cpp} and a row
// (docs/add-auth-backend.md). The setting auth.backends names them in order.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/passwd_file.h"
#include "auth/user_directory.h"
#include "storage/account_store.h"
#include "storage/file_system.h"

namespace postkeep::auth {

// What a backend may use. `files` and `clock` outlive it.
struct BackendEnvironment {
  storage::FileSystem& files;
  storage::Clock& clock;
  std::string data_dir;
  BackendReport report;  // may be empty
};

struct BackendRow {
  std::string_view name;                        // "database", "passwd-file:/path": what stands before the colon
  std::string_view argument;                    // what stands behind it, for the documentation; empty: nothing may
  Outcome (*check)(std::string_view argument);  // before anything is opened; errors: cannot
  Result<std::unique_ptr<UserDirectory>> (*open)(const BackendEnvironment& environment, std::string_view argument);
  std::string_view doc;
};

std::span<const BackendRow> backends();

// Whether such a backend is there and takes the argument. Errors: cannot, with the reason.
Outcome check_backend(std::string_view spec);
// All of them as one directory, asked in this order. Errors: those of check_backend() and of opening.
Result<std::unique_ptr<UserDirectory>> open_backends(const std::vector<std::string>& specs,
                                                     const BackendEnvironment& environment);

}  // namespace postkeep::auth
