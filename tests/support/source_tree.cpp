#include "tests/support/source_tree.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace postkeep::test {
namespace {

namespace fs = std::filesystem;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Replaces everything but line ends in [from, to) by spaces.
void blank(std::string& code, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to && i < code.size(); ++i) {
    if (code[i] != '\n') code[i] = ' ';
  }
}

std::size_t end_of_literal(const std::string& text, std::size_t start) {
  const char quote = text[start];
  std::size_t i = start + 1;
  while (i < text.size() && text[i] != quote && text[i] != '\n') i += text[i] == '\\' ? 2 : 1;
  return i;
}

// R"delimiter( ... )delimiter"; `start` is at the quotation mark.
std::size_t end_of_raw_literal(const std::string& text, std::size_t start) {
  const std::size_t open = text.find('(', start);
  const std::string close = ")" + text.substr(start + 1, open - start - 1) + "\"";
  const std::size_t end = text.find(close, open);
  return end == std::string::npos ? text.size() : end + close.size() - 1;
}

std::string without_comments_and_literals(const std::string& text) {
  std::string code = text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::size_t end = i;
    if (text.compare(i, 2, "//") == 0) {
      end = std::min(text.find('\n', i), text.size());
      blank(code, i, end);
    } else if (text.compare(i, 2, "/*") == 0) {
      end = std::min(text.find("*/", i), text.size());
      blank(code, i, end + 2);
      ++end;
    } else if (text[i] == '"') {
      const bool raw = i > 0 && text[i - 1] == 'R' && (i < 2 || !is_word(text[i - 2]));
      end = raw ? end_of_raw_literal(text, i) : end_of_literal(text, i);
      blank(code, i + 1, end);
    } else if (text[i] == '\'' && (i == 0 || !is_word(text[i - 1]))) {  // not the ' of 1'000
      end = end_of_literal(text, i);
      blank(code, i + 1, end);
    }
    i = end;
  }
  return code;
}

std::string read_whole(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::vector<SourceFile> read_project() {
  const fs::path root = POSTKEEP_SOURCE_DIR;
  std::vector<SourceFile> files;
  for (const char* folder : {"protocol", "storage", "auth", "server", "conformance", "tests"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension().string();
      if (!entry.is_regular_file() || (extension != ".h" && extension != ".cpp")) continue;
      files.push_back(make_source(fs::relative(entry.path(), root).generic_string(), read_whole(entry.path())));
    }
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

}  // namespace

SourceFile make_source(std::string path, std::string text) {
  SourceFile file;
  file.path = std::move(path);
  file.code = without_comments_and_literals(text);
  file.text = std::move(text);
  return file;
}

const std::vector<SourceFile>& project_sources() {
  static const std::vector<SourceFile> files = read_project();
  return files;
}

std::string top_folder(std::string_view path) { return std::string(path.substr(0, path.find('/'))); }

std::size_t line_of(std::string_view text, std::size_t offset) {
  return static_cast<std::size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n')) +
         1;
}

std::string to_text(const Findings& findings) {
  std::ostringstream out;
  for (const Finding& finding : findings) {
    out << finding.path << ':' << finding.line << ": " << finding.what << '\n';
  }
  return out.str();
}

Findings over_project(const Rule& rule) {
  Findings all;
  for (const SourceFile& file : project_sources()) {
    const Findings found = rule(file);
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

}  // namespace postkeep::test
