// Gateway: the awaitable face of storage. Jobs of one account run one after another on its strand of the storage pool;
// the caller resumes on its own thread with values. Used by all sessions, deliveries and admin commands; nobody else
// opens an account.
//
// Invariants: at most one AccountStore per account is open; changes are published inside the job that made them, so a
// session that dies meanwhile cannot swallow them; no job holds an account longer than about 5 ms (callers pass
// batches); an account that nobody uses is closed after a while, an idle session holds none open.
//
// All calls are thread-safe. Errors besides those of storage/account_store.h: unavailable once it is closing.
#pragma once

#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "server/runtime/ahead.h"
#include "server/runtime/awaits.h"
#include "server/runtime/offload.h"
#include "server/runtime/worker_pool.h"
#include "storage/account_store.h"

namespace postkeep::server {

class ChangeHub;
class Gateway;
class QuotaWatch;

// A handle on one user's mail, cheap to keep: it holds nothing open.
class Account : public std::enable_shared_from_this<Account> {
 public:
  using Strand = asio::strand<WorkerPool::executor_type>;
  Account(std::string user, const WorkerPool::executor_type& pool);
  const std::string& user() const { return user_; }

 private:
  friend class Gateway;
  const std::string user_;
  Strand strand_;
  // On the strand only:
  std::unique_ptr<storage::AccountStore> store_;
  asio::basic_waitable_timer<std::chrono::steady_clock> timer_;  // housekeeping: background steps, closing
  std::chrono::steady_clock::time_point timer_due_ = std::chrono::steady_clock::time_point::max();
  std::chrono::steady_clock::time_point background_due_ = std::chrono::steady_clock::time_point::max();
  std::chrono::steady_clock::time_point last_use_{};
  unsigned timer_round_ = 0;
  unsigned failures_ = 0;  // of background steps in a row
  bool changed_ = false;   // since quota_level_ was last looked at
  unsigned quota_level_ = 0;
  // On any thread: it is open, and nothing limits what it may hold.
  std::atomic<bool> is_unlimited_ = false;
  // Guarded by the gateway's mutex:
  std::list<std::shared_ptr<Account>>::iterator place_{};  // in open_, valid while is_open_
  bool is_open_ = false;
};
using AccountPtr = std::shared_ptr<Account>;

// A mailbox whose folder is watched for changes by other programs, until it is destroyed. May be
// destroyed on any thread.
class FolderWatch;
using FolderWatchPtr = std::shared_ptr<FolderWatch>;

class Gateway {
 public:
  struct Options {
    std::size_t open_accounts_max = 256;
    // Of not being used. An open account costs some 200 KiB and three descriptors, opening one again a fraction of a
    // millisecond: so it stays open for a burst of commands, not for an idle session.
    std::chrono::milliseconds close_after{2'000};
    std::chrono::milliseconds poll_every{5'000};  // folders that cannot be watched
    const QuotaWatch* quota_watch = nullptr;      // none: nobody is warned
  };
  // Told of failures in the background, on a pool thread; nobody else would hear of them.
  using Problem = std::function<void(const std::string& user, const Error& error)>;

  Gateway(WorkerPool& pool, storage::MailStore& mail, ChangeHub& hub, Options options, Problem problem);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // The handle of a user (the name as the directory has it). The mail is made when it is first used.
  AccountPtr account(const std::string& user);

  // Whether nothing limits what the account may hold, as far as that is known without a job. It may change any time.
  static bool is_unlimited(const Account& account) { return account.is_unlimited_; }

  // Runs `job(AccountStore&)`, which returns a Result, on the account's strand. For named functions only, see
  // offload.h.
  template <class Job>
  Awaitable<std::invoke_result_t<Job&, storage::AccountStore&>> run(AccountPtr account, Job job);
  // Runs `job()` on the storage pool beside all strands: reading and decoding of messages.
  template <class Job>
  Awaitable<std::invoke_result_t<Job&>> run_beside(Job job) {
    return run_on(pool_.get_executor(), std::move(job));
  }
  // run() and run_beside() for a caller that goes on meanwhile, on its thread `here`. The job owns what it works on.
  template <class Job>
  Ahead<std::invoke_result_t<Job&, storage::AccountStore&>> start(const asio::any_io_executor& here, AccountPtr account,
                                                                  Job job);
  template <class Job>
  Ahead<std::invoke_result_t<Job&>> start_beside(const asio::any_io_executor& here, Job job) {
    return Ahead<std::invoke_result_t<Job&>>(here, pool_.get_executor(), detail::run_job<Job>(std::move(job)));
  }
  // The same as run() for threads that may block (admin commands). Not on the storage pool.
  template <class Job>
  std::invoke_result_t<Job&, storage::AccountStore&> run_blocking(AccountPtr account, Job job);

  // --- AccountStore's calls, each one job. See storage/account_store.h for contracts and errors.
  Awaitable<Result<std::vector<storage::Mailbox>>> list_mailboxes(AccountPtr account);
  Awaitable<Result<storage::Mailbox>> find_mailbox(AccountPtr account, MailboxName name);
  Awaitable<Result<storage::Mailbox>> create_mailbox(AccountPtr account, MailboxName name,
                                                     SpecialUse special_use = SpecialUse::none);
  Awaitable<Outcome> delete_mailbox(AccountPtr account, MailboxName name);
  Awaitable<Outcome> rename_mailbox(AccountPtr account, MailboxName from, MailboxName to);
  Awaitable<Outcome> subscribe(AccountPtr account, MailboxName name);
  Awaitable<Outcome> unsubscribe(AccountPtr account, MailboxName name);
  Awaitable<Outcome> ensure_default_mailboxes(AccountPtr account,
                                              std::vector<std::pair<MailboxName, SpecialUse>> wanted);
  Awaitable<Result<storage::MailboxStatus>> status(AccountPtr account, MailboxId mailbox);
  Awaitable<Result<storage::MailboxVersionPtr>> version(AccountPtr account, MailboxId mailbox);
  Awaitable<Result<Uid>> claim_recent(AccountPtr account, MailboxId mailbox);
  Awaitable<Outcome> refresh(AccountPtr account, MailboxId mailbox);
  Awaitable<Result<UidSet>> expunged_since(AccountPtr account, MailboxId mailbox, ModSeq since);
  Awaitable<Result<storage::AppendResult>> append(AccountPtr account, MailboxId mailbox,
                                                  std::vector<storage::AppendItem> items);
  Awaitable<Result<storage::AppendResult>> replace(AccountPtr account, MailboxId from, Uid uid, MailboxId to,
                                                   storage::AppendItem item);
  Awaitable<Result<std::vector<storage::MessageRow>>> fetch(AccountPtr account, MailboxId mailbox, UidSet uids,
                                                            storage::FetchWants wants);
  Awaitable<Result<std::shared_ptr<storage::MessageReader>>> open_message(AccountPtr account, MailboxId mailbox,
                                                                          Uid uid);
  Awaitable<Result<storage::StoreResult>> store_flags(AccountPtr account, MailboxId mailbox, UidSet uids,
                                                      FlagChange change, Flags flags,
                                                      std::optional<ModSeq> unchanged_since = std::nullopt);
  Awaitable<Result<storage::CopyResult>> copy(AccountPtr account, MailboxId from, UidSet uids, MailboxId to);
  Awaitable<Result<storage::CopyResult>> move(AccountPtr account, MailboxId from, UidSet uids, MailboxId to);
  Awaitable<Result<UidSet>> expunge(AccountPtr account, MailboxId mailbox, UidSet uids);
  Awaitable<Result<UidSet>> search(AccountPtr account, MailboxId mailbox, SearchKey key, UidSet candidates);

  // --- Beside the strands.
  Awaitable<Result<std::shared_ptr<storage::Incoming>>> begin_incoming(std::uint64_t limit);
  // A message that is there as a whole, from begin_incoming() to finish() in one job.
  enum class BinaryParts { keep, encode };
  struct WholeMessage {
    std::string bytes;
    BinaryParts parts = BinaryParts::keep;
    std::optional<UnixTime> internal_date = std::nullopt;
  };
  using TakenMessage = Result<std::shared_ptr<storage::Incoming>>;
  Awaitable<TakenMessage> take_incoming(std::uint64_t limit, WholeMessage message);
  // Many of them, which wait for the disk together. In the same order.
  Awaitable<std::vector<TakenMessage>> take_incoming(std::uint64_t limit, std::vector<WholeMessage> messages);
  Awaitable<Outcome> write(std::shared_ptr<storage::Incoming> incoming, std::string bytes);
  Awaitable<Outcome> encode_binary_parts(std::shared_ptr<storage::Incoming> incoming);
  Awaitable<Outcome> finish(std::shared_ptr<storage::Incoming> incoming);
  // Up to `count` octets from `offset`.
  Awaitable<Result<std::string>> read(std::shared_ptr<storage::MessageReader> reader, std::uint64_t offset,
                                      std::size_t count);

  // --- Changes by other programs. Wakes the account's watches (ChangeHub) when the folder changes.
  Awaitable<Result<FolderWatchPtr>> watch_folder(AccountPtr account, MailboxId mailbox);
  // What the mail store's descriptor had to say; starts refresh jobs. By runtime/foreign_changes.
  void handle_foreign_changes(const std::vector<storage::MailStore::ForeignChange>& changes);
  // Refreshes the folders that cannot be watched. By runtime/foreign_changes.
  void poll_folders();
  std::chrono::milliseconds poll_interval() const { return options_.poll_every; }

  // --- End
  // Closes the account and removes its mail. Blocking; not on the storage pool. The user's sessions have ended.
  Outcome remove_mail(const std::string& user);
  // Closes the account and gives its mail another name. Likewise. `to` is held().
  Outcome rename_mail(const std::string& from, const std::string& to);
  // While a Hold lives, nobody can use the mail of that name: who tries gets `unavailable`. The account must not be
  // open. Any thread.
  class Hold;
  Hold hold(const std::string& user);
  // Closes all accounts (flags go to the file names) and refuses everything from now on. Blocking; after all
  // sessions ended and before the pool is joined. Returns false if it took longer than `limit`.
  bool close(std::chrono::milliseconds limit);
  std::size_t open_accounts() const;
  // How many accounts have been closed so far: when it grows, there is memory to give back.
  std::uint64_t closed_accounts() const { return closed_; }

 private:
  friend class FolderWatch;
  using SteadyTime = std::chrono::steady_clock::time_point;
  template <class Job>
  static Awaitable<std::invoke_result_t<Job&, storage::AccountStore&>> perform(Gateway& gateway, AccountPtr account,
                                                                               Job job, SteadyTime queued);
  TakenMessage write_whole(std::uint64_t limit, const WholeMessage& message);
  // On the account's strand:
  Result<storage::AccountStore*> enter(Account& account);
  void leave(Account& account);
  void watch_quota(Account& account);
  void close_store(Account& account);
  void schedule(Account& account);
  void housekeep(Account& account);

  void note_open(Account& account);
  void note_closed(Account& account);
  AccountPtr pick_victim(const Account& user) const;  // mutex_ is held
  void start_refresh(const std::string& user, MailboxId mailbox);
  void refresh_folder(Account& account, MailboxId mailbox);
  // A polled folder is looked at every poll_interval(), and watched as soon as that works. False: nobody looks at it.
  bool set_polled(const std::string& user, MailboxId mailbox, bool polled);
  void unwatch(const AccountPtr& account, MailboxId mailbox);

  // For the figures: a job waits from job_queued() on and runs for as long as its JobRun lives.
  static SteadyTime job_queued();
  class JobRun {
   public:
    explicit JobRun(SteadyTime queued);
    ~JobRun();
    JobRun(const JobRun&) = delete;
    JobRun& operator=(const JobRun&) = delete;

   private:
    const WorkerPool::Working working_;
    const SteadyTime began_;
  };

  struct Leave {
    Gateway& gateway;
    Account& account;
    ~Leave() { gateway.leave(account); }
  };

  WorkerPool& pool_;
  storage::MailStore& mail_;
  ChangeHub& hub_;
  const Options options_;
  const Problem problem_;

  mutable std::mutex mutex_;
  std::condition_variable all_closed_;
  bool closing_ = false;
  std::multiset<std::string> held_;
  std::atomic<std::uint64_t> closed_{0};
  std::unordered_map<std::string, std::weak_ptr<Account>> accounts_;
  std::list<AccountPtr> open_;  // least recently used first
  // A folder that somebody looks at.
  struct Folder {
    unsigned watchers = 0;
    bool polled = false;
    bool refresh_waits = false;
    SteadyTime rests_until;
  };
  Folder* find_folder(const std::string& user, MailboxId mailbox);  // mutex_ is held; null: nobody looks at it
  std::map<std::pair<std::string, MailboxId>, Folder> folders_;
};

class Gateway::Hold {
 public:
  Hold(Gateway& gateway, std::string user) : gateway_(gateway), user_(std::move(user)) {}
  ~Hold();
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

