// See seeded_fault.h. Empty in all builds but one.
#include "protocol/base/seeded_fault.h"

#ifdef POSTKEEP_SEEDED_FAULTS

#include <cstdlib>
#include <string_view>

namespace postkeep {
namespace {

constexpr std::string_view fault_names[] = {
#define POSTKEEP_FAULT_TEXT(name, clause, text) #name,
    POSTKEEP_SEEDED_FAULT_LIST(POSTKEEP_FAULT_TEXT)
#undef POSTKEEP_FAULT_TEXT
};

// The number of the one that is on; -1: none. A name that is not known ends the program, so that no test passes by a
// slip.
int chosen_fault() {
  const char* chosen = std::getenv("POSTKEEP_FAULT");
  if (chosen == nullptr || *chosen == '\0') return -1;
  for (std::size_t i = 0; i < std::size(fault_names); ++i) {
    if (fault_names[i] == chosen) return static_cast<int>(i);
  }
  std::abort();
}

}  // namespace

bool seeded(Fault fault) {
  static const int chosen = chosen_fault();
  return static_cast<int>(fault) == chosen;
}

}  // namespace postkeep

#endif
