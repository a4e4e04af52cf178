// How many clauses bind a server and are proved by a case, as Markdown for docs/coverage.md and docs/clauses.md. Pure.
#pragma once

#include <string>
#include <vector>

#include "conformance/runner/requirements.h"

namespace postkeep::conformance {

// One table, a row for each RFC, with a link to its part of docs/clauses.md.
std::string coverage_by_rfc(const std::vector<Requirement>& requirements, const std::vector<Script>& scripts);

// A heading for each RFC; below it a table of its sections, and the clauses that no case proves, and why.
std::string coverage_by_section(const std::vector<Requirement>& requirements, const std::vector<Script>& scripts);

}  // namespace postkeep::conformance
