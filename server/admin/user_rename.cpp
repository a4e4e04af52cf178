#include "server/admin/user_rename.h"

#include <mutex>
#include <optional>

#include "storage/maildir/text_file.h"

namespace postkeep::admin {

namespace {

namespace text_file = storage::maildir;

constexpr std::string_view file_kind = "postkeep-user-rename";
constexpr int file_version = 1;
constexpr std::size_t file_octets_max = 16 * 1024;

struct Names {
  std::string from, to;
};

Result<std::optional<Names>> read_names(storage::FileSystem& files, const std::string& path) {
  const Result<std::string> text = storage::read_file(files, path, file_octets_max);
  if (!text && text.error().kind == ErrorKind::not_found) return std::optional<Names>();
  if (!text) return tl::unexpected(text.error());
  Names names;
  for (const auto& [key, value] : TRY(text_file::parse_text_file(file_kind, file_version, *text))) {
    if (key == "from") names.from = value;
    if (key == "to") names.to = value;
  }
  if (names.from.empty() || names.to.empty()) return text_file::damaged(file_kind, 0, "a name is missing");
  return std::optional<Names>(std::move(names));
}

Outcome remove_names(storage::FileSystem& files, const std::string& data_dir) {
  TRY(files.unlink(user_rename_path(data_dir)));
  return files.sync_directory(data_dir);
}

Outcome fine_without_mail(const Outcome& moved) {
  if (!moved && moved.error().kind == ErrorKind::not_found) return {};
  return moved;
}

}  // namespace

std::string user_rename_path(const std::string& data_dir) { return data_dir + "/user-rename"; }

Outcome rename_user(storage::FileSystem& files, const std::string& data_dir, auth::UserDirectory& users,
                    const std::string& from, const std::string& to, const MoveMail& move_mail) {
  static std::mutex one_at_a_time;  // there is one file
  const std::unique_lock lock(one_at_a_time, std::try_to_lock);
  if (!lock) return failure(ErrorKind::in_use, "Another user is just being renamed; try again");
  TRY(finish_user_rename(files, data_dir, users, move_mail));
  const std::string text = text_file::render_text_file(file_kind, file_version, {{"from", from}, {"to", to}});
  TRY(storage::replace_file(files, user_rename_path(data_dir), text));
  if (const Outcome renamed = users.rename(from, to); !renamed) {
    TRY(remove_names(files, data_dir));
    return renamed;
  }
  if (const Outcome moved = fine_without_mail(move_mail(from, to)); !moved) {
    // Where the way back is blocked as well the file stays, and the next start goes forward.
    if (users.rename(to, from)) TRY(remove_names(files, data_dir));
    return moved;
  }
  return remove_names(files, data_dir);
}

Outcome finish_user_rename(storage::FileSystem& files, const std::string& data_dir, auth::UserDirectory& users,
                           const MoveMail& move_mail) {
  const std::optional<Names> names = TRY(read_names(files, user_rename_path(data_dir)));
  if (!names) return {};
  const Outcome renamed = users.rename(names->from, names->to);
  // not_found: it has its new name already.
  if (!renamed && renamed.error().kind != ErrorKind::not_found) return renamed;
  const Outcome moved = fine_without_mail(move_mail(names->from, names->to));
  // already_exists: it was moved, and a delivery that was under way made mail under the old name once more.
  if (!moved && moved.error().kind != ErrorKind::already_exists) return moved;
  return remove_names(files, data_dir);
}

}  // namespace postkeep::admin
