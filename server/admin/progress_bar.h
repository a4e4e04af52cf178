// ProgressBar: shows on standard error how far a command is: as a bar that is drawn over where that is a terminal, else
// as a line now and then. Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <ostream>
#include <string>

#include "server/admin/commands.h"
#include "server/admin/exchange.h"

namespace postkeep::admin {

class ProgressBar {
 public:
  enum class Style { off, bar, lines };
  // What fits the near side: a bar on a terminal, nothing elsewhere or with --json, unless --progress asks for it.
  static Style style_for(const NearSide& near);

  ProgressBar(std::ostream& err, Style style) : err_(err), style_(style) {}
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(const Progress& progress);
  void clear();  // before something else is written

 private:
  std::mutex mutex_;
  std::ostream& err_;
  const Style style_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point next_line_ = {}, next_bar_ = {};
  bool drawn_ = false;
};

// One line of at most `columns`: "INBOX  [#####.....] 50%  1,200/2,400 messages  310/s  4 s left".
std::string progress_line(const Progress& progress, double seconds, std::size_t columns);

// 12,345,678
std::string with_commas(std::uint64_t number);
// "12.3 MiB"
std::string human_octets(std::uint64_t octets);

}  // namespace postkeep::admin
