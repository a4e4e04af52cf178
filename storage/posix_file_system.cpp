#include "storage/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

namespace postkeep::storage {
namespace {

constexpr mode_t file_mode = 0600;
constexpr mode_t directory_mode = 0700;

tl::unexpected<Error> failed(std::string_view call, const std::string& path) {
  return tl::unexpected<Error>(error_of_errno(errno, call, path));
}

// Repeats a call that a signal interrupted.
template <class Call>
auto retried(Call&& call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

FileInfo info_from(const struct stat& s) {
  FileInfo info;
  if (S_ISREG(s.st_mode)) info.type = FileInfo::Type::regular;
  if (S_ISDIR(s.st_mode)) info.type = FileInfo::Type::directory;
  info.size = static_cast<std::uint64_t>(s.st_size);
  info.modified = FileTime(std::chrono::seconds(s.st_mtim.tv_sec) + std::chrono::nanoseconds(s.st_mtim.tv_nsec));
  info.inode = s.st_ino;
  info.links = s.st_nlink;
  info.mode = s.st_mode & 07777;
  return info;
}

// Access time left alone, modification time set.
struct Times {
  timespec values[2];
  explicit Times(FileTime time) : values{} {
    const auto whole = std::chrono::floor<std::chrono::seconds>(time);
    values[0].tv_nsec = UTIME_OMIT;
    values[1].tv_sec = whole.time_since_epoch().count();
    values[1].tv_nsec = (time - whole).count();
  }
};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ != -1) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

class PosixFile final : public File {
 public:
  PosixFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> buffer) override {
    const ssize_t got =
        retried([&] { return ::pread(fd_.get(), buffer.data(), buffer.size(), static_cast<off_t>(offset)); });
    if (got == -1) return failed("read", path_);
    return static_cast<std::size_t>(got);
  }

  Outcome append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = retried([&] { return ::write(fd_.get(), bytes.data(), bytes.size()); });
      if (written == -1) return failed("write", path_);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }

  // fsync and not fdatasync: the modification time is the message's INTERNALDATE.
  // Not repeated on EINTR either: whatever it says, the first answer stands.
  Outcome sync() override {
    if (::fsync(fd_.get()) == -1) return failed("fsync", path_);
    return {};
  }

  Outcome truncate(std::uint64_t size) override {
    if (retried([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }) == -1) {
      return failed("ftruncate", path_);
    }
    return {};
  }

  Outcome set_modified(FileTime time) override {
    if (::futimens(fd_.get(), Times(time).values) == -1) return failed("futimens", path_);
    return {};
  }

  Result<FileInfo> info() override {
    struct stat s {};
    if (::fstat(fd_.get(), &s) == -1) return failed("fstat", path_);
    return info_from(s);
  }

  // Only a beginning, on which nothing relies: sync() waits for it, and says if it failed.
  void begin_writing() { (void)::sync_file_range(fd_.get(), 0, 0, SYNC_FILE_RANGE_WRITE); }

