#include "server/metrics/metrics.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "server/metrics/process_figures.h"
#include "server/version.h"

namespace postkeep::server {
namespace {

void write_line(std::string& out, std::string_view name, std::string_view suffix, std::string_view labels,
                std::string_view value) {
  out += name;
  out += suffix;
  if (!labels.empty()) {
    out += '{';
    out += labels;
    out += '}';
  }
  out += ' ';
  out += value;
  out += '\n';
}

// Microseconds as seconds without needless zeros: 500 is "0.0005".
std::string seconds_text(std::uint64_t microseconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%" PRIu64 ".%06" PRIu64, microseconds / 1'000'000, microseconds % 1'000'000);
  std::string out = text.data();
  out.erase(out.find_last_not_of('0') + 1);
  if (out.ends_with('.')) out.pop_back();
  return out;
}

void write_head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out += "# HELP ";
  out += name;
  out += ' ';
  for (const char c : help) {  // the format's own escapes
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  out += "\n# TYPE ";
  out += name;
  out += ' ';
  out += type;
  out += '\n';
}

}  // namespace

void Histogram::observe(std::chrono::nanoseconds time) {
  const auto nanoseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.count()));
  const auto bound = std::ranges::lower_bound(bounds_us, (nanoseconds + 999) / 1000);
  buckets_[static_cast<std::size_t>(bound - bounds_us.begin())].fetch_add(1, std::memory_order_relaxed);
  nanoseconds_.fetch_add(nanoseconds, std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) sum += in_bucket(i);
  return sum;
}

void append_label(std::string& labels, std::string_view name, std::string_view value) {
  if (!labels.empty()) labels += ',';
  labels += name;
  labels += "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') labels += '\\';
    if (c == '\n') {
      labels += "\\n";
    } else {
      labels += c;
    }
  }
  labels += '"';
}

void write_sample(std::string& out, std::string_view name, std::string_view labels, const Counter& value) {
  write_line(out, name, "", labels, std::to_string(value.value()));
}

void write_sample(std::string& out, std::string_view name, std::string_view labels, const Gauge& value) {
  write_line(out, name, "", labels, std::to_string(value.value()));
}

// The count is the sum of what the buckets said, so that the two agree while others count on.
void write_sample(std::string& out, std::string_view name, std::string_view labels, const Histogram& value) {
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i <= Histogram::bounds_us.size(); ++i) {
    so_far += value.in_bucket(i);
    std::string with_bound(labels);
    append_label(with_bound, "le", i == Histogram::bounds_us.size() ? "+Inf" : seconds_text(Histogram::bounds_us[i]));
    write_line(out, name, "_bucket", with_bound, std::to_string(so_far));
  }
  std::array<char, 32> sum{};
  std::snprintf(sum.data(), sum.size(), "%.9f", value.seconds());
  write_line(out, name, "_sum", labels, sum.data());
  write_line(out, name, "_count", labels, std::to_string(so_far));
}

Metrics& metrics() {
  static Metrics instance;
  return instance;
}

std::string prometheus_text(const Metrics& all) {
  std::string out;
  for (const Metric* metric : all.all()) {
    write_head(out, metric->name, metric->type(), metric->help);
    metric->write_samples(out);
  }
  write_head(out, "postkeep_build_info", "gauge", "The version that runs.");
  std::string labels;
  append_label(labels, "version", version);
  write_line(out, "postkeep_build_info", "", labels, "1");
  for (const ProcessFigure& figure : process_figures()) {
    write_head(out, figure.name, figure.type, figure.help);
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%.15g", figure.value);
    write_line(out, figure.name, "", "", text.data());
  }
  return out;
}

}  // namespace postkeep::server
