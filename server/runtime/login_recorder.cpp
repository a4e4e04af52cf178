#include "server/runtime/login_recorder.h"

#include <asio/post.hpp>
#include <vector>

namespace postkeep::server {

LoginRecorder::LoginRecorder(WorkerPool& pool, storage::FileSystem& files, std::string path, Problem problem)
    : files_(files), path_(std::move(path)), problem_(std::move(problem)), timer_(pool.get_executor()) {}

void LoginRecorder::note(const std::string& user, std::string_view protocol) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  if (noted_.empty()) write_soon();
  noted_[{user, std::string(protocol)}] = std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

void LoginRecorder::write_soon() {
  timer_.expires_after(write_after);
  timer_.async_wait([this](const asio::error_code& error) {
    if (error) return;
    const WorkerPool::Working working;
    if (const Outcome written = write(); !written && problem_) problem_(written.error());
  });
}

// What could not be written is forgotten: the next login tells more than a retry would.
Outcome LoginRecorder::write() {
  const std::lock_guard one_at_a_time(writing_);
  std::vector<auth::LastLogin> batch;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [who, time] : noted_) batch.push_back({who.first, who.second, time});
    noted_.clear();
  }
  if (!logins_) logins_ = TRY(auth::LastLogins::open(files_, path_));
  return batch.empty() ? Outcome() : logins_->record(batch);
}

Result<auth::LastLogins*> LoginRecorder::logins() {
  TRY(write());
  return logins_.get();
}

void LoginRecorder::close() {
  bool left = false;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    timer_.cancel();
    left = !noted_.empty();
  }
  if (!left) return;
  if (const Outcome written = write(); !written && problem_) problem_(written.error());
}

}  // namespace postkeep::server
