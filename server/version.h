// The version of this program, from CMakeLists.txt.
#pragma once

#include <string_view>

namespace postkeep {

inline constexpr std::string_view version = POSTKEEP_VERSION;

}  // namespace postkeep
