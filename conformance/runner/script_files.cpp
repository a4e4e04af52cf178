// See script.h: what is read from folders.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "conformance/runner/script.h"

namespace postkeep::conformance {

namespace {

std::vector<std::filesystem::path> files_below(const std::string& folder, const std::string& extension) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator i(folder, error), end; i != end; i.increment(error)) {
    if (error) break;
    if (i->path().extension() == extension) paths.push_back(i->path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

Result<std::string> read_text_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return failure(ErrorKind::not_found, "cannot read " + path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Result<std::vector<Script>> read_scripts(const std::string& folder) {
  std::vector<Script> scripts;
  for (const std::filesystem::path& path : files_below(folder, ".script")) {
    const std::string text = TRY(read_text_file(path.string()));
    std::filesystem::path relative = path.lexically_relative(folder);
    scripts.push_back(TRY(parse_script(relative.replace_extension().string(), text)));
  }
  if (scripts.empty()) return failure(ErrorKind::not_found, "no scripts in " + folder);
  return scripts;
}

Result<Fixtures> read_fixtures(const std::string& folder) {
  Fixtures fixtures;
  for (const std::filesystem::path& path : files_below(folder, ".eml")) {
    fixtures[path.stem().string()] = TRY(read_text_file(path.string()));
  }
  if (fixtures.empty()) return failure(ErrorKind::not_found, "no fixtures in " + folder);
  return fixtures;
}

}  // namespace postkeep::conformance
