// Requirements: the clauses of a specification that bind somebody, and which cases prove them. conformance/README.md
// has the form of the files. Pure but for read_requirements().
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/runner/script.h"

namespace postkeep::conformance {

struct Requirement {
  std::string id;       // "9051-6.4.3-1"
  std::string keyword;  // "MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "REQUIRED"
  std::string binds;    // "server", "client", "both", "spec"
  std::string demand;   // in our own words
  std::string reason;   // why no case proves it; "" if none is given
  int line = 0;
  bool binds_server() const { return binds == "server" || binds == "both"; }
};

// Errors: bad_syntax, with the line.
Result<std::vector<Requirement>> parse_requirements(const std::string& path, std::string_view text);
// All *.txt files of the folder. Errors: not_found, bad_syntax.
Result<std::vector<Requirement>> read_requirements(const std::string& folder);

// Names of the cases ("rfc9051/6.4.3-expunge/case") by the id of what they prove.
using Proofs = std::multimap<std::string, std::string>;
Proofs proofs_of(const std::vector<Script>& scripts);

// What is wrong: ids that do not exist or exist twice, and clauses that bind a server without a case or a reason.
std::vector<std::string> check(const std::vector<Requirement>& requirements, const std::vector<Script>& scripts);

}  // namespace postkeep::conformance
