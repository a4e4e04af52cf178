// FileSystem: every touch of the disk that storage/ makes. Production is storage/posix_file_system;
// tests use tests/support/simulated_disk, which fails calls and cuts the power.
// Blocking; safe to use from several threads at once; a File belongs to one thread at a time
// (read_at on one File may run in several).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/mail/date_time.h"

namespace postkeep::storage {

// Nanoseconds since the epoch, as file times have them.
using FileTime = std::chrono::sys_time<std::chrono::nanoseconds>;
inline FileTime file_time(UnixTime time) { return FileTime(std::chrono::seconds(time.seconds)); }
inline UnixTime unix_time(FileTime time) {
  return UnixTime{std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count()};
}

struct FileInfo {
  enum class Type { regular, directory, other };
  Type type = Type::other;
  std::uint64_t size = 0;  // octets
  FileTime modified{};
  std::uint64_t inode = 0;
  std::uint64_t links = 0;
  std::uint32_t mode = 0;  // permission bits, 07777
};

// An open regular file. Closed by the destructor; closing says nothing about durability.
class File {
 public:
  virtual ~File() = default;
  // Reads up to buffer.size() octets at offset; 0 at the end of the file.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> buffer) = 0;
  // Appends all of `bytes` or fails (over_quota for ENOSPC and EDQUOT, else unavailable).
  virtual Outcome append(std::string_view bytes) = 0;
  // Makes content and size durable. A failure is final: the caller throws the file away (fsync after a
  // failed fsync may report success for lost pages).
  virtual Outcome sync() = 0;
  virtual Outcome truncate(std::uint64_t size) = 0;
  virtual Outcome set_modified(FileTime time) = 0;
  virtual Result<FileInfo> info() = 0;
};

// An exclusive advisory lock on a file, held until destroyed (or until the process ends).
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// Errors of all calls: not_found (ENOENT, ENOTDIR), already_exists (EEXIST, ENOTEMPTY), over_quota (ENOSPC,
// EDQUOT), in_use (lock held), no_permission, unavailable (anything else); `detail` has call, path and errno text.
// Paths are absolute, or relative to the working directory. No call but the sync ones makes anything durable.
class FileSystem {
 public:
  enum class Existing { fail, truncate, append };  // what create() does if the path is there

  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> open_read(const std::string& path) = 0;
  // The whole of a regular file that has exactly `octets`, appended to `out`. False: it has another size; `out` is as
  // it was. As few system calls as it takes: for small files by the thousand.
  virtual Result<bool> read_exactly(const std::string& path, std::size_t octets, std::string& out);
  virtual Result<std::unique_ptr<File>> create(const std::string& path, Existing existing) = 0;  // mode 0600
  // sync() of each of these files of this file system, which ask the disk together. An error is one of any of them.
  virtual Outcome sync_together(std::span<File* const> files);
  virtual Outcome make_directory(const std::string& path) = 0;                 // mode 0700
  virtual Outcome remove_directory(const std::string& path) = 0;               // must be empty
  virtual Outcome rename(const std::string& from, const std::string& to) = 0;  // replaces `to`
  // Fails with already_exists instead of replacing (RENAME_NOREPLACE).
  virtual Outcome rename_new(const std::string& from, const std::string& to) = 0;
  virtual Outcome link(const std::string& from, const std::string& to) = 0;  // already_exists if `to` is
  virtual Outcome unlink(const std::string& path) = 0;
  // Names in a directory without "." and "..", in no order.
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
  virtual Result<FileInfo> info(const std::string& path) = 0;
  virtual Outcome set_modified(const std::string& path, FileTime time) = 0;
  // Makes the entries of a directory durable: what was created, renamed, linked, unlinked in it before.
  virtual Outcome sync_directory(const std::string& path) = 0;
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;  // in_use if held by another
  // The name of the SQLite VFS over this file system; nullptr for SQLite's own default.
  virtual const char* sqlite_vfs() const = 0;
};

// The Error for a failed call: kinds as listed above, `detail` from call, path and errno text.
Error error_of_errno(int error_number, std::string_view call, std::string_view path);
// The whole of a small file (folder files, config); too_big above `limit` octets.
Result<std::string> read_file(FileSystem& files, const std::string& path, std::size_t limit);
// Replaces a file so that after a power cut either the old or the new content is there: write to
// "<path>.new", sync, rename, sync of the directory.
Outcome replace_file(FileSystem& files, const std::string& path, std::string_view content);
// "a/b/c" -> "a/b"; "." where there is no slash.
std::string parent_directory(std::string_view path);

}  // namespace postkeep::storage
