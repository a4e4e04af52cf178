// What a server asks of its process and machine at start: descriptors, file mode, the kind of file system. Called
// by server/app before anything is opened.
#pragma once

#include <cstdint>
#include <string>

#include "protocol/base/result.h"

namespace postkeep::server {

// umask 077, SIGPIPE ignored, memory arenas bounded by the number of threads that allocate much, what they have free
// kept until return_memory().
void prepare_process(unsigned busy_threads);
// Gives free memory inside the heap back to the machine: what a burst of logins took. Takes some milliseconds.
void return_memory();
// Raises the limit of open files to the hard limit; returns it.
std::uint64_t raise_file_limit();
// Whether the folder is on NFS, SMB or the like, where locks, links and inotify do not do what Maildir and SQLite
// need. The name of the file system, or "".
std::string network_file_system(const std::string& path);

}  // namespace postkeep::server
