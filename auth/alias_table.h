// The file of aliases: addresses that stand for users. One to a line, `name: target, target`; the name is `local`,
// `local@domain` or, for all of a domain that nobody has, `@domain`. A line that begins with white space continues the
// one before; what begins with # is a comment. Read at the start and on each reload. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "protocol/base/result.h"

namespace postkeep::auth {

inline constexpr std::size_t alias_file_octets_max = 16 * 1024 * 1024;
inline constexpr std::size_t alias_targets_max = 1000;  // of one alias

// Immutable once it is parsed, so any thread may read it.
class AliasTable {
 public:
  // Names are compared as users' names are: letters without case. Errors: cannot, with the number of the line: what is
  // no address, a name twice, too many targets, and what other programs do with aliases (pipes, files, :include:).
  static Result<AliasTable> parse(std::string_view text);

  // The targets of `name`, as they were written; null: there is no such alias. Valid as long as the table.
  const std::vector<std::string>* find(std::string_view name) const;
  std::size_t size() const { return rows_.size(); }

 private:
  Outcome add(std::string_view entry);
  std::unordered_map<std::string, std::vector<std::string>> rows_;  // by auth::user_key
};

}  // namespace postkeep::auth
