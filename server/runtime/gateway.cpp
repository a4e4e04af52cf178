// Opening, closing and looking after accounts. The calls themselves are in gateway_calls.cpp.
#include "server/runtime/gateway.h"

#include <algorithm>
#include <asio/bind_executor.hpp>
#include <exception>
#include <utility>

#include "server/metrics/metrics.h"
#include "server/runtime/change_hub.h"
#include "server/runtime/quota_watch.h"
#include "storage/pooled.h"

namespace postkeep::server {
namespace {

using Clock = std::chrono::steady_clock;
// After a change; what several changes leave to do is done together.
constexpr std::chrono::milliseconds background_rest{50};
constexpr std::chrono::milliseconds retry_first{1'000};  // a background step that failed is tried again
constexpr unsigned retry_doublings_max = 6;

}  // namespace

Account::Account(std::string user, const WorkerPool::executor_type& pool)
    : user_(std::move(user)), strand_(asio::make_strand(pool)), timer_(strand_) {}

Gateway::Gateway(WorkerPool& pool, storage::MailStore& mail, ChangeHub& hub, Options options, Problem problem)
    : pool_(pool), mail_(mail), hub_(hub), options_(options), problem_(std::move(problem)) {}

Gateway::~Gateway() = default;

AccountPtr Gateway::account(const std::string& user) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<Account>& known = accounts_[user];
  AccountPtr account = known.lock();
  if (!account) {
    account = storage::make_pooled<Account>(user, pool_.get_executor());
    known = account;
    // Now and then, so that users who came once do not stay for ever.
    if (accounts_.size() % 1024 == 0)
      std::erase_if(accounts_, [](const auto& entry) { return entry.second.expired(); });
  }
  return account;
}

Result<storage::AccountStore*> Gateway::enter(Account& account) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_) return failure(ErrorKind::unavailable, "The server is shutting down");
    if (held_.contains(account.user_)) return failure(ErrorKind::unavailable, "The user is being renamed");
    if (account.store_) open_.splice(open_.end(), open_, account.place_);
  }
  account.last_use_ = Clock::now();
  if (!account.store_) {
    auto opened = mail_.open(account.user_, [this, &account] {
      hub_.publish(account.user_);
      account.background_due_ = std::min(account.background_due_, Clock::now() + background_rest);
      account.changed_ = true;
    });
    if (!opened) return tl::unexpected<Error>(std::move(opened).error());
    account.store_ = std::move(*opened);
    metrics().accounts_opened.add();
    account.background_due_ = Clock::now() + background_rest;  // what an unclean stop left to do
    account.changed_ = false;
    if (options_.quota_watch != nullptr) account.quota_level_ = options_.quota_watch->level(*account.store_);
    note_open(account);
  }
  return account.store_.get();
}

void Gateway::watch_quota(Account& account) {
  if (options_.quota_watch == nullptr || !account.changed_ || !account.store_) return;
  account.quota_level_ = options_.quota_watch->look(account.user_, *account.store_, account.quota_level_);
  account.changed_ = false;
}

void Gateway::leave(Account& account) {
  watch_quota(account);
  account.is_unlimited_ = account.store_ && account.store_->quota_limits() == storage::QuotaLimits();
  AccountPtr victim;
  {
    std::unique_lock lock(mutex_);
    if (closing_) {  // close() did not see this account, or its turn comes and finds nothing left to do
      lock.unlock();
      return close_store(account);
    }
    victim = pick_victim(account);
  }
  schedule(account);
  if (victim) {
    asio::post(victim->strand_, [this, victim] {
      // It may have been used while this was on its way.
      const bool in_use = Clock::now() - victim->last_use_ < std::chrono::milliseconds(100);
      if (in_use) {
        const std::lock_guard lock(mutex_);
        if (open_.size() <= options_.open_accounts_max * 2) return;
      }
      close_store(*victim);
    });
  }
}

void Gateway::note_open(Account& account) {
  const std::lock_guard lock(mutex_);
  account.place_ = open_.insert(open_.end(), account.shared_from_this());
  account.is_open_ = true;
}

void Gateway::note_closed(Account& account) {
  AccountPtr last;  // may be the account's last owner; destroyed after the lock
  const std::lock_guard lock(mutex_);
  last = *account.place_;
  open_.erase(account.place_);
  account.is_open_ = false;
  if (open_.empty()) all_closed_.notify_all();
}

