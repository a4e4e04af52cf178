// MessageFolder: one Maildir on disk: cur/, new/ and tmp/. Puts files in, renames, removes and lists them; knows
// nothing of UIDs or the index. Used by the store and reconciliation. Blocking; one thread at a time.
// https://cr.yp.to/proto/maildir.html
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "storage/file_system.h"
#include "storage/index/message_sql.h"
#include "storage/maildir/name.h"

namespace postkeep::storage::maildir {

// A file seen in cur/ or new/.
struct FoundFile {
  Place place = Place::cur;
  std::string name;  // as it is
  FileName parsed;
};

// When the two directories last changed, in nanoseconds since the epoch.
struct FolderTimes {
  std::int64_t cur = 0;
  std::int64_t fresh = 0;
  bool operator==(const FolderTimes&) const = default;
};

class MessageFolder {
 public:
  MessageFolder(FileSystem& files, std::string path) : files_(&files), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string directory(Place place) const { return path_ + (place == Place::cur ? "/cur" : "/new"); }
  std::string file_path(Place place, const std::string& name) const { return directory(place) + "/" + name; }

  // Makes what is missing of the folder and its three directories; durable but for its entry in the parent.
  Outcome make();
  // Takes the whole folder away from under `path`; the caller has moved it out of sight. Errors leave the rest.
  static Outcome remove_tree(FileSystem& files, const std::string& path);

  Result<FolderTimes> times() const;
  // All messages in cur/ and new/, in no order. A missing directory has none.
  Result<std::vector<FoundFile>> list() const;
  // The same by their names alone. Each is valid during the call.
  Outcome visit_names(const std::function<void(Place place, std::string_view name)>& visit) const;

  // Gives the file `source` (on the same file system, synced) the name cur/`name` too. Where a link is impossible
  // (too many, other file system) a synced copy with the same time takes its place. Durable after sync(Place::cur).
  Outcome put(const std::string& source, const std::string& name);
  Outcome sync(Place place) const { return files_->sync_directory(directory(place)); }

 private:
  Outcome copy(const std::string& source, const std::string& name);
  FileSystem* files_;
  std::string path_;
};

}  // namespace postkeep::storage::maildir
