#include "storage/maildir/folder.h"

namespace postkeep::storage::maildir {
namespace {

constexpr std::size_t copy_block_octets = 256 * 1024;

Outcome make_one(FileSystem& files, const std::string& path) {
  Outcome made = files.make_directory(path);
  if (!made && made.error().kind == ErrorKind::already_exists) return {};
  return made;
}

// Seconds matter to INTERNALDATE, so the copy gets the time of the original before it is synced.
Outcome copy_file(FileSystem& files, const std::string& from, const std::string& to) {
  const std::unique_ptr<File> source = TRY(files.open_read(from));
  const FileInfo info = TRY(source->info());
  const std::unique_ptr<File> target = TRY(files.create(to, FileSystem::Existing::truncate));
  std::string block(copy_block_octets, '\0');
  for (std::uint64_t at = 0;;) {
    const std::size_t got = TRY(source->read_at(at, block));
    if (got == 0) break;
    TRY(target->append(std::string_view(block).substr(0, got)));
    at += got;
  }
  TRY(target->set_modified(info.modified));
  return target->sync();
}

}  // namespace

Outcome MessageFolder::make() {
  TRY(make_one(*files_, path_));
  for (const char* part : {"/cur", "/new", "/tmp"}) TRY(make_one(*files_, path_ + part));
  return files_->sync_directory(path_);
}

Outcome MessageFolder::remove_tree(FileSystem& files, const std::string& path) {
  const std::vector<std::string> names = TRY(files.list(path));
  for (const std::string& name : names) {
    const std::string inner = path + "/" + name;
    const Result<FileInfo> info = files.info(inner);
    if (!info && info.error().kind == ErrorKind::not_found) continue;  // gone meanwhile
    if (!info) return tl::unexpected<Error>(info.error());
    if (info->type == FileInfo::Type::directory) {
      TRY(remove_tree(files, inner));
    } else {
      TRY(files.unlink(inner));
    }
  }
  return files.remove_directory(path);
}

Result<FolderTimes> MessageFolder::times() const {
  const auto time_of = [&](Place place) -> Result<std::int64_t> {
    const Result<FileInfo> info = files_->info(directory(place));
    if (info) return static_cast<std::int64_t>(info->modified.time_since_epoch().count());
    if (info.error().kind == ErrorKind::not_found) return 0;
    return tl::unexpected<Error>(info.error());
  };
  FolderTimes times;
  times.cur = TRY(time_of(Place::cur));
  times.fresh = TRY(time_of(Place::fresh));
  return times;
}

Result<std::vector<FoundFile>> MessageFolder::list() const {
  std::vector<FoundFile> found;
  TRY(visit_names([&](Place place, std::string_view name) {
    found.push_back(FoundFile{place, std::string(name), *FileName::parse(name)});
  }));
  return found;
}

Outcome MessageFolder::visit_names(const std::function<void(Place place, std::string_view name)>& visit) const {
  // new/ first: other programs move files from there to cur/, so that one may be seen twice but not missed.
  for (const Place place : {Place::fresh, Place::cur}) {
    const Result<std::vector<std::string>> names = files_->list(directory(place));
    if (!names && names.error().kind == ErrorKind::not_found) continue;
    if (!names) return tl::unexpected<Error>(names.error());
    for (const std::string& name : *names) {
      if (FileName::is_message(name)) visit(place, name);
    }
  }
  return {};
}

Outcome MessageFolder::put(const std::string& source, const std::string& name) {
  Outcome linked = files_->link(source, file_path(Place::cur, name));
  if (linked) return {};
  const ErrorKind kind = linked.error().kind;
  if (kind == ErrorKind::unavailable || kind == ErrorKind::no_permission) return copy(source, name);
  return linked;
}

Outcome MessageFolder::copy(const std::string& source, const std::string& name) {
  const std::string staged = path_ + "/tmp/" + name;
  Outcome copied = copy_file(*files_, source, staged);
  if (copied) copied = files_->rename_new(staged, file_path(Place::cur, name));
  if (!copied) (void)files_->unlink(staged);  // the first error is the one to tell
  return copied;
}

}  // namespace postkeep::storage::maildir
