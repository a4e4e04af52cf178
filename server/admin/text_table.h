// What people see: aligned columns, and numbers in words. Pure.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace postkeep::admin {

// Rows of cells, printed in columns with two spaces between; without spaces at the end of a line. Cells are made
// displayable (protocol/text/display.h). Prints batch by batch: columns only grow from one to the next.
class TextTable {
 public:
  enum class Align { left, right };
  // One for each column; the last one is never padded.
  explicit TextTable(std::vector<Align> columns) : columns_(std::move(columns)), widths_(columns_.size()) {}
  void add(const std::vector<std::string>& cells);
  // Prints what was added since the last time.
  void print(std::ostream& out);

 private:
  std::vector<Align> columns_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
};

// "812", "1.5 KiB", "12.3 MiB"
std::string shown_octets(std::uint64_t octets);
// "1 message", "2 messages"
std::string counted(std::uint64_t count, std::string_view noun);
// "2026-11-26 17:33:19 UTC"
std::string shown_time(std::int64_t unix_seconds);

}  // namespace postkeep::admin
