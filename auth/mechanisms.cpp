#include "auth/mechanisms.h"

#include <algorithm>
#include <array>

#include "protocol/base/ascii.h"

namespace postkeep::auth {

namespace {

// In the order in which they are advertised: what a client should rather take comes first.
constexpr std::array mechanism_table = {
    MechanismRow{"SCRAM-SHA-256", "", Channel::exposed, ChecksBy::keys, [] { return make_scram_sha_256(); },
                 "A proof of the password, which does not travel (RFC 7677)."},
    MechanismRow{"PLAIN", "", Channel::confidential, ChecksBy::password, make_plain,
                 "Name and password in one message (RFC 4616)."},
    MechanismRow{"LOGIN", "Username:", Channel::confidential, ChecksBy::password, make_login,
                 "Name and password one after the other, for old clients."},
};

}  // namespace

std::span<const MechanismRow> mechanisms() { return mechanism_table; }

const MechanismRow* find_mechanism(std::string_view name) {
  const auto row =
      std::ranges::find_if(mechanism_table, [&](const MechanismRow& r) { return ascii::iequals(r.name, name); });
  return row == mechanism_table.end() ? nullptr : &*row;
}

std::vector<std::string_view> offered_mechanisms(Circumstances circumstances) {
  std::vector<std::string_view> names;
  for (const MechanismRow& row : mechanism_table) {
    if (row.needs == Channel::confidential && circumstances.channel == Channel::exposed) continue;
    if (row.by == ChecksBy::keys && !circumstances.keys) continue;
    names.push_back(row.name);
  }
  return names;
}

}  // namespace postkeep::auth
