#include "storage/accounts_in_use.h"

#include <optional>
#include <string_view>
#include <utility>

#include "storage/maildir/text_file.h"

namespace postkeep::storage {
namespace {

constexpr char in_use_file_name[] = "postkeep-in-use";
constexpr std::string_view in_use_head = "postkeep-in-use 1\n";
constexpr std::size_t in_use_octets_max = 256 * 1024 * 1024;

}  // namespace

std::string AccountsInUse::path() const { return data_dir_ + "/" + in_use_file_name; }

Outcome AccountsInUse::open() {
  const Result<std::string> text = read_file(files_, path(), in_use_octets_max);
  if (!text && text.error().kind == ErrorKind::not_found) return {};
  if (!text) return tl::unexpected<Error>(text.error());
  std::string_view rest = *text;
  bool whole = rest.starts_with(in_use_head);
  if (whole) rest.remove_prefix(in_use_head.size());
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::optional<std::string_view> line =
        end == std::string_view::npos ? std::nullopt : maildir::text_of_checked_line(rest.substr(0, end));
    const std::optional<std::string> account = line ? maildir::unescape(*line) : std::nullopt;
    if (account) {
      entries_[*account] = Entry{true, false, true};
    } else {
      whole = false;  // it was torn: nothing was promised by it
    }
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  anew_ = !whole;
  return {};
}

bool AccountsInUse::doubtful(const std::string& account) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(account);
  return found != entries_.end() && found->second.doubtful;
}

Outcome AccountsInUse::enter(const std::string& account) {
  std::unique_lock lock(mutex_);
  const auto [at, added] = entries_.try_emplace(account);
  if (at->second.durable && !at->second.in_use && !at->second.doubtful && left_ > 0) --left_;
  at->second.in_use = true;
  if (at->second.durable) return {};
  if (added) pending_.push_back(account);
  // Whoever finds nobody writing writes for all that wait.
  while (writing_) {
    written_.wait(lock);
    const auto found = entries_.find(account);
    if (found == entries_.end()) return failure(ErrorKind::unavailable, "Mail storage failed; try again later");
    if (found->second.durable) return {};
  }
  return write_pending(lock);
}

Outcome AccountsInUse::write_pending(std::unique_lock<std::mutex>& lock) {
  if (anew_) return write_anew(lock);
  const std::vector<std::string> batch = std::exchange(pending_, {});
  std::string lines;
  for (const std::string& account : batch) lines += maildir::checked_line(maildir::escape_word(account));
  writing_ = true;
  lock.unlock();
  const auto append = [&]() -> Outcome {
    const std::unique_ptr<File> file = TRY(files_.create(path(), FileSystem::Existing::append));
    TRY(file->append(lines));
    return file->sync();
  };
  Outcome done = append();
  lock.lock();
  anew_ = anew_ || !done;
  settle(batch, done.has_value());
  return done;
}

// After writing: those of `batch` are on the list, or not even asked for.
void AccountsInUse::settle(const std::vector<std::string>& batch, bool durable) {
  writing_ = false;
  for (const std::string& account : batch) {
    if (durable) {
      entries_[account].durable = true;
    } else {
      entries_.erase(account);
    }
  }
  written_.notify_all();
}

// The whole list, what is pending included.
Outcome AccountsInUse::write_anew(std::unique_lock<std::mutex>& lock) {
  const std::vector<std::string> batch = std::exchange(pending_, {});
  std::string text(in_use_head);
  for (const auto& [account, entry] : entries_) text += maildir::checked_line(maildir::escape_word(account));
  writing_ = true;
  lock.unlock();
  Outcome done = replace_file(files_, path(), text);
  lock.lock();
  anew_ = !done;
  settle(batch, done.has_value());
  return done;
}

void AccountsInUse::leave(const std::string& account) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(account);
  if (found == entries_.end()) return;
  found->second.in_use = false;
  found->second.doubtful = false;
  ++left_;
}

Outcome AccountsInUse::rename(const std::string& from, const std::string& to) {
  Entry before;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(from);
    if (found == entries_.end()) return {};
    before = found->second;
  }
  TRY(enter(to));
  const std::lock_guard lock(mutex_);
  entries_[to].doubtful = before.doubtful;
  entries_[to].in_use = false;
  return {};
}

std::vector<std::string> AccountsInUse::those_that_left() const {
  std::vector<std::string> left;
  for (const auto& [account, entry] : entries_) {
    if (entry.durable && !entry.in_use && !entry.doubtful) left.push_back(account);
  }
  return left;
}

Outcome AccountsInUse::shorten(std::size_t when_so_many) {
  std::unique_lock lock(mutex_);
  if (shortening_ || left_ < when_so_many) return {};
  shortening_ = true;
  const std::vector<std::string> left = those_that_left();
  lock.unlock();
  Outcome synced;
  for (const std::string& account : left) {
    Outcome done = files_.sync_directory(mail_directory_ + "/" + account);
    if (!done && done.error().kind != ErrorKind::not_found)
      synced = std::move(done);  // a failed sync is final: all stay
  }
  lock.lock();
  while (writing_) written_.wait(lock);
  shortening_ = false;
  left_ = 0;
  if (!synced) return synced;
  for (const std::string& account : left) {
    const auto found = entries_.find(account);
    if (found != entries_.end() && !found->second.in_use) entries_.erase(found);
  }
  return write_anew(lock);
}

}  // namespace postkeep::storage
