#include "storage/maildir/generation.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace postkeep::storage::maildir {
namespace {

std::string generation_path(const std::string& account_path, std::uint64_t generation) {
  return account_path + "/" + generation_file_prefix + std::to_string(generation);
}

}  // namespace

std::uint64_t generation_among(const std::vector<std::string>& names) {
  std::uint64_t greatest = 0;
  for (const std::string& name : names) {
    if (!name.starts_with(generation_file_prefix)) continue;
    const std::string_view digits = std::string_view(name).substr(std::string_view(generation_file_prefix).size());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc() && end == digits.data() + digits.size()) greatest = std::max(greatest, number);
  }
  return greatest;
}

Outcome raise_generation(FileSystem& files, const std::string& account_path, std::uint64_t before, std::uint64_t now) {
  if (before == now) return {};
  const std::string path = generation_path(account_path, now);
  if (before != 0) {
    Outcome renamed = files.rename(generation_path(account_path, before), path);
    if (renamed || renamed.error().kind != ErrorKind::not_found) return renamed;
  }
  TRY(files.create(path, FileSystem::Existing::truncate));
  return {};
}

}  // namespace postkeep::storage::maildir
