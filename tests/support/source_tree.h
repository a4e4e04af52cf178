// The project's own sources as data, for the tidy tests: rules that no compiler keeps. Each rule is a function from one
// SourceFile to findings, so that its test can feed it a file that breaks it.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace postkeep::test {

struct SourceFile {
  std::string path;  // from the project's root
  std::string text;
  std::string code;  // text with comments and the insides of literals blanked; offsets and lines stay
};

struct Finding {
  std::string path;
  std::size_t line = 0;
  std::string what;
  bool operator==(const Finding&) const = default;
};
using Findings = std::vector<Finding>;

SourceFile make_source(std::string path, std::string text);
// All .h and .cpp files below the root's source folders, by path.
const std::vector<SourceFile>& project_sources();
std::string top_folder(std::string_view path);
std::size_t line_of(std::string_view text, std::size_t offset);  // from 1

// One finding a line, for a failing CHECK.
std::string to_text(const Findings& findings);
using Rule = std::function<Findings(const SourceFile&)>;
Findings over_project(const Rule& rule);

}  // namespace postkeep::test
