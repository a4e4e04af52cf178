#include "auth/passwd_file.h"

#include <algorithm>
#include <chrono>

#include "auth/limits.h"
#include "auth/user_name.h"

namespace postkeep::auth {

namespace {

constexpr std::chrono::milliseconds quiet_time{500};
constexpr std::size_t problems_told_max = 20;  // of one reading

}  // namespace

Result<std::unique_ptr<PasswdFile>> PasswdFile::open(storage::FileSystem& files, storage::Clock& clock,
                                                     std::string path, BackendReport report) {
  std::unique_ptr<PasswdFile> opened(new PasswdFile(files, clock, std::move(path), std::move(report)));
  const Result<Stamp> stamp = opened->stamp();
  const Outcome loaded = stamp ? opened->load(*stamp) : tl::unexpected<Error>(stamp.error());
  if (!loaded) {
    return failure(ErrorKind::unavailable, "The passwd-file " + opened->path_ + " cannot be read",
                   loaded.error().detail);
  }
  return opened;
}

Result<PasswdFile::Stamp> PasswdFile::stamp() {
  const storage::FileInfo info = TRY(files_.info(path_));
  Stamp stamp;
  stamp.size = info.size;
  stamp.inode = info.inode;
  stamp.modified = info.modified;
  return stamp;
}

// Times in the future happen; then the time since we saw the change must do.
bool PasswdFile::is_quiet(const Stamp& stamp) {
  const storage::FileTime now = clock_.now();
  if (stamp.modified <= now && now - stamp.modified >= quiet_time) return true;
  if (changed_ != stamp) {
    changed_ = stamp;
    changed_seen_ = now;
  }
  return now - changed_seen_ >= quiet_time;
}

// The caller holds the mutex, or is open().
Outcome PasswdFile::load(const Stamp& expected) {
  const std::string text = TRY(storage::read_file(files_, path_, passwd_file_octets_max));
  if (table_ && TRY(stamp()) != expected) return {};  // changed while it was read: another time
  auto table = std::make_shared<const PasswdTable>(read_passwd_lines(text));
  settled_ = is_quiet(expected);
  loaded_ = expected;
  changed_.reset();
  all_have_keys_ = table->all_have_keys;
  all_have_sha_1_keys_ = table->all_have_sha_1_keys;
  // A file that is read once more because it had not been quiet says nothing new.
  const bool is_news = !table_ || table_->problems.size() != table->problems.size();
  table_ = std::move(table);
  if (is_news) report_problems(*table_);
  return {};
}

PasswdFile::Table PasswdFile::current() {
  const std::lock_guard lock(mutex_);
  const Result<Stamp> now = stamp();
  if (now && *now == loaded_ && settled_) return table_;
  if (now && !is_quiet(*now)) return table_;
  const Outcome loaded = now ? load(*now) : tl::unexpected<Error>(now.error());
  if (!loaded && !reported_ && report_) {
    report_(path_ + " cannot be read, so what it said before still holds: " + loaded.error().text + ' ' +
            loaded.error().detail);
  }
  reported_ = !loaded;
  return table_;
}

void PasswdFile::report_problems(const PasswdTable& table) {
  if (!report_) return;
  std::size_t told = 0;
  for (const PasswdTable::Problem& problem : table.problems) {
    if (told++ == problems_told_max) {
      return report_(path_ + ": " + std::to_string(table.problems.size() - problems_told_max) +
                     " more lines like these");
    }
    report_(path_ + ':' + std::to_string(problem.line) + ": " + problem.text);
  }
}

Result<std::optional<User>> PasswdFile::find(std::string_view name) {
  const Table table = current();
  const auto found = table->entries.find(user_key(name));
  if (found == table->entries.end()) return std::optional<User>();
  return std::optional<User>(found->second.user);
}

Result<std::vector<Verifier>> PasswdFile::verifiers(std::string_view name) {
  const Table table = current();
  const auto found = table->entries.find(user_key(name));
  if (found == table->entries.end()) return failure(ErrorKind::not_found, "No such user");
  return found->second.verifiers;
}

Result<std::vector<User>> PasswdFile::list() {
  const Table table = current();
  std::vector<User> users;
  for (const auto& [key, entry] : table->entries) users.push_back(entry.user);
  std::ranges::sort(users, {}, &User::name);
  return users;
}

Error PasswdFile::refuse_writing() const {
  return Error(ErrorKind::cannot, "Users of the passwd-file " + path_ +
                                      " are changed in that file, which is read again by itself; `postkeep pw hash` "
                                      "makes the hash for a line");
}

Outcome PasswdFile::add(const User&, const std::vector<Verifier>&) { return tl::unexpected(refuse_writing()); }
Outcome PasswdFile::set_verifiers(std::string_view, const std::vector<Verifier>&) {
  return tl::unexpected(refuse_writing());
}
Outcome PasswdFile::add_verifier(std::string_view, const Verifier&, const std::vector<Verifier>&) {
  return tl::unexpected(refuse_writing());
}
Outcome PasswdFile::set_enabled(std::string_view, bool) { return tl::unexpected(refuse_writing()); }
Outcome PasswdFile::remove(std::string_view) { return tl::unexpected(refuse_writing()); }

}  // namespace postkeep::auth
