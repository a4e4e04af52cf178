#include "tests/support/lazy_file_system.h"

#include <optional>
#include <utility>

namespace postkeep::test {
namespace {

using storage::File;
using storage::FileInfo;
using storage::FileLock;
using storage::FileSystem;
using storage::FileTime;

class UnsyncedFile final : public File {
 public:
  explicit UnsyncedFile(std::unique_ptr<File> real) : real_(std::move(real)) {}
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> buffer) override {
    return real_->read_at(offset, buffer);
  }
  Outcome append(std::string_view bytes) override { return real_->append(bytes); }
  Outcome sync() override { return {}; }
  Outcome truncate(std::uint64_t size) override { return real_->truncate(size); }
  Outcome set_modified(FileTime time) override { return real_->set_modified(time); }
  Result<FileInfo> info() override { return real_->info(); }

 private:
  std::unique_ptr<File> real_;
};

// Keeps what is appended until it is read or closed.
class LateFile final : public File {
 public:
  explicit LateFile(std::unique_ptr<File> real) : real_(std::move(real)) {}
  ~LateFile() override {
    (void)write_out();
    (void)real_->sync();
  }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> buffer) override {
    TRY(write_out());
    return real_->read_at(offset, buffer);
  }
  Outcome append(std::string_view bytes) override {
    late_.append(bytes);
    return {};
  }
  Outcome sync() override { return {}; }
  Outcome truncate(std::uint64_t size) override {
    TRY(write_out());
    return real_->truncate(size);
  }
  Outcome set_modified(FileTime time) override {
    time_ = time;
    return {};
  }
  Result<FileInfo> info() override {
    FileInfo info = TRY(real_->info());
    info.size += late_.size();
    if (time_) info.modified = *time_;
    return info;
  }

 private:
  Outcome write_out() {
    if (!late_.empty()) TRY(real_->append(std::exchange(late_, {})));
    if (time_) TRY(real_->set_modified(*time_));
    return {};
  }
  std::unique_ptr<File> real_;
  std::string late_;
  std::optional<FileTime> time_;
};

class LazyFileSystem final : public FileSystem {
 public:
  LazyFileSystem(FileSystem& real, Laziness laziness) : real_(real), laziness_(laziness) {}

  Result<std::unique_ptr<File>> open_read(const std::string& path) override { return real_.open_read(path); }
  Result<std::unique_ptr<File>> create(const std::string& path, Existing existing) override {
    std::unique_ptr<File> file = TRY(real_.create(path, existing));
    if (laziness_ == Laziness::no_sync) return std::make_unique<UnsyncedFile>(std::move(file));
    return std::make_unique<LateFile>(std::move(file));
  }
  Outcome make_directory(const std::string& path) override { return real_.make_directory(path); }
  Outcome remove_directory(const std::string& path) override { return real_.remove_directory(path); }
  Outcome rename(const std::string& from, const std::string& to) override { return real_.rename(from, to); }
  Outcome rename_new(const std::string& from, const std::string& to) override { return real_.rename_new(from, to); }
  Outcome link(const std::string& from, const std::string& to) override { return real_.link(from, to); }
  Outcome unlink(const std::string& path) override { return real_.unlink(path); }
  Result<std::vector<std::string>> list(const std::string& directory) override { return real_.list(directory); }
  Result<FileInfo> info(const std::string& path) override { return real_.info(path); }
  Outcome set_modified(const std::string& path, FileTime time) override { return real_.set_modified(path, time); }
  Outcome sync_directory(const std::string& path) override {
    return laziness_ == Laziness::no_sync ? Outcome() : real_.sync_directory(path);
  }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override { return real_.lock(path); }
  const char* sqlite_vfs() const override { return real_.sqlite_vfs(); }

 private:
  FileSystem& real_;
  Laziness laziness_;
};

}  // namespace

std::unique_ptr<FileSystem> lazy_file_system(FileSystem& real, Laziness laziness) {
  return std::make_unique<LazyFileSystem>(real, laziness);
}

}  // namespace postkeep::test
