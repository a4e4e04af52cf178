// The server's figures: what it counts for Prometheus (metrics/endpoint), `status` and whoever else wants to know.
// docs/metrics.md lists them; a test holds the list to this file.
//
// A figure is a member of Metrics, and using it is one line anywhere in server/:
//     metrics().fetched_octets.add(size);
//     metrics().logins.at("imap", mechanism, "ok").add();
//     const Stopwatch watch(metrics().command_seconds.at("pop3", "RETR"));   // until it goes out of scope
// All of it is thread-safe, takes no lock but at the first use of a label, and never blocks: relaxed atomics.
// Labels come from our own tables, never from a peer: each set of labels is kept for ever.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postkeep::server {

// Only grows.
class Counter {
 public:
  static constexpr std::string_view type = "counter";
  void add(std::uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }
  bool untouched() const { return value() == 0; }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Goes up and down.
class Gauge {
 public:
  static constexpr std::string_view type = "gauge";
  void add(std::int64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }
  bool untouched() const { return value() == 0; }

 private:
  std::atomic<std::int64_t> value_{0};
};

// One more in a gauge for as long as this lives.
class Counted {
 public:
  explicit Counted(Gauge& gauge) : gauge_(gauge) { gauge_.add(1); }
  ~Counted() { gauge_.add(-1); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  Gauge& gauge_;
};

// How long things took, in a few buckets.
class Histogram {
 public:
  static constexpr std::string_view type = "histogram";
  // Upper bounds in microseconds, the bound itself included; one more bucket takes what is longer.
  static constexpr std::array<std::uint64_t, 7> bounds_us = {500, 2'000, 10'000, 50'000, 250'000, 1'000'000, 5'000'000};

  void observe(std::chrono::nanoseconds time);
  std::uint64_t count() const;
  bool untouched() const { return count() == 0; }
  double seconds() const { return static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) / 1e9; }
  // Of bucket i alone, i up to and with bounds_us.size().
  std::uint64_t in_bucket(std::size_t i) const { return buckets_[i].load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<std::uint64_t>, bounds_us.size() + 1> buckets_{};
  std::atomic<std::uint64_t> nanoseconds_{0};
};

// Measures its own life.
class Stopwatch {
 public:
  explicit Stopwatch(Histogram& into) : into_(into), began_(std::chrono::steady_clock::now()) {}
  ~Stopwatch() { into_.observe(std::chrono::steady_clock::now() - began_); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  Histogram& into_;
  const std::chrono::steady_clock::time_point began_;
};

// What Metrics and its readers know of a figure.
class Metric {
 public:
  Metric(std::vector<const Metric*>& all, std::string_view metric_name, std::string_view metric_help)
      : name(metric_name), help(metric_help) {
    all.push_back(this);
  }
  virtual ~Metric() = default;
  Metric(const Metric&) = delete;
  Metric& operator=(const Metric&) = delete;

  virtual std::string_view type() const = 0;
  // Appends its samples in the text format of Prometheus.
  virtual void write_samples(std::string& out) const = 0;

  const std::string_view name;  // literals
  const std::string_view help;
};

// `label="value"` pairs of a sample and its value, as write_samples() wants them.
void write_sample(std::string& out, std::string_view name, std::string_view labels, const Counter& value);
void write_sample(std::string& out, std::string_view name, std::string_view labels, const Gauge& value);
void write_sample(std::string& out, std::string_view name, std::string_view labels, const Histogram& value);
void append_label(std::string& labels, std::string_view name, std::string_view value);

// A figure without labels.
template <class Value>
class Single final : public Metric, public Value {
 public:
  using Metric::Metric;
  std::string_view type() const override { return Value::type; }
  void write_samples(std::string& out) const override { write_sample(out, name, "", *this); }
};

// A figure with labels: one value for each combination that was used.
template <class Value, std::size_t label_count>
class Family final : public Metric {
 public:
  using Labels = std::array<std::string_view, label_count>;
  static constexpr std::size_t values_max = 128;  // what comes after goes to one value labelled "other"

  Family(std::vector<const Metric*>& all, std::string_view metric_name, Labels label_names,
         std::string_view metric_help)
      : Metric(all, metric_name, metric_help), label_names_(label_names) {}
  ~Family() override {
    for (auto& place : places_) delete place.load();
  }

  template <class... Text>
  requires(sizeof...(Text) == label_count) Value& at(const Text&... labels) {
    const Labels wanted = {std::string_view(labels)...};
    for (auto& place : places_) {
      Entry* entry = place.load(std::memory_order_acquire);
      if (entry == nullptr) return add(wanted);
      if (entry->is(wanted)) return entry->value;
    }
    return other_;
  }

  // In the order in which they came.
  void each(const std::function<void(const Labels&, const Value&)>& visit) const {
    for (const auto& place : places_) {
      const Entry* entry = place.load(std::memory_order_acquire);
      if (entry == nullptr) break;
      visit(entry->labels(), entry->value);
    }
    if (other_.untouched()) return;
    Labels others;
    others.fill("other");
    visit(others, other_);
  }

  std::string_view type() const override { return Value::type; }
  void write_samples(std::string& out) const override {
    each([&](const Labels& values, const Value& value) {
      std::string labels;
      for (std::size_t i = 0; i < label_count; ++i) append_label(labels, label_names_[i], values[i]);
      write_sample(out, name, labels, value);
    });
  }

