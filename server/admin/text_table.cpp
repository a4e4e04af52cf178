#include "server/admin/text_table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <ostream>

#include "protocol/text/display.h"

namespace postkeep::admin {

void TextTable::add(const std::vector<std::string>& cells) {
  std::vector<std::string> row;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    row.push_back(text::displayable(cells[i]));
    widths_[i] = std::max(widths_[i], text::display_width(row[i]));
  }
  rows_.push_back(std::move(row));
}

void TextTable::print(std::ostream& out) {
  for (const std::vector<std::string>& row : rows_) {
    std::string line;
    std::size_t pending = 0;  // spaces that count only if something follows
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (widths_[i] == 0) continue;  // an empty column
      const std::size_t padding = widths_[i] - text::display_width(row[i]);
      if (columns_[i] == Align::right) pending += padding;
      if (!row[i].empty()) {
        line += std::string(pending, ' ') + row[i];
        pending = 0;
      }
      if (columns_[i] == Align::left) pending += padding;
      pending += 2;
    }
    out << line << "\n";
  }
  rows_.clear();
}

std::string shown_octets(std::uint64_t octets) {
  constexpr std::array units = {"octets", "KiB", "MiB", "GiB", "TiB"};
  if (octets == 1) return "1 octet";
  auto value = static_cast<double>(octets);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text.data();
}

std::string counted(std::uint64_t count, std::string_view noun) {
  const bool hissing = noun.ends_with('x') || noun.ends_with('s');
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : hissing ? "es" : "s");
}

std::string shown_time(std::int64_t unix_seconds) {
  const auto time = static_cast<std::time_t>(unix_seconds);
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &utc);
  return text.data();
}

}  // namespace postkeep::admin
