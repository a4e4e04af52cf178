// The text of a passwd-file, as Dovecot and others read it, taken apart. Used by auth/passwd_file and by the fuzzer.
// Pure.
//
//   user:{SCHEME}hash:uid:gid:gecos:home:shell:extra fields
//
// All after the hash may be missing. Of the extra fields, which are separated by spaces, `nologin` and `nopassword`
// mean something here; uid, gid, home and shell never do, since all mail belongs to the server.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/user_directory.h"

namespace postkeep::auth {

struct PasswdEntry {
  User user;
  std::vector<Verifier> verifiers;  // one; or none where nobody is to log in
};

struct PasswdTable {
  // A line that was skipped, or taken in otherwise than it says. Never has any of the hash.
  struct Problem {
    std::size_t line = 0;  // counted from 1
    std::string text;
  };
  std::unordered_map<std::string, PasswdEntry> entries;  // by user_key()
  std::vector<Problem> problems;
  // Whoever can log in has SCRAM-SHA-256 keys, or a password to make them from; and SCRAM-SHA-1 keys likewise.
  bool all_have_keys = true;
  bool all_have_sha_1_keys = true;
};

// Comments (#) and empty lines are skipped, lines may end with CRLF. A malformed line is a problem and concerns nobody
// else; of two lines for one user the first counts.
PasswdTable read_passwd_lines(std::string_view text);

}  // namespace postkeep::auth
