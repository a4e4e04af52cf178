#include "server/identity.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace postkeep::server {
namespace {

std::optional<std::uint32_t> as_number(const std::string& text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<gid_t> find_group(const std::string& name) {
  if (const group* found = ::getgrnam(name.c_str())) return found->gr_gid;
  if (const auto number = as_number(name)) return *number;
  return failure(ErrorKind::cannot, "There is no system group " + name, "service.group");
}

std::vector<gid_t> groups_of(const char* user, gid_t group) {
  constexpr int groups_max = 1024;
  std::vector<gid_t> groups(groups_max);
  int count = groups_max;
  if (::getgrouplist(user, group, groups.data(), &count) < 0) return {group};
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

tl::unexpected<Error> refused(const char* call) {
  return failure(ErrorKind::unavailable, "Cannot give up privileges", std::string(call) + ": " + std::strerror(errno));
}

// Every set of this process but the bounding one, which only root can shrink. capset(2) is about one thread, so this
// is called before there are others.
Outcome clear_capabilities() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("no_new_privs");
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL) return refused("prctl");
  __user_cap_header_struct header{};
  header.version = _LINUX_CAPABILITY_VERSION_3;
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> held{}, none{};
  // A container may forbid capset; who has nothing need not ask.
  if (::syscall(SYS_capget, &header, held.data()) == 0 && std::ranges::all_of(held, [](const auto& word) {
        return word.effective == 0 && word.permitted == 0 && word.inheritable == 0;
      })) {
    return {};
  }
  if (::syscall(SYS_capset, &header, none.data()) != 0) return refused("capset");
  return {};
}

void shrink_bounding_set() {
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
}

// What must be impossible from now on.
Outcome check_no_way_back(const Identity& identity) {
  uid_t real = 0, effective = 0, saved = 0;
  ::getresuid(&real, &effective, &saved);
  const bool is_user = real == identity.user && effective == identity.user && saved == identity.user;
  if (is_user && ::setuid(0) != 0 && ::seteuid(0) != 0 && ::setgid(0) != 0) return {};
  return failure(ErrorKind::unavailable, "Cannot give up privileges", "the process could still become root");
}

}  // namespace

Result<std::optional<Identity>> service_identity(const Settings::Service& service) {
  if (service.user.empty()) return std::optional<Identity>();
  Identity identity;
  identity.name = service.user;
  const passwd* found = ::getpwnam(service.user.c_str());
  const auto number = as_number(service.user);
  if (found == nullptr && number) found = ::getpwuid(*number);
  if (found != nullptr) {
    const std::string user_name = found->pw_name;
    identity.user = found->pw_uid;
    identity.group = found->pw_gid;
    if (!service.group.empty()) identity.group = TRY(find_group(service.group));
    identity.groups = groups_of(user_name.c_str(), identity.group);
  } else if (number && !service.group.empty()) {  // one without an entry, as in containers
    identity.user = *number;
    identity.group = TRY(find_group(service.group));
    identity.groups = {identity.group};
  } else {
    return failure(ErrorKind::cannot, "There is no system user " + service.user, "service.user");
  }
  if (identity.user == 0) return failure(ErrorKind::cannot, "service.user must not be root", service.user);
  return std::optional<Identity>(std::move(identity));
}

Outcome may_become(const Identity& identity) {
  if (::geteuid() == 0 || ::geteuid() == identity.user) return {};
  return failure(ErrorKind::cannot, "Cannot become " + identity.name + ": start as root or as that user",
                 "service.user; now user " + std::to_string(::geteuid()));
}

Outcome become(const Identity& identity) {
  TRY(may_become(identity));
  if (::geteuid() != 0) return give_up_capabilities();
  shrink_bounding_set();
  if (::setgroups(identity.groups.size(), identity.groups.data()) != 0) return refused("setgroups");
  if (::setresgid(identity.group, identity.group, identity.group) != 0) return refused("setresgid");
  if (::setresuid(identity.user, identity.user, identity.user) != 0) return refused("setresuid");
  TRY(clear_capabilities());
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  return check_no_way_back(identity);
}

Outcome give_up_capabilities() { return ::geteuid() == 0 ? Outcome() : clear_capabilities(); }

Outcome make_data_dir(const std::string& path, const std::optional<Identity>& identity) {
  const bool for_other = identity && ::geteuid() == 0;
  // What is above it must let the user through.
  const mode_t before = for_other ? ::umask(022) : 0;
  std::error_code error;
  const std::filesystem::path above = std::filesystem::path(path).parent_path();
  if (!above.empty()) std::filesystem::create_directories(above, error);
  if (for_other) ::umask(before);
  const bool made = !error && ::mkdir(path.c_str(), 0700) == 0;
  if (!error && !made && errno != EEXIST) error.assign(errno, std::generic_category());
  if (error) return failure(ErrorKind::unavailable, "Cannot make data_dir", path + ": " + error.message());
  if (!for_other) return {};
  if (made && ::lchown(path.c_str(), identity->user, identity->group) != 0) {
    return failure(ErrorKind::unavailable, "Cannot make data_dir", path + ": " + std::strerror(errno));
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && info.st_uid != identity->user) {
    return failure(ErrorKind::no_permission, "data_dir belongs to somebody else",
                   path + " is of user " + std::to_string(info.st_uid) + ", service.user is " + identity->name +
                       "; to hand it over: chown -R " + identity->name + ": " + path);
  }
  return {};
}

// The C library would change all threads; the system calls change the one that makes them. With the file system's user
// id the kernel takes away and gives back what lets root ignore permissions (capabilities(7)).
ActingAs::ActingAs(const std::optional<Identity>& identity) {
  if (!identity || ::geteuid() != 0) return;
  const int count = ::getgroups(0, nullptr);
  old_groups_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  if (::getgroups(count, old_groups_.data()) < 0) old_groups_.clear();
  ::syscall(SYS_setgroups, identity->groups.size(), identity->groups.data());
  old_group_ = static_cast<gid_t>(::setfsgid(identity->group));
  ::setfsuid(identity->user);
  acting_ = true;
}

ActingAs::~ActingAs() {
  if (!acting_) return;
  ::setfsuid(0);
  ::setfsgid(old_group_);
  ::syscall(SYS_setgroups, old_groups_.size(), old_groups_.data());
}

std::string why_unreadable(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor >= 0) {
    ::close(descriptor);
    return {};
  }
  const int error = errno;
  std::string why = path + ": " + std::strerror(error);
  if (error == EACCES) {
    why += "; the server runs as user " + std::to_string(::geteuid()) +
           " and must be let read the file and enter its folders, for instance by a group of the user's";
  }
  return why;
}

}  // namespace postkeep::server
