// Watcher: what other programs do to the folders that somebody looks at, through one inotify instance. Used by the
// mail store; the server's loop waits on fd(). It only tells names: what they mean, and whether the change was our own,
// is for the store to find out. inotify(7)
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "storage/pooled.h"

namespace postkeep::storage::maildir {

// Thread-safe. A folder that is renamed stays watched: the kernel watches the directory, not its path.
class Watcher {
 public:
  using Cookie = std::uint64_t;  // the caller's name for a folder

  struct Event {
    enum class Kind { appeared, vanished };  // a rename within the folder is one of each
    enum class Place { cur, fresh };         // cur/ or new/
    Cookie cookie = 0;
    Kind kind = Kind::appeared;
    Place place = Place::cur;
    std::string name;
    bool operator==(const Event&) const = default;
  };
  struct Batch {
    std::vector<Event> events;  // in order
    std::vector<Cookie> lost;   // folders that are watched no more: removed, moved away, unmounted
    bool overflow = false;      // the kernel dropped events: any watched folder may have changed
  };

  // Errors: unavailable (no inotify, no instance left): the caller polls instead.
  static Result<std::unique_ptr<Watcher>> open();
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // Readable when read() has something. Never changes.
  int fd() const { return fd_; }
  // Watches <folder_path>/cur and /new. Adding a folder again replaces its cookie. What happened before is not told:
  // add first, list then. Errors: not_found; limit (no watches left: poll this folder).
  Outcome add(const std::string& folder_path, Cookie cookie);
  void remove(Cookie cookie);  // no effect if it is not watched
  // What happened since the last call, up to some ten thousands of events, so that a storm of them neither keeps the
  // caller for good nor grows without end: fd() stays readable while there is more. Never blocks. Errors end up as
  // overflow.
  Batch read();
  std::size_t watch_count() const;  // of the kernel: two for each folder

 private:
  explicit Watcher(int fd) : fd_(fd) {}
  struct Watch {
    Cookie cookie = 0;
    Event::Place place = Event::Place::cur;
  };
  Result<int> add_place(const std::string& path, Watch watch);
  void drop_half(int number, Cookie cookie);
  void drop(Cookie cookie);
  void take(int watch_number, std::uint32_t mask, std::string_view name, Batch& batch);

  const int fd_;
  mutable std::mutex mutex_;
  // The kernel's numbers of the two halves of a folder; -1: there is none.
  struct Halves {
    int cur = -1;
    int fresh = -1;
  };
  PooledMap<int, Watch> watches_;
  PooledMap<Cookie, Halves> halves_;
};

}  // namespace postkeep::storage::maildir
