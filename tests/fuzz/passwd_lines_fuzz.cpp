// The text of a passwd-file: whatever it is, what comes out are users with valid names and verifiers that can be read
// again, and problems with lines that exist.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "auth/passwd_lines.h"
#include "auth/user_name.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postkeep::auth;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const PasswdTable table = read_passwd_lines(text);
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const PasswdTable::Problem& problem : table.problems) {
    if (problem.line == 0 || problem.line > lines || problem.text.empty()) std::abort();
  }
  for (const auto& [key, entry] : table.entries) {
    if (user_key(entry.user.name) != key || !checked_user_name(entry.user.name)) std::abort();
    for (const Verifier& verifier : entry.verifiers) {
      const auto again = verifier_from_text(to_text(verifier).reveal());
      if (!again || again->hash.reveal() != verifier.hash.reveal()) std::abort();
    }
  }
  return 0;
}
