// The generation of an account's index stands in the name of an empty file, "postkeep-generation.<n>": one rename
// raises it, which no power cut can tear. An index of an older generation, from a backup say, is known by it. Older
// programs kept it in postkeep-account; the greater of the two holds. Used by storage/account.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "storage/file_system.h"

namespace postkeep::storage::maildir {

inline constexpr char generation_file_prefix[] = "postkeep-generation.";

// The greatest generation among `names`, those in the account's directory; 0 if there is none.
std::uint64_t generation_among(const std::vector<std::string>& names);

// From `before`, 0 if there is no such file, to `now`. Durable with the next sync of the account's directory.
Outcome raise_generation(FileSystem& files, const std::string& account_path, std::uint64_t before, std::uint64_t now);

}  // namespace postkeep::storage::maildir
