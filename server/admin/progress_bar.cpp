#include "server/admin/progress_bar.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <iostream>

namespace postkeep::admin {

namespace {

constexpr std::chrono::seconds between_lines{5};
constexpr std::chrono::milliseconds between_bars{100};
constexpr double estimate_after_seconds = 2;  // before, a guess of what is left is worth nothing

std::size_t terminal_columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 80;
  return size.ws_col;
}

std::string amount(std::uint64_t number, const std::string& unit) {
  return unit == "octets" ? human_octets(number) : with_commas(number);
}

std::string duration(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::ceil(seconds));
  if (whole < 100) return std::to_string(whole) + " s";
  if (whole < 100 * 60) return std::to_string((whole + 59) / 60) + " min";
  return std::to_string((whole + 3599) / 3600) + " h";
}

std::string bar(double part) {
  constexpr std::size_t width = 20;
  const auto full = static_cast<std::size_t>(part * width);
  std::array<char, 8> percent{};
  std::snprintf(percent.data(), percent.size(), "%3d%%", static_cast<int>(part * 100));
  return "[" + std::string(full, '#') + std::string(width - full, '.') + "] " + percent.data();
}

}  // namespace

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

std::string human_octets(std::uint64_t octets) {
  constexpr std::array units = {"KiB", "MiB", "GiB", "TiB"};
  if (octets < 1024) return std::to_string(octets) + " B";
  double value = static_cast<double>(octets) / 1024;
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", value, units.at(unit));
  return text.data();
}

std::string progress_line(const Progress& progress, double seconds, std::size_t columns) {
  std::string line = progress.text;
  const double rate = seconds > 0 ? static_cast<double>(progress.done) / seconds : 0;
  if (!line.empty()) line += "  ";
  if (progress.total != 0) {
    const std::uint64_t done = std::min(progress.done, progress.total);
    line += bar(static_cast<double>(done) / static_cast<double>(progress.total)) + "  " + amount(done, progress.unit) +
            "/" + amount(progress.total, progress.unit);
  } else {
    line += amount(progress.done, progress.unit);
  }
  if (progress.unit != "octets") line += " " + progress.unit;
  if (rate >= 1) line += "  " + amount(static_cast<std::uint64_t>(rate), progress.unit) + "/s";
  if (rate > 0 && progress.total > progress.done && seconds >= estimate_after_seconds) {
    line += "  " + duration(static_cast<double>(progress.total - progress.done) / rate) + " left";
  }
  return line.substr(0, columns);
}

ProgressBar::Style ProgressBar::style_for(const NearSide& near) {
  const bool terminal = near.err.rdbuf() == std::cerr.rdbuf() && isatty(STDERR_FILENO) == 1;
  const bool json = near.format == NearSide::Format::json;
  if (terminal && (!json || near.progress)) return Style::bar;
  return near.progress ? Style::lines : Style::off;
}

void ProgressBar::show(const Progress& progress) {
  if (style_ == Style::off) return;
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (now < next_bar_) return;
  const double seconds = std::chrono::duration<double>(now - begun_).count();
  if (style_ == Style::bar) {
    err_ << '\r' << progress_line(progress, seconds, terminal_columns() - 1) << "\033[K" << std::flush;
    drawn_ = true;
    next_bar_ = now + between_bars;
  } else if (now >= next_line_) {
    next_line_ = now + between_lines;
    err_ << progress_line(progress, seconds, std::string::npos) << std::endl;
  }
}

void ProgressBar::clear() {
  const std::lock_guard lock(mutex_);
  if (drawn_) err_ << "\r\033[K" << std::flush;
  drawn_ = false;
}

}  // namespace postkeep::admin
