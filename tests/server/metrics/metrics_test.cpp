#include "server/metrics/metrics.h"

#include <doctest/doctest.h>

#include <thread>

using namespace postkeep::server;
using std::chrono::microseconds;

namespace {

std::string samples_of(const Metric& metric) {
  std::string out;
  metric.write_samples(out);
  return out;
}

}  // namespace

TEST_CASE("a figure with labels has a sample for each combination that was used") {
  std::vector<const Metric*> all;
  Family<Counter, 2> family(all, "tries_total", {"door", "result"}, "Tries.");
  CHECK(samples_of(family).empty());
  family.at("imap", "ok").add(3);
  family.at(std::string("pop3"), std::string_view("a \"b\"\\\n")).add();
  family.at("imap", "ok").add();
  CHECK(samples_of(family) ==
        "tries_total{door=\"imap\",result=\"ok\"} 4\n"
        "tries_total{door=\"pop3\",result=\"a \\\"b\\\"\\\\\\n\"} 1\n");
}

TEST_CASE("labels beyond the room for them are counted together") {
  std::vector<const Metric*> all;
  Family<Counter, 1> family(all, "x_total", {"name"}, "X.");
  for (int i = 0; i < 200; ++i) family.at(std::to_string(i)).add();
  family.at("0").add();
  CHECK(samples_of(family).find("x_total{name=\"other\"} 72\n") != std::string::npos);
  CHECK(samples_of(family).find("x_total{name=\"0\"} 2\n") != std::string::npos);
}

TEST_CASE("threads that meet a label for the first time together count into one value") {
  std::vector<const Metric*> all;
  Family<Counter, 1> family(all, "x_total", {"name"}, "X.");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&family] {
      for (int k = 0; k < 1000; ++k) family.at(std::to_string(k % 20)).add();
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::size_t values = 0;
  family.each([&](const auto&, const Counter& counter) {
    ++values;
    CHECK(counter.value() == 200);
  });
  CHECK(values == 20);
}

TEST_CASE("a time is in the first bucket whose bound it does not exceed") {
  std::vector<const Metric*> all;
  Single<Histogram> histogram(all, "wait_seconds", "Waits.");
  histogram.observe(microseconds(0));
  histogram.observe(microseconds(500));
  histogram.observe(microseconds(501));
  histogram.observe(std::chrono::nanoseconds(2'000'001));
  histogram.observe(std::chrono::seconds(60));
  CHECK(histogram.count() == 5);
  CHECK(samples_of(histogram) ==
        "wait_seconds_bucket{le=\"0.0005\"} 2\n"
        "wait_seconds_bucket{le=\"0.002\"} 3\n"
        "wait_seconds_bucket{le=\"0.01\"} 4\n"
        "wait_seconds_bucket{le=\"0.05\"} 4\n"
        "wait_seconds_bucket{le=\"0.25\"} 4\n"
        "wait_seconds_bucket{le=\"1\"} 4\n"
        "wait_seconds_bucket{le=\"5\"} 4\n"
        "wait_seconds_bucket{le=\"+Inf\"} 5\n"
        "wait_seconds_sum 60.003001001\n"
        "wait_seconds_count 5\n");
}

TEST_CASE("a gauge is up for as long as what it counts lives") {
  std::vector<const Metric*> all;
  Single<Gauge> gauge(all, "open", "Open.");
  {
    const Counted one(gauge);
    const Counted two(gauge);
    CHECK(gauge.value() == 2);
  }
  CHECK(samples_of(gauge) == "open 0\n");
}

TEST_CASE("every figure has a name of its own and a head in the text") {
  const Metrics own;
  const std::string text = prometheus_text(own);
  for (const Metric* metric : own.all()) {
    const std::string head = "# TYPE " + std::string(metric->name) + " " + std::string(metric->type()) + "\n";
    CAPTURE(head);
    CHECK(text.find(head) != std::string::npos);
    CHECK(text.find(head) == text.rfind(head));
  }
  CHECK(text.find("process_resident_memory_bytes ") != std::string::npos);
}
