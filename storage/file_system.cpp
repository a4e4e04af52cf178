#include "storage/file_system.h"

#include <cerrno>
#include <system_error>

namespace postkeep::storage {
namespace {

ErrorKind kind_of_errno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorKind::not_found;
    case EEXIST:
    case ENOTEMPTY:
      return ErrorKind::already_exists;
    case ENOSPC:
    case EDQUOT:
      return ErrorKind::over_quota;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorKind::no_permission;
    case EWOULDBLOCK:
      return ErrorKind::in_use;
    default:
      return ErrorKind::unavailable;
  }
}

const char* text_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::not_found:
      return "Not found in mail storage";
    case ErrorKind::already_exists:
      return "Already exists in mail storage";
    case ErrorKind::over_quota:
      return "No space left for mail";
    case ErrorKind::in_use:
      return "Mail storage is in use by another process";
    case ErrorKind::no_permission:
      return "Mail storage refused access";
    default:
      return "Mail storage failed; try again later";
  }
}

}  // namespace

Error error_of_errno(int error_number, std::string_view call, std::string_view path) {
  const ErrorKind kind = kind_of_errno(error_number);
  std::string detail;
  detail.append(call).append(" ").append(path).append(": ").append(std::generic_category().message(error_number));
  return Error(kind, text_of(kind), std::move(detail));
}

Result<bool> FileSystem::read_exactly(const std::string& path, std::size_t octets, std::string& out) {
  const std::unique_ptr<File> file = TRY(open_read(path));
  const std::size_t before = out.size();
  out.resize(before + octets + 1);  // one more, so that a larger file is seen to be larger
  std::size_t filled = 0;
  while (filled <= octets) {
    const Result<std::size_t> got = file->read_at(filled, std::span(out).subspan(before + filled));
    if (!got) {
      out.resize(before);
      return tl::unexpected<Error>(got.error());
    }
    if (*got == 0) break;
    filled += *got;
  }
  out.resize(filled == octets ? before + octets : before);
  return filled == octets;
}

Outcome FileSystem::sync_together(std::span<File* const> files) {
  for (File* file : files) TRY(file->sync());
  return {};
}

Result<std::string> read_file(FileSystem& files, const std::string& path, std::size_t limit) {
  const std::unique_ptr<File> file = TRY(files.open_read(path));
  const FileInfo info = TRY(file->info());
  if (info.size > limit) return failure(ErrorKind::too_big, "A file in mail storage is too big", "read " + path);
  std::string content;
  std::size_t filled = 0;
  // One octet more than announced, so that a file that grew meanwhile is seen to have grown.
  content.resize(static_cast<std::size_t>(info.size) + 1);
  while (true) {
    const std::size_t got = TRY(file->read_at(filled, std::span(content).subspan(filled)));
    filled += got;
    if (filled > limit) return failure(ErrorKind::too_big, "A file in mail storage is too big", "read " + path);
    if (got == 0) break;
    if (filled == content.size()) content.resize(content.size() + 4096);
  }
  content.resize(filled);
  return content;
}

Outcome replace_file(FileSystem& files, const std::string& path, std::string_view content) {
  const std::string fresh = path + ".new";
  const auto write = [&]() -> Outcome {
    const std::unique_ptr<File> file = TRY(files.create(fresh, FileSystem::Existing::truncate));
    TRY(file->append(content));
    TRY(file->sync());
    TRY(files.rename(fresh, path));
    return {};
  };
  if (Outcome written = write(); !written) {
    (void)files.unlink(fresh);  // it may never have been made; the reason to tell is the first one
    return written;
  }
  return files.sync_directory(parent_directory(path));
}

std::string parent_directory(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  if (slash == 0) return "/";
  return std::string(path.substr(0, slash));
}

}  // namespace postkeep::storage