AccountPtr Gateway::pick_victim(const Account& user) const {
  if (open_.size() <= options_.open_accounts_max) return nullptr;
  const AccountPtr& oldest = open_.front();
  return oldest.get() == &user ? nullptr : oldest;
}

void Gateway::close_store(Account& account) {
  if (!account.store_) return;
  const WorkerPool::Working working;
  const AccountPtr keep = account.shared_from_this();
  account.timer_.cancel();
  account.timer_due_ = Clock::time_point::max();
  account.background_due_ = Clock::time_point::max();
  const Outcome closed = account.store_->close();
  if (!closed && problem_) problem_(account.user_, closed.error());
  account.store_.reset();
  account.is_unlimited_ = false;
  ++closed_;
  note_closed(account);
}

// Sees that housekeep() runs when the next background step or the closing of the account is due.
void Gateway::schedule(Account& account) {
  if (!account.store_) return;
  const Clock::time_point due = std::min(account.background_due_, account.last_use_ + options_.close_after);
  if (due >= account.timer_due_) return;  // it will look again when it fires
  account.timer_due_ = due;
  account.timer_.expires_at(due);
  const unsigned round = ++account.timer_round_;
  account.timer_.async_wait(asio::bind_executor(
      account.strand_, [this, weak = account.weak_from_this(), round](const asio::error_code& error) {
        const AccountPtr self = weak.lock();
        if (error || !self || round != self->timer_round_ || !self->store_) return;
        self->timer_due_ = Clock::time_point::max();
        housekeep(*self);
      }));
}

void Gateway::housekeep(Account& account) {
  const WorkerPool::Working working;
  const Clock::time_point now = Clock::now();
  if (now >= account.background_due_) {
    account.background_due_ = Clock::time_point::max();
    const auto state = account.store_->background_step();
    if (!state) {
      if (problem_) problem_(account.user_, state.error());
      account.background_due_ = now + retry_first * (1U << std::min(account.failures_++, retry_doublings_max));
    } else {
      account.failures_ = 0;
      // min: the step may itself have changed something, which the listener has noted.
      if (state->due_in) account.background_due_ = std::min(account.background_due_, now + *state->due_in);
    }
  } else if (now >= account.last_use_ + options_.close_after) {
    close_store(account);
    return;
  }
  schedule(account);
}

Outcome Gateway::remove_mail(const std::string& user) {
  const AccountPtr handle = account(user);
  auto done = start_with_future(handle->strand_, detail::run_job([this, handle] {
                                  close_store(*handle);
                                  return mail_.remove(handle->user_);
                                }));
  return done.get();
}

Outcome Gateway::rename_mail(const std::string& from, const std::string& to) {
  const AccountPtr handle = account(from);
  auto done = start_with_future(handle->strand_, detail::run_job([this, handle, to] {
                                  close_store(*handle);
                                  return mail_.rename(handle->user_, to);
                                }));
  return done.get();
}

Gateway::Hold Gateway::hold(const std::string& user) {
  const std::lock_guard lock(mutex_);
  held_.insert(user);
  return Hold(*this, user);
}

Gateway::Hold::~Hold() {
  const std::lock_guard lock(gateway_.mutex_);
  gateway_.held_.erase(gateway_.held_.find(user_));
}

bool Gateway::close(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  closing_ = true;
  for (const AccountPtr& open : open_) {
    asio::post(open->strand_, [this, open] { close_store(*open); });
  }
  return all_closed_.wait_for(lock, limit, [this] { return open_.empty(); });
}

Gateway::SteadyTime Gateway::job_queued() {
  metrics().storage_queue.add(1);
  return Clock::now();
}

Gateway::JobRun::JobRun(SteadyTime queued) : began_(Clock::now()) {
  metrics().storage_wait_seconds.observe(began_ - queued);
}

Gateway::JobRun::~JobRun() {
  metrics().storage_job_seconds.observe(Clock::now() - began_);
  metrics().storage_queue.add(-1);
}

std::size_t Gateway::open_accounts() const {
  const std::lock_guard lock(mutex_);
  return open_.size();
}

}  // namespace postkeep::server
