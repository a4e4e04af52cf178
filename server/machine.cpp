#include "server/machine.h"

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <csignal>

namespace postkeep::server {
namespace {

// Up to this a block comes from the heap, and so much free memory at the end of each arena stays until return_memory().
constexpr int heap_block_octets_max = 32 * 1024 * 1024;  // as large as the C library allows
constexpr int heap_octets_kept = 32 * 1024 * 1024;

}  // namespace

void prepare_process(unsigned busy_threads) {
  ::umask(077);
  std::signal(SIGPIPE, SIG_IGN);
  // Each arena keeps its own free memory; with one for each of 40 threads most of it would lie idle.
  ::mallopt(M_ARENA_MAX, static_cast<int>(busy_threads));
  // A THREAD of 10,000 messages takes some 2 MB and frees them. The C library gave them back after each command or kept
  // them, as the larger blocks of earlier ones had it, and to have each page again cost more than the threads. The same
  // holds for the 19 MiB of Argon2id.
  ::mallopt(M_MMAP_THRESHOLD, heap_block_octets_max);
  ::mallopt(M_TRIM_THRESHOLD, heap_octets_kept);
  // Where a system has transparent huge pages everywhere, it puts 2 MiB in place of the few pages that are left of a
  // heap after a burst, some seconds after they were given back: what an idle connection costs would double.
  ::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

void return_memory() { ::malloc_trim(0); }

std::uint64_t raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

std::string network_file_system(const std::string& path) {
  struct statfs info {};
  if (::statfs(path.c_str(), &info) != 0) return {};
  struct Known {
    std::uint32_t magic;  // statfs(2)
    const char* name;
  };
  static constexpr Known known[] = {
      {0x6969, "nfs"},      {0x517B, "smb"},        {0xFF534D42, "cifs"},  {0xFE534D42, "smb2"}, {0x5346414F, "afs"},
      {0x00C36400, "ceph"}, {0x01021997, "9p"},     {0x7461636F, "ocfs2"}, {0x01161970, "gfs2"}, {0x73757245, "coda"},
      {0x564C, "ncp"},      {0x0BD00BD0, "lustre"}, {0x47504653, "gpfs"},
  };
  for (const Known& each : known) {
    if (static_cast<std::uint32_t>(info.f_type) == each.magic) return each.name;
  }
  return {};
}

}  // namespace postkeep::server
