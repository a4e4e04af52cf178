// TransferReport: what an import or export did, for the end of the command. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace postkeep::admin {

class TransferReport {
 public:
  // `done`: "added" or "written", for people.
  explicit TransferReport(std::string_view done) : done_(done) {}

  void enter(const std::string& mailbox);  // what follows is of this one
  void add_done(std::uint64_t messages, std::uint64_t octets);
  void add_present(std::uint64_t messages);  // there already
  // Left out, and why.
  void skip(const std::string& what, const std::string& reason);
  // Done, but not quite.
  void note(const std::string& what, const std::string& reason);
  std::uint64_t skipped() const;

  nlohmann::json to_json() const;
  void print(std::ostream& out) const;

 private:
  struct Mailbox {
    std::string name;
    std::uint64_t done = 0, octets = 0, present = 0;
  };
  struct Remark {
    std::string what, reason;
  };
  static constexpr std::size_t remarks_max = 1'000;  // of each kind; more are counted

  const std::string done_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  mutable std::mutex mutex_;
  std::vector<Mailbox> mailboxes_;
  std::vector<Remark> skipped_, notes_;
  std::uint64_t skipped_count_ = 0, notes_count_ = 0;
};

}  // namespace postkeep::admin
