// What is wrong with scripts beyond their syntax, and would else be found, or overlooked, only when they run. Pure.
#pragma once

#include <string>
#include <vector>

#include "conformance/runner/script.h"

namespace postkeep::conformance {

// Fixtures that do not exist, commands awaited that were not sent, escapes that are none, expectations of steps that
// wait for nothing, cases without a step. Each as "path:line: what".
std::vector<std::string> script_faults(const std::vector<Script>& scripts, const Fixtures& fixtures);

}  // namespace postkeep::conformance