 private:
  struct Entry {
    std::array<std::string, label_count> texts;
    Value value;
    bool is(const Labels& wanted) const {
      for (std::size_t i = 0; i < label_count; ++i) {
        if (texts[i] != wanted[i]) return false;
      }
      return true;
    }
    Labels labels() const {
      Labels all;
      for (std::size_t i = 0; i < label_count; ++i) all[i] = texts[i];
      return all;
    }
  };

  Value& add(const Labels& wanted) {
    const std::lock_guard lock(adding_);
    for (auto& place : places_) {
      Entry* entry = place.load(std::memory_order_acquire);
      if (entry != nullptr && entry->is(wanted)) return entry->value;
      if (entry != nullptr) continue;
      auto made = std::make_unique<Entry>();
      for (std::size_t i = 0; i < label_count; ++i) made->texts[i] = wanted[i];
      place.store(made.get(), std::memory_order_release);
      return made.release()->value;
    }
    return other_;
  }

  const Labels label_names_;
  std::mutex adding_;
  std::array<std::atomic<Entry*>, values_max> places_{};  // filled from the front
  Value other_;
};

// One process has one, see metrics(); tests make their own.
class Metrics {
 private:
  std::vector<const Metric*> all_;  // first: members enter themselves

 public:
  std::span<const Metric* const> all() const { return all_; }

  // --- Connections. The protocol is the listener's: imap, imaps, pop3, pop3s, lmtp, mta_auth, socketmap.
  Family<Gauge, 1> connections{all_, "postkeep_connections", {"protocol"}, "Connections that are open."};
  Family<Counter, 1> connections_total{
      all_, "postkeep_connections_total", {"protocol"}, "Connections that were accepted."};
  Family<Counter, 1> connections_refused{
      all_,
      "postkeep_connections_refused_total",
      {"protocol"},
      "Connections that were turned away because a limit of connections was reached."};
  Single<Counter> received_bytes{all_, "postkeep_received_bytes_total",
                                 "Octets that were read from connections, inside TLS."};
  Single<Counter> sent_bytes{all_, "postkeep_sent_bytes_total", "Octets that were sent to connections, inside TLS."};

  // --- Logins. The protocol is imap, pop3 or, where an MTA asked, smtp or sasl; the result ok, failed (wrong name or
  // password, no right) or error.
  Family<Counter, 3> logins{
      all_, "postkeep_logins_total", {"protocol", "mechanism", "result"}, "Logins that were tried, by how they ended."};
  Family<Counter, 1> logins_held{
      all_,
      "postkeep_logins_held_total",
      {"how"},
      "Logins that had to wait (delayed) or were not looked at (refused) since too many had failed before."};
  Single<Counter> bans{all_, "postkeep_bans_total", "Addresses that were banned since too many logins failed."};
  Single<Gauge> auth_queue{all_, "postkeep_auth_queue", "Password checks that run or wait for their turn."};
  Single<Histogram> auth_seconds{all_, "postkeep_auth_seconds",
                                 "How long password checks took, with the wait for their turn."};

  // --- Mail
  Family<Counter, 1> deliveries{
      all_,
      "postkeep_deliveries_total",
      {"result"},
      "Recipients of messages that came in, by how it ended: ok, tempfail (try again later) or "
      "refused (never; also unknown recipients)."};
  Single<Counter> delivered_octets{all_, "postkeep_delivered_octets_total",
                                   "Octets of messages that were delivered, once for each recipient."};
  Single<Counter> messages_appended{all_, "postkeep_messages_appended_total",
                                    "Messages that were added to mailboxes, by delivery or by clients; not copies."};
  Single<Counter> messages_expunged{all_, "postkeep_messages_expunged_total",
                                    "Messages that clients removed from mailboxes for good."};
  Single<Counter> fetched_octets{
      all_, "postkeep_fetched_octets_total",
      "Octets of messages that were read for clients (IMAP FETCH of bodies, POP3 RETR, TOP)."};

  Family<Counter, 1> quota_warnings{all_,
                                    "postkeep_quota_warnings_total",
                                    {"percent"},
                                    "How often a user's mail reached a level of the quota (quota.warn_at)."};

  // --- Commands. Unknown and malformed ones are "other".
  Family<Histogram, 2> command_seconds{
      all_,
      "postkeep_command_seconds",
      {"protocol", "command"},
      "Commands, and how long they took until their reply was ready; in that time a slow "
      "client may have been waited for, and IDLE lasts as long as the client likes."};

  // --- Storage
  Single<Gauge> storage_queue{all_, "postkeep_storage_queue", "Jobs of accounts that run or wait for their turn."};
  Single<Histogram> storage_wait_seconds{all_, "postkeep_storage_wait_seconds",
                                         "How long jobs of accounts waited before they ran."};
  Single<Histogram> storage_job_seconds{all_, "postkeep_storage_job_seconds",
                                        "How long jobs of accounts ran, opening the account included."};
  Single<Gauge> open_accounts{all_, "postkeep_open_accounts", "Accounts that are open at this moment."};
  Single<Counter> accounts_opened{all_, "postkeep_accounts_opened_total", "How often an account was opened."};

  // --- Trouble. Where: a protocol, storage, tls, admin; kind: of the error, or how a session ended.
  Family<Counter, 2> errors{
      all_, "postkeep_errors_total", {"where", "kind"}, "Commands, sessions and jobs that failed, by kind."};

  Metrics() = default;
};

// The process's own.
Metrics& metrics();

// Everything in the text format of Prometheus (version 0.0.4), with what the process takes of the machine.
std::string prometheus_text(const Metrics& all);

}  // namespace postkeep::server
