// Random numbers for tests: the same on every machine for the same seed (the standard distributions are not).
#pragma once

#include <cstdint>
#include <random>

namespace postkeep::test {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  // 0..bound-1; bound is at least 1. The slight bias of a remainder does not matter here.
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>((engine_() >> 16) % bound); }
  bool one_in(std::uint32_t bound) { return below(bound) == 0; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace postkeep::test
