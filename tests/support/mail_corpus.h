// The mail corpus that lies beside the project: POSTKEEP_MAIL, else ../shared/mail. Tests that need it say so and
// pass over it where it is missing.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

namespace postkeep::test {

inline std::filesystem::path mail_corpus() {
  const char* path = std::getenv("POSTKEEP_MAIL");
  return path != nullptr && *path != '\0' ? path : POSTKEEP_SOURCE_DIR "/../shared/mail";
}

inline bool have_mail_corpus() {
  if (std::filesystem::is_directory(mail_corpus())) return true;
  std::cerr << "skipped: no mail corpus at " << mail_corpus() << " (set POSTKEEP_MAIL)\n";
  return false;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Every single message: real/ and malformed/, sorted.
inline std::vector<std::filesystem::path> corpus_messages() {
  std::vector<std::filesystem::path> files;
  for (const char* folder : {"real", "malformed"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(mail_corpus() / folder)) {
      if (entry.path().extension() == ".eml") files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

// As it is stored: each bare LF becomes CRLF.
inline std::string with_crlf(const std::string& bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 32);
  char before = '\0';
  for (const char c : bytes) {
    if (c == '\n' && before != '\r') out += '\r';
    out += c;
    before = c;
  }
  return out;
}

}  // namespace postkeep::test
