#include "storage/maildir/watcher.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "storage/file_system.h"

namespace postkeep::storage::maildir {
namespace {

// Deliveries come by rename or link; content and times of a message never change.
constexpr std::uint32_t appeared_mask = IN_MOVED_TO | IN_CREATE;
constexpr std::uint32_t vanished_mask = IN_MOVED_FROM | IN_DELETE;
constexpr std::uint32_t watched_mask = appeared_mask | vanished_mask | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::size_t buffer_octets = 16 * 1024;
constexpr int reads_max = 64;  // in one batch

tl::unexpected<Error> failed(std::string_view call, const std::string& path) {
  if (errno == ENOSPC) {  // means watches here, and not the disk
    return failure(ErrorKind::limit, "No more folders can be watched",
                   "inotify_add_watch " + path + ": no watches left");
  }
  return tl::unexpected<Error>(error_of_errno(errno, call, path));
}

}  // namespace

Result<std::unique_ptr<Watcher>> Watcher::open() {
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd == -1) return tl::unexpected<Error>(error_of_errno(errno, "inotify_init1", ""));
  return std::unique_ptr<Watcher>(new Watcher(fd));
}

Watcher::~Watcher() { ::close(fd_); }

// The kernel's number of the watch.
Result<int> Watcher::add_place(const std::string& path, Watch watch) {
  const int number = ::inotify_add_watch(fd_, path.c_str(), watched_mask);
  if (number == -1) return failed("inotify_add_watch", path);
  const auto known = watches_.find(number);
  if (known != watches_.end() && known->second.cookie != watch.cookie) halves_.erase(known->second.cookie);
  watches_[number] = watch;
  return number;
}

Outcome Watcher::add(const std::string& folder_path, Cookie cookie) {
  const std::lock_guard guard(mutex_);
  Halves halves;
  halves.cur = TRY(add_place(folder_path + "/cur", Watch{cookie, Event::Place::cur}));
  const Result<int> fresh = add_place(folder_path + "/new", Watch{cookie, Event::Place::fresh});
  if (fresh) halves.fresh = *fresh;
  halves_[cookie] = halves;
  if (fresh) return {};
  drop(cookie);  // rather none, and the caller polls
  return tl::unexpected<Error>(fresh.error());
}

void Watcher::remove(Cookie cookie) {
  const std::lock_guard guard(mutex_);
  drop(cookie);
}

void Watcher::drop(Cookie cookie) {
  const auto known = halves_.find(cookie);
  if (known == halves_.end()) return;
  const Halves halves = known->second;
  halves_.erase(known);
  for (const int number : {halves.cur, halves.fresh}) drop_half(number, cookie);
}

void Watcher::drop_half(int number, Cookie cookie) {
  const auto known = watches_.find(number);
  if (known == watches_.end() || known->second.cookie != cookie) return;
  watches_.erase(known);
  ::inotify_rm_watch(fd_, number);  // fails if the kernel dropped it already, which is as well
}

std::size_t Watcher::watch_count() const {
  const std::lock_guard guard(mutex_);
  return watches_.size();
}

Watcher::Batch Watcher::read() {
  const std::lock_guard guard(mutex_);
  Batch batch;
  alignas(inotify_event) char buffer[buffer_octets];
  for (int reads = 0; reads < reads_max; ++reads) {
    const ssize_t got = ::read(fd_, buffer, sizeof buffer);
    if (got == -1 && errno == EINTR) continue;
    if (got == -1 && errno == EAGAIN) return batch;
    if (got <= 0) {
      batch.overflow = true;
      return batch;
    }
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer + at, sizeof event);
      // The name is padded with zeros to the next event.
      const char* name = buffer + at + sizeof event;
      take(event.wd, event.mask, std::string_view(name, event.len != 0 ? ::strnlen(name, event.len) : 0), batch);
      at += sizeof event + event.len;
    }
  }
  return batch;
}

void Watcher::take(int watch_number, std::uint32_t mask, std::string_view name, Batch& batch) {
  if ((mask & IN_Q_OVERFLOW) != 0) {
    batch.overflow = true;
    return;
  }
  const auto found = watches_.find(watch_number);
  if (found == watches_.end()) return;  // removed by us, and this was still under way
  const Watch watch = found->second;
  if ((mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) != 0) {
    drop(watch.cookie);  // the other half too: one that is half watched would hide deliveries
    batch.lost.push_back(watch.cookie);
    return;
  }
  if ((mask & IN_ISDIR) != 0 || name.empty()) return;
  const auto kind = (mask & appeared_mask) != 0 ? Event::Kind::appeared : Event::Kind::vanished;
  batch.events.push_back(Event{watch.cookie, kind, watch.place, std::string(name)});
}

}  // namespace postkeep::storage::maildir
