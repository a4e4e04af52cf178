#include "server/admin/transfer/mbox_target.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "protocol/base/ascii.h"

namespace postkeep::admin {

namespace {

constexpr std::uint64_t record_every_octets = 8 * 1024 * 1024;
constexpr std::size_t head_octets = 512;  // enough for a Return-Path

tl::unexpected<Error> failed(const std::string& path) {
  return failure(errno == ENOSPC || errno == EDQUOT ? ErrorKind::over_quota : ErrorKind::unavailable,
                 "The mbox file cannot be written", path + ": " + std::strerror(errno));
}

tl::unexpected<Error> another_mailbox(const std::string& path) {
  return failure(ErrorKind::cannot, "The file has the messages of another mailbox; export to a new one", path);
}

std::string record_path(const std::string& path) { return path + ".postkeep-export"; }

// The sender of "Return-Path: <sender>", if the message begins with that.
std::string sender_of(std::string_view head) {
  constexpr std::string_view name = "Return-Path: <";
  if (!ascii::istarts_with(head, name)) return {};
  head.remove_prefix(name.size());
  const std::size_t end = head.find_first_of("> \t\r\n");
  return end == std::string_view::npos || head[end] != '>' ? std::string() : std::string(head.substr(0, end));
}

}  // namespace

Result<std::unique_ptr<ExportTarget>> MboxTarget::open(const std::string& path, const std::string& source) {
  struct stat info {};
  const bool exists = stat(path.c_str(), &info) == 0;
  if (exists && (!S_ISREG(info.st_mode) || (info.st_size > 0 && access(record_path(path).c_str(), F_OK) != 0))) {
    return failure(ErrorKind::already_exists, "There is something of that name that no export has made", path);
  }
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return failed(path);
  std::unique_ptr<MboxTarget> target(new MboxTarget(path, source, descriptor));
  if (exists && info.st_size > 0) TRY(target->read_record());
  if (static_cast<std::uint64_t>(info.st_size) < target->size_) {
    return failure(ErrorKind::cannot, "The file is shorter than the last export left it; export to a new one", path);
  }
  target->written_ = target->recorded_size_ = target->size_;
  if (ftruncate(descriptor, static_cast<off_t>(target->size_)) != 0) return failed(path);
  return std::unique_ptr<ExportTarget>(std::move(target));
}

MboxTarget::~MboxTarget() { close(descriptor_); }

Outcome MboxTarget::read_record() {
  std::ifstream file(record_path(path_));
  std::uint32_t uid_validity = 0, last = 0;
  std::uint64_t size = 0;
  std::string source;
  if (!(file >> uid_validity >> last >> size >> source)) {
    return failure(ErrorKind::cannot, "What the last export left beside the file cannot be read", record_path(path_));
  }
  if (source != source_) return another_mailbox(path_);
  uid_validity_ = UidValidity(uid_validity);
  last_ = Uid(last);
  size_ = size;
  return {};
}

Outcome MboxTarget::write_record() {
  if (fdatasync(descriptor_) != 0) return failed(path_);
  const std::string path = record_path(path_);
  std::ofstream file(path + ".new", std::ios::trunc);
  file << uid_validity_.value() << ' ' << last_.value() << ' ' << size_ << ' ' << source_ << '\n';
  file.close();
  if (!file || rename((path + ".new").c_str(), path.c_str()) != 0) return failed(path);
  recorded_size_ = size_;
  return {};
}

// UIDs only grow, so all up to the last are there.
Result<UidSet> MboxTarget::present(UidValidity uid_validity, const UidSet& candidates) {
  if (size_ == 0) {
    uid_validity_ = uid_validity;
    TRY(write_record());
  }
  if (uid_validity_ != uid_validity) return another_mailbox(path_);
  return candidates.intersect(UidSet::of_range(Uid(1), last_));
}

Outcome MboxTarget::append(std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t written = pwrite(descriptor_, octets.data(), octets.size(), static_cast<off_t>(written_));
    if (written < 0 && errno != EINTR) return failed(path_);
    if (written <= 0) continue;
    written_ += static_cast<std::uint64_t>(written);
    octets.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Outcome MboxTarget::begin(const MaildirTarget::Message& message) {
  abandon();
  message_ = message;
  return {};
}

Outcome MboxTarget::write(std::string_view octets) {
  if (!begun_) {
    head_ += octets;
    if (head_.size() < head_octets && octets.size() > 0 && head_.size() < message_.size) return {};
    begun_ = true;
    TRY(writer_.begin(sender_of(head_), message_.internal_date, message_.flags));
    return writer_.write(std::exchange(head_, std::string()));
  }
  return writer_.write(octets);
}

Outcome MboxTarget::end() {
  if (!begun_) TRY(write({}));
  TRY(writer_.end());
  begun_ = false;
  last_ = message_.uid;
  size_ = written_;
  return size_ - recorded_size_ >= record_every_octets ? write_record() : Outcome();
}

void MboxTarget::abandon() {
  begun_ = false;
  head_.clear();
  written_ = size_;
  // What cannot be cut off now is cut off by the next export.
  [[maybe_unused]] const int cut = ftruncate(descriptor_, static_cast<off_t>(size_));
}

Outcome MboxTarget::complete() { return size_ == recorded_size_ ? Outcome() : write_record(); }

}  // namespace postkeep::admin