 private:
  Descriptor fd_;
  std::string path_;
};

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;  // closing it releases the lock
};

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open_read(const std::string& path) override {
    // O_NONBLOCK: a FIFO that somebody put among the mail must not stop a thread.
    return open("open", path, O_RDONLY | O_NONBLOCK);
  }

  Result<bool> read_exactly(const std::string& path, std::size_t octets, std::string& out) override {
    const Descriptor fd(retried([&] { return ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); }));
    if (fd.get() == -1) return failed("open", path);
    const std::size_t before = out.size();
    out.resize(before + octets + 1);  // one more, so that a larger file is seen to be larger
    // pread: what is no file is refused, so that nobody has to ask. What is read in pieces counts as of another size.
    const ssize_t got = retried([&] { return ::pread(fd.get(), out.data() + before, octets + 1, 0); });
    const int error = errno;
    const bool whole = got >= 0 && static_cast<std::size_t>(got) == octets;
    out.resize(whole ? before + octets : before);
    if (got == -1) return tl::unexpected<Error>(error_of_errno(error, "read", path));
    return whole;
  }

  Result<std::unique_ptr<File>> create(const std::string& path, Existing existing) override {
    int flags = O_RDWR | O_CREAT | O_APPEND;
    if (existing == Existing::fail) flags |= O_EXCL;
    if (existing == Existing::truncate) flags |= O_TRUNC;
    return open("create", path, flags);
  }

  // The disk has all of them to write before the first is waited for.
  Outcome sync_together(std::span<File* const> files) override {
    for (File* file : files) static_cast<PosixFile*>(file)->begin_writing();
    return FileSystem::sync_together(files);
  }

  Outcome make_directory(const std::string& path) override {
    return ::mkdir(path.c_str(), directory_mode) == -1 ? failed("mkdir", path) : Outcome();
  }

  Outcome remove_directory(const std::string& path) override {
    return ::rmdir(path.c_str()) == -1 ? failed("rmdir", path) : Outcome();
  }

  Outcome rename(const std::string& from, const std::string& to) override {
    return ::rename(from.c_str(), to.c_str()) == -1 ? failed("rename", from + " to " + to) : Outcome();
  }

  Outcome rename_new(const std::string& from, const std::string& to) override {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
    if (errno != EINVAL && errno != ENOSYS) return failed("rename_new", from + " to " + to);
    // File systems without RENAME_NOREPLACE: for a file, link and unlink; a directory has no second
    // name, and rename() refuses by itself to replace one that is not empty.
    const FileInfo source = TRY(info(from));
    if (source.type == FileInfo::Type::directory) {
      if (info(to)) return tl::unexpected<Error>(error_of_errno(EEXIST, "rename_new", to));
      return rename(from, to);
    }
    TRY(link(from, to));
    return unlink(from);
  }

  Outcome link(const std::string& from, const std::string& to) override {
    return ::link(from.c_str(), to.c_str()) == -1 ? failed("link", from + " to " + to) : Outcome();
  }

  Outcome unlink(const std::string& path) override {
    return ::unlink(path.c_str()) == -1 ? failed("unlink", path) : Outcome();
  }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    DIR* stream = ::opendir(directory.c_str());
    if (stream == nullptr) return failed("opendir", directory);
    const std::unique_ptr<DIR, int (*)(DIR*)> closer(stream, ::closedir);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    if (errno != 0) return failed("readdir", directory);
    return names;
  }

  Result<FileInfo> info(const std::string& path) override {
    struct stat s {};
    if (::stat(path.c_str(), &s) == -1) return failed("stat", path);
    return info_from(s);
  }

  Outcome set_modified(const std::string& path, FileTime time) override {
    return ::utimensat(AT_FDCWD, path.c_str(), Times(time).values, 0) == -1 ? failed("utimensat", path) : Outcome();
  }

  Outcome sync_directory(const std::string& path) override {
    const Descriptor fd(retried([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (fd.get() == -1) return failed("open directory", path);
    if (::fsync(fd.get()) == -1) return failed("fsync directory", path);
    return {};
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    Descriptor fd(retried([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, file_mode); }));
    if (fd.get() == -1) return failed("open lock", path);
    if (retried([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) == -1) return failed("flock", path);
    return std::make_unique<PosixLock>(std::move(fd));
  }

  const char* sqlite_vfs() const override { return nullptr; }

 private:
  static Result<std::unique_ptr<File>> open(std::string_view call, const std::string& path, int flags) {
    Descriptor fd(retried([&] { return ::open(path.c_str(), flags | O_CLOEXEC, file_mode); }));
    if (fd.get() == -1) return failed(call, path);
    struct stat s {};
    if (::fstat(fd.get(), &s) == -1) return failed("fstat", path);
    if (!S_ISREG(s.st_mode)) return tl::unexpected<Error>(error_of_errno(EINVAL, call, path));
    return std::make_unique<PosixFile>(std::move(fd), path);
  }
};

}  // namespace

std::unique_ptr<FileSystem> posix_file_system() { return std::make_unique<PosixFileSystem>(); }

}  // namespace postkeep::storage
