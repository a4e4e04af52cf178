#include "server/admin/transfer/report.h"

#include <cmath>

#include "server/admin/progress_bar.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", seconds);
  return text;
}

}  // namespace

void TransferReport::enter(const std::string& mailbox) {
  const std::lock_guard lock(mutex_);
  mailboxes_.push_back({mailbox});
}

void TransferReport::add_done(std::uint64_t messages, std::uint64_t octets) {
  const std::lock_guard lock(mutex_);
  mailboxes_.back().done += messages;
  mailboxes_.back().octets += octets;
}

void TransferReport::add_present(std::uint64_t messages) {
  const std::lock_guard lock(mutex_);
  mailboxes_.back().present += messages;
}

void TransferReport::skip(const std::string& what, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  ++skipped_count_;
  if (skipped_.size() < remarks_max) skipped_.push_back({what, reason});
}

void TransferReport::note(const std::string& what, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  ++notes_count_;
  if (notes_.size() < remarks_max) notes_.push_back({what, reason});
}

std::uint64_t TransferReport::skipped() const {
  const std::lock_guard lock(mutex_);
  return skipped_count_;
}

Json TransferReport::to_json() const {
  const std::lock_guard lock(mutex_);
  Json report = {{"mailboxes", Json::array()}, {"skipped", Json::array()}, {"notes", Json::array()}};
  std::uint64_t done = 0, octets = 0, present = 0;
  for (const Mailbox& mailbox : mailboxes_) {
    report["mailboxes"].push_back({{"name", mailbox.name}, {done_, mailbox.done}, {"present", mailbox.present}});
    done += mailbox.done;
    octets += mailbox.octets;
    present += mailbox.present;
  }
  for (const Remark& remark : skipped_) report["skipped"].push_back({{"what", remark.what}, {"reason", remark.reason}});
  for (const Remark& remark : notes_) report["notes"].push_back({{"what", remark.what}, {"reason", remark.reason}});
  report[done_] = done;
  report["octets"] = octets;
  report["present"] = present;
  report["skipped_count"] = skipped_count_;
  report["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  return report;
}

void TransferReport::print(std::ostream& out) const {
  const Json report = to_json();
  for (const Json& mailbox : report["mailboxes"]) {
    out << mailbox["name"].get<std::string>() << ": " << with_commas(mailbox[done_]) << " " << done_ << ", "
        << with_commas(mailbox["present"]) << " there already\n";
  }
  for (const char* kind : {"skipped", "notes"}) {
    for (const Json& remark : report[kind]) {
      out << (std::string_view(kind) == "notes" ? "note: " : "left out: ") << remark["what"].get<std::string>() << ": "
          << remark["reason"].get<std::string>() << "\n";
    }
  }
  const auto done = report[done_].get<std::uint64_t>(), octets = report["octets"].get<std::uint64_t>();
  const double seconds = report["seconds"];
  out << with_commas(done) << " messages " << done_ << " (" << human_octets(octets) << ") in " << seconds_text(seconds);
  if (done > 0 && seconds > 0) {
    out << ", " << with_commas(static_cast<std::uint64_t>(static_cast<double>(done) / seconds)) << "/s, "
        << human_octets(static_cast<std::uint64_t>(static_cast<double>(octets) / seconds)) << "/s";
  }
  out << "; " << with_commas(report["present"]) << " were there already";
  if (skipped_count_ > 0) out << "; " << with_commas(skipped_count_) << " left out";
  out << "\n";
}

}  // namespace postkeep::admin
