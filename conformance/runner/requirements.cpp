// See requirements.h.
#include "conformance/runner/requirements.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

namespace postkeep::conformance {

namespace {

// "9051-6.4.3-1  MUST NOT  server"
Result<Requirement> parse_head(std::string_view line) {
  std::istringstream in{std::string(line)};
  Requirement requirement;
  std::string word;
  in >> requirement.id >> requirement.keyword >> word;
  if (word == "NOT") {
    requirement.keyword += " NOT";
    in >> word;
  }
  requirement.binds = word;
  static const std::set<std::string> keywords = {"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "REQUIRED"};
  static const std::set<std::string> bound = {"server", "client", "both", "spec"};
  if (keywords.count(requirement.keyword) == 0 || bound.count(requirement.binds) == 0) {
    return failure(ErrorKind::bad_syntax, "expected ID KEYWORD server|client|both|spec");
  }
  return requirement;
}

constexpr std::string_view reason_mark = "not proved: ";

}  // namespace

Result<std::vector<Requirement>> parse_requirements(const std::string& path, std::string_view text) {
  std::vector<Requirement> requirements;
  std::istringstream in{std::string(text)};
  int number = 0;
  bool in_reason = false;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    if (line[0] != ' ') {
      Result<Requirement> requirement = parse_head(line);
      if (!requirement) {
        return failure(ErrorKind::bad_syntax, path + ":" + std::to_string(number) + ": " + requirement.error().text);
      }
      requirement->line = number;
      requirements.push_back(std::move(*requirement));
      in_reason = false;
      continue;
    }
    if (requirements.empty()) return failure(ErrorKind::bad_syntax, path + ": text before the first clause");
    std::string_view rest = std::string_view(line).substr(line.find_first_not_of(' '));
    if (rest.starts_with(reason_mark)) {
      in_reason = true;
      rest.remove_prefix(reason_mark.size());
    }
    std::string& target = in_reason ? requirements.back().reason : requirements.back().demand;
    target += (target.empty() ? "" : " ") + std::string(rest);
  }
  return requirements;
}

Result<std::vector<Requirement>> read_requirements(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".txt") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Requirement> all;
  for (const std::filesystem::path& path : paths) {
    const std::string text = TRY(read_text_file(path.string()));
    for (Requirement& requirement : TRY(parse_requirements(path.filename().string(), text))) {
      all.push_back(std::move(requirement));
    }
  }
  if (all.empty()) return failure(ErrorKind::not_found, "no requirements in " + folder);
  return all;
}

Proofs proofs_of(const std::vector<Script>& scripts) {
  Proofs proofs;
  for (const Script& script : scripts) {
    for (const Case& one : script.cases) {
      for (const std::string& id : one.proves) proofs.emplace(id, script.path + "/" + one.name);
    }
  }
  return proofs;
}

std::vector<std::string> check(const std::vector<Requirement>& requirements, const std::vector<Script>& scripts) {
  std::vector<std::string> faults;
  std::set<std::string> ids;
  const Proofs proofs = proofs_of(scripts);
  for (const Requirement& requirement : requirements) {
    if (!ids.insert(requirement.id).second) faults.push_back(requirement.id + ": stands twice");
    if (requirement.demand.empty()) faults.push_back(requirement.id + ": demands nothing");
    const bool proved = proofs.count(requirement.id) != 0;
    if (requirement.binds_server() && !proved && requirement.reason.empty()) {
      faults.push_back(requirement.id + " (" + requirement.keyword + "): neither proved nor a reason why not");
    }
    if (proved && !requirement.reason.empty()) faults.push_back(requirement.id + ": proved and a reason why not");
  }
  for (const auto& [id, name] : proofs) {
    if (ids.count(id) == 0) faults.push_back(name + " proves " + id + ", which does not exist");
  }
  std::set<std::string> names;
  for (const Script& script : scripts) {
    for (const Case& one : script.cases) {
      if (!names.insert(script.path + "/" + one.name).second) faults.push_back(one.name + ": two cases of this name");
    }
  }
  return faults;
}

}  // namespace postkeep::conformance
