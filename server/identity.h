// Who the server is on its machine: the system user of [service], and how root becomes that user. Used by server/app at
// start and by admin commands before they touch data, so that no file of root's is left among the server's.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "server/config/settings.h"

namespace postkeep::server {

struct Identity {
  std::string name;  // for messages
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;  // of which the user is a member, `group` included
};

// What [service] means on this machine; nullopt if it names nobody. Errors: cannot (there is no such user or group;
// root itself is not taken).
Result<std::optional<Identity>> service_identity(const Settings::Service& service);

// Whether become() can work: this process is root's or that user's. Errors: cannot.
Outcome may_become(const Identity& identity);
// Makes the whole process this user for good: groups, user, no capabilities, no way to gain any (no_new_privs), no core
// dumps, since what root read is in memory. Does nothing when the process is that user already. Before other threads
// start. Errors: those of may_become(); unavailable (the kernel refused: the process
// must end).
Outcome become(const Identity& identity);
// The same for a process that stays who it is: an unprivileged one that was given capabilities (to bind low ports) has
// none afterwards. Does nothing for root.
Outcome give_up_capabilities();

// Makes the folder (0700) with what is missing above it; it is the identity's, if there is one and we are root.
// Errors: unavailable; no_permission when it is somebody else's (detail says how to change that).
Outcome make_data_dir(const std::string& path, const std::optional<Identity>& identity);

// While this lives, files are opened, made and removed by the calling thread as that user: what root makes is the
// user's. Other threads are not concerned. Does nothing for an empty identity, and when we are not root.
class ActingAs {
 public:
  explicit ActingAs(const std::optional<Identity>& identity);
  ~ActingAs();
  ActingAs(const ActingAs&) = delete;
  ActingAs& operator=(const ActingAs&) = delete;

 private:
  bool acting_ = false;
  gid_t old_group_ = 0;
  std::vector<gid_t> old_groups_;
};

// For the log and errors: whether `path` can be read, and if not what to do; "" if it can.
std::string why_unreadable(const std::string& path);

}  // namespace postkeep::server
