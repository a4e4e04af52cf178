// Renaming a user: the login and the mail change their names together, also when the machine stops between the two.
//
//   1. <data_dir>/user-rename is written and synced: who becomes whom.
//   2. The login is renamed: the old name is refused from now on, at login and as a recipient.
//   3. The sessions of the old name end and the mail is moved: one rename of one directory.
//   4. The file is removed.
//
// A file that is found when the data is opened is carried on from wherever it was cut: finish_user_rename(), before
// anybody can log in. If a step fails in a process that lives on, what was done is undone. Blocking. Used by the hosts
// of `user rename`.
#pragma once

#include <functional>
#include <string>

#include "auth/user_directory.h"
#include "protocol/base/result.h"
#include "storage/file_system.h"

namespace postkeep::admin {

// Ends the sessions of the old name and gives its mail the new one. not_found: there was no mail, which is fine.
using MoveMail = std::function<Outcome(const std::string& from, const std::string& to)>;

// `to` is valid and free, as a login and as the name of mail. Errors: those of the steps; in_use when another rename is
// under way.
Outcome rename_user(storage::FileSystem& files, const std::string& data_dir, auth::UserDirectory& users,
                    const std::string& from, const std::string& to, const MoveMail& move_mail);

// Carries on what the last process left, if it left anything. Errors: those of the steps; corruption when the file
// cannot be read.
Outcome finish_user_rename(storage::FileSystem& files, const std::string& data_dir, auth::UserDirectory& users,
                           const MoveMail& move_mail);

// "<data_dir>/user-rename"
std::string user_rename_path(const std::string& data_dir);

}  // namespace postkeep::admin