 private:
  Gateway& gateway_;
  const std::string user_;
};

// Not a coroutine, so that no caller has the job beside a co_await.
template <class Job>
Awaitable<std::invoke_result_t<Job&, storage::AccountStore&>> Gateway::run(AccountPtr account, Job job) {
  const Account::Strand strand = account->strand_;
  return asio::co_spawn(strand, perform<Job>(*this, std::move(account), std::move(job), job_queued()),
                        asio::use_awaitable);
}

template <class Job>
Ahead<std::invoke_result_t<Job&, storage::AccountStore&>> Gateway::start(const asio::any_io_executor& here,
                                                                         AccountPtr account, Job job) {
  const Account::Strand strand = account->strand_;
  return {here, strand, perform<Job>(*this, std::move(account), std::move(job), job_queued())};
}

template <class Job>
Awaitable<std::invoke_result_t<Job&, storage::AccountStore&>> Gateway::perform(Gateway& gateway, AccountPtr account,
                                                                               Job job, SteadyTime queued) {
  const JobRun running(queued);
  Result<storage::AccountStore*> store = gateway.enter(*account);
  if (!store) co_return tl::unexpected<Error>(std::move(store).error());
  const Leave leave{gateway, *account};
  co_return job(**store);
}

template <class Job>
std::invoke_result_t<Job&, storage::AccountStore&> Gateway::run_blocking(AccountPtr account, Job job) {
  using Answer = std::invoke_result_t<Job&, storage::AccountStore&>;
  const Account::Strand strand = account->strand_;
  auto answer = start_with_future(strand, perform<Job>(*this, std::move(account), std::move(job), job_queued()));
  return Answer(answer.get());
}

}  // namespace postkeep::server
