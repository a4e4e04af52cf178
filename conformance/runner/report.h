// Reports of a run: a table per section and the failures on a terminal, JSON and JUnit for machines.
#pragma once

#include <string>
#include <vector>

#include "conformance/runner/case_run.h"
#include "conformance/runner/requirements.h"

namespace postkeep::conformance {

// A case as it was run once.
struct Ran {
  const Script* script = nullptr;
  const Case* one = nullptr;
  Mode mode = Mode::rev1;
  CaseResult result;
};

struct Totals {
  int passed = 0;
  int failed = 0;
  int skipped = 0;
};
Totals totals_of(const std::vector<Ran>& ran);

// The exchange, what was expected, and the clauses with their demands.
std::string failure_text(const Ran& ran, const std::vector<Requirement>& requirements);
std::string table(const std::vector<Ran>& ran);
std::string json(const std::vector<Ran>& ran, const std::string& server_name);
std::string junit(const std::vector<Ran>& ran, const std::string& server_name);

}  // namespace postkeep::conformance
