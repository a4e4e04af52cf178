// The FileSystem of production: POSIX calls on the local disk. Made once by the server and by the admin
// commands; everything else sees only storage/file_system.h.
#pragma once

#include <memory>

#include "storage/file_system.h"

namespace postkeep::storage {

// Stateless but for the descriptors of open files and locks; never null.
std::unique_ptr<FileSystem> posix_file_system();

}  // namespace postkeep::storage
