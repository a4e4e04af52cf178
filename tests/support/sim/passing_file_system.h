// PassingFileSystem: hands every call on to another file system. Breakages override what they distort.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/file_system.h"

namespace postkeep::test {

class PassingFile : public storage::File {
 public:
  explicit PassingFile(std::unique_ptr<storage::File> real) : real_(std::move(real)) {}
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> buffer) override {
    return real_->read_at(offset, buffer);
  }
  Outcome append(std::string_view bytes) override { return real_->append(bytes); }
  Outcome sync() override { return real_->sync(); }
  Outcome truncate(std::uint64_t size) override { return real_->truncate(size); }
  Outcome set_modified(storage::FileTime time) override { return real_->set_modified(time); }
  Result<storage::FileInfo> info() override { return real_->info(); }

 protected:
  std::unique_ptr<storage::File> real_;
};

// `real` outlives it. SQLite goes to `real` directly.
class PassingFileSystem : public storage::FileSystem {
 public:
  explicit PassingFileSystem(storage::FileSystem& real) : real_(real) {}
  Result<std::unique_ptr<storage::File>> open_read(const std::string& path) override { return real_.open_read(path); }
  Result<std::unique_ptr<storage::File>> create(const std::string& path, Existing existing) override {
    return real_.create(path, existing);
  }
  Outcome make_directory(const std::string& path) override { return real_.make_directory(path); }
  Outcome remove_directory(const std::string& path) override { return real_.remove_directory(path); }
  Outcome rename(const std::string& from, const std::string& to) override { return real_.rename(from, to); }
  Outcome rename_new(const std::string& from, const std::string& to) override { return real_.rename_new(from, to); }
  Outcome link(const std::string& from, const std::string& to) override { return real_.link(from, to); }
  Outcome unlink(const std::string& path) override { return real_.unlink(path); }
  Result<std::vector<std::string>> list(const std::string& directory) override { return real_.list(directory); }
  Result<storage::FileInfo> info(const std::string& path) override { return real_.info(path); }
  Outcome set_modified(const std::string& path, storage::FileTime time) override {
    return real_.set_modified(path, time);
  }
  Outcome sync_directory(const std::string& path) override { return real_.sync_directory(path); }
  Result<std::unique_ptr<storage::FileLock>> lock(const std::string& path) override { return real_.lock(path); }
  const char* sqlite_vfs() const override { return real_.sqlite_vfs(); }

 protected:
  storage::FileSystem& real_;
};

}  // namespace postkeep::test
