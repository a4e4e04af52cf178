// What a workload reports: how many operations in how long, how long each took, and how much of the time this program
// itself was busy.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace postkeep::bench {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

double seconds_since(Clock::time_point start);

inline Clock::duration duration_of(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// Processor time of this process, user and system, in seconds.
double own_cpu_seconds();

// How long operations took, in seconds. One thread.
class Latencies {
 public:
  void add(double seconds) { seconds_.push_back(static_cast<float>(seconds)); }
  std::size_t count() const { return seconds_.size(); }
  // {"min", "p50", "p90", "p99", "max"} in milliseconds; empty without any.
  Json to_json() const;

 private:
  std::vector<float> seconds_;
};

// One measured phase: made at its start, read at its end.
class Measurement {
 public:
  Latencies latencies;
  std::uint64_t operations = 0;
  std::uint64_t octets = 0;  // of payload, whichever way it goes
  Json more = Json::object();

  // Ends the phase. `client_cpu_share` is of one core: near 1 the figure is this program's and not the server's.
  Json finish();

 private:
  Clock::time_point start_ = Clock::now();
  double cpu_start_ = own_cpu_seconds();
};

}  // namespace postkeep::bench
