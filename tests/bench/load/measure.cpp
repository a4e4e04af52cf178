// See measure.h.
#include "tests/bench/load/measure.h"

#include <sys/resource.h>

#include <algorithm>

namespace postkeep::bench {

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double own_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Json Latencies::to_json() const {
  Json json = Json::object();
  if (seconds_.empty()) return json;
  std::vector<float> sorted = seconds_;
  std::sort(sorted.begin(), sorted.end());
  const auto at = [&](double share) {
    const auto index = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5);
    return static_cast<double>(sorted[index]) * 1000;
  };
  json["min"] = at(0);
  json["p50"] = at(0.5);
  json["p90"] = at(0.9);
  json["p99"] = at(0.99);
  json["max"] = at(1);
  return json;
}

Json Measurement::finish() {
  const double seconds = seconds_since(start_);
  const double cpu = own_cpu_seconds() - cpu_start_;
  Json json = Json::object();
  json["operations"] = operations;
  json["seconds"] = seconds;
  json["rate"] = static_cast<double>(operations) / seconds;
  json["octets"] = octets;
  json["octets_per_second"] = static_cast<double>(octets) / seconds;
  json["latency_ms"] = latencies.to_json();
  json["client_cpu_seconds"] = cpu;
  json["client_cpu_share"] = cpu / seconds;
  json.update(more);
  return json;
}

}  // namespace postkeep::bench
