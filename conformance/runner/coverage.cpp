// See coverage.h.
#include "conformance/runner/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace postkeep::conformance {

namespace {

struct Counts {
  int all = 0;
  int binding = 0;
  int proved = 0;
};

// What is counted together, in the order of the files: an RFC, or a section of one.
using Groups = std::vector<std::pair<std::string, Counts>>;

// "9051-6.4.3-1" to "9051".
std::string rfc_of(const std::string& id) { return id.substr(0, id.find('-')); }

// "9051-6.4.3-1" to "6.4.3".
std::string section_of(const std::string& id) {
  const std::size_t first = id.find('-');
  return id.substr(first + 1, id.rfind('-') - first - 1);
}

bool is_open(const Requirement& requirement, const Proofs& proofs) {
  return requirement.binds_server() && proofs.count(requirement.id) == 0;
}

void count(Counts& counts, const Requirement& requirement, const Proofs& proofs) {
  ++counts.all;
  if (!requirement.binds_server()) return;
  ++counts.binding;
  if (!is_open(requirement, proofs)) ++counts.proved;
}

Groups grouped(const std::vector<Requirement>& requirements, const Proofs& proofs,
               const std::function<std::string(const std::string&)>& name_of) {
  Groups groups;
  for (const Requirement& requirement : requirements) {
    const std::string name = name_of(requirement.id);
    auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& one) { return one.first == name; });
    if (group == groups.end()) group = groups.insert(groups.end(), {name, Counts()});
    count(group->second, requirement, proofs);
  }
  return groups;
}

Counts sum_of(const Groups& groups) {
  Counts sum;
  for (const auto& [name, counts] : groups) {
    sum.all += counts.all;
    sum.binding += counts.binding;
    sum.proved += counts.proved;
  }
  return sum;
}

std::string row(const std::string& name, const Counts& counts) {
  return fmt::format("| {} | {} | {} | {} | {} |\n", name, counts.all, counts.binding, counts.proved,
                     counts.binding - counts.proved);
}

std::string head(std::string_view name) {
  return fmt::format(
      "| {} | Clauses | bind a server | proved by a case | with a reason why not |\n|---|---|---|---|---|\n", name);
}

// As the text of a cell.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string open_clauses(const std::vector<Requirement>& requirements, const Proofs& proofs) {
  std::string rows;
  for (const Requirement& requirement : requirements) {
    if (!is_open(requirement, proofs)) continue;
    const std::string why = requirement.reason.empty() ? "**no case yet**" : cell(requirement.reason);
    rows += fmt::format("| {} | {} | {} | {} |\n", requirement.id, requirement.keyword, cell(requirement.demand), why);
  }
  if (rows.empty()) return rows;
  return "\nNot proved by a case:\n\n| Clause | | Demand | Why |\n|---|---|---|---|\n" + rows;
}

std::vector<Requirement> of_rfc(const std::vector<Requirement>& requirements, const std::string& rfc) {
  std::vector<Requirement> some;
  for (const Requirement& requirement : requirements) {
    if (rfc_of(requirement.id) == rfc) some.push_back(requirement);
  }
  return some;
}

}  // namespace

std::string coverage_by_rfc(const std::vector<Requirement>& requirements, const std::vector<Script>& scripts) {
  const Groups rfcs = grouped(requirements, proofs_of(scripts), rfc_of);
  std::string text = head("RFC");
  for (const auto& [rfc, counts] : rfcs) text += row(fmt::format("[{0}](clauses.md#rfc-{0})", rfc), counts);
  return text + row("**all**", sum_of(rfcs));
}

std::string coverage_by_section(const std::vector<Requirement>& requirements, const std::vector<Script>& scripts) {
  const Proofs proofs = proofs_of(scripts);
  std::string text;
  for (const auto& [rfc, counts] : grouped(requirements, proofs, rfc_of)) {
    const std::vector<Requirement> some = of_rfc(requirements, rfc);
    text += fmt::format("{}## RFC {}\n\n{}", text.empty() ? "" : "\n", rfc, head("Section"));
    for (const auto& [section, of_section] : grouped(some, proofs, section_of)) text += row("§" + section, of_section);
    text += row("**all**", counts) + open_clauses(some, proofs);
  }
  return text;
}

}  // namespace postkeep::conformance
