#include "auth/backends.h"

#include <algorithm>
#include <array>

#include "auth/user_database.h"
#include "auth/user_directory_chain.h"

namespace postkeep::auth {

namespace {

Outcome want_nothing(std::string_view argument) {
  if (argument.empty()) return {};
  return failure(ErrorKind::cannot, "this backend takes nothing behind its name");
}

Outcome want_path(std::string_view argument) {
  if (argument.starts_with('/')) return {};
  return failure(ErrorKind::cannot, "this backend wants an absolute path, as in passwd-file:/etc/postkeep/users");
}

Result<std::unique_ptr<UserDirectory>> open_database(const BackendEnvironment& environment, std::string_view) {
  return TRY(UserDatabase::open(environment.files, user_database_path(environment.data_dir)));
}

Result<std::unique_ptr<UserDirectory>> open_passwd_file(const BackendEnvironment& environment,
                                                        std::string_view argument) {
  return TRY(PasswdFile::open(environment.files, environment.clock, std::string(argument), environment.report));
}

constexpr std::array backend_table = {
    BackendRow{"database", "", want_nothing, open_database,
               "`users.sqlite` in `data_dir`, which `postkeep user` writes."},
    BackendRow{"passwd-file", "PATH", want_path, open_passwd_file,
               "A text file that other programs can read and write too; commands do not change it."},
};

struct Spec {
  std::string_view name, argument;
};

Spec split(std::string_view spec) {
  const std::size_t colon = spec.find(':');
  if (colon == std::string_view::npos) return {spec, {}};
  return {spec.substr(0, colon), spec.substr(colon + 1)};
}

Result<const BackendRow*> checked_row(std::string_view spec) {
  const auto [name, argument] = split(spec);
  for (const BackendRow& row : backend_table) {
    if (row.name != name) continue;
    TRY(row.check(argument));
    return &row;
  }
  std::string names;
  for (const BackendRow& row : backend_table) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return failure(ErrorKind::cannot, "unknown backend \"" + std::string(name) + "\"; there are " + names);
}

}  // namespace

std::span<const BackendRow> backends() { return backend_table; }

Outcome check_backend(std::string_view spec) {
  TRY(checked_row(spec));
  return {};
}

Result<std::unique_ptr<UserDirectory>> open_backends(const std::vector<std::string>& specs,
                                                     const BackendEnvironment& environment) {
  std::vector<std::unique_ptr<UserDirectory>> links;
  for (const std::string& spec : specs) {
    const BackendRow* row = TRY(checked_row(spec));
    links.push_back(TRY(row->open(environment, split(spec).argument)));
  }
  if (links.empty()) return failure(ErrorKind::cannot, "at least one backend is wanted");
  return std::unique_ptr<UserDirectory>(std::make_unique<UserDirectoryChain>(std::move(links)));
}

}  // namespace postkeep::auth
