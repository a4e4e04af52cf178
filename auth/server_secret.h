// The server's own secret, <data_dir>/auth-secret: 32 random octets, made once. What must look random to others and be
// the same tomorrow is derived from it (the SCRAM keys of users who have none). Losing it costs nothing but that.
#pragma once

#include <string_view>

#include "auth/password_hash.h"
#include "protocol/base/result.h"
#include "protocol/base/secret.h"
#include "storage/file_system.h"

namespace postkeep::auth {

// Reads it, or makes it durably, mode 0600. The caller owns data_dir. Errors: corruption (the file is something else),
// and those of the file system.
Result<Secret> server_secret(storage::FileSystem& files, std::string_view data_dir,
                             RandomSource random = system_random);

}  // namespace postkeep::auth
