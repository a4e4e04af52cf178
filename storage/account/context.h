// AccountContext: what all parts of one open account share, and IndexChange, the one way to write to its index.
// Made by maildir_mail_store; used by everything in storage/account. One thread at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "protocol/base/result.h"
#include "storage/account_store.h"
#include "storage/accounts_in_use.h"
#include "storage/file_system.h"
#include "storage/index/database.h"
#include "storage/index/schema.h"
#include "storage/maildir/folder_file.h"
#include "storage/maildir/intent.h"
#include "storage/maildir/name.h"

namespace postkeep::storage {

// An unchanged directory time is believed only if it was this old when the directory was listed: file times are
// coarse, and a change right after the listing may have the same one.
inline constexpr std::int64_t settled_ns = 2'000'000'000;

// UIDs and modseqs are promised in blocks, so that the folder file is written once per block (design, promise 2).
inline constexpr std::uint64_t uid_block = 1000;
inline constexpr std::uint64_t modseq_block = 100'000;

// What all accounts of a data_dir share. Thread-safe parts only.
struct StoreShared {
  FileSystem& files;
  Clock& clock;
  StoreOptions options;
  maildir::NameMaker names;
  AccountsInUse in_use;
  std::atomic<std::size_t> column_octets{0};  // storage/message_columns.h

  StoreShared(FileSystem& file_system, Clock& time, StoreOptions wanted)
      : files(file_system),
        clock(time),
        options(std::move(wanted)),
        names(options.hostname),
        in_use(files, options.data_dir, mail_directory()) {}
  std::string mail_directory() const { return options.data_dir + "/mail"; }
  std::string spool_directory() const { return options.data_dir + "/spool"; }
};

struct AccountContext {
  StoreShared& store;
  std::string path;  // <data_dir>/mail/<user>
  std::unique_ptr<Database> index;
  IndexFacts facts;
  maildir::AccountFile file;
  bool file_in_doubt = false;         // a refused change of postkeep-account may be in it: it is written again
  std::uint64_t told_generation = 0;  // by the name of the generation file; 0: there is none
  bool tracks_text = false;           // changes of messages are noted for search.sqlite: note_text()
  bool commits_are_lazy = true;       // what PRAGMA synchronous says now
  std::uint64_t next_intent = 1;
  std::set<std::uint64_t> spent_intents;  // of finished changes, but could not be removed: settle_intents() tries again

  AccountContext(StoreShared& shared, std::string account_path) : store(shared), path(std::move(account_path)) {}
  FileSystem& files() { return store.files; }
  std::string directory() const { return path.substr(path.rfind('/') + 1); }  // <user>
  std::int64_t now_us() { return store.clock.now().time_since_epoch().count(); }
  UnixTime now() {
    return UnixTime{std::chrono::floor<std::chrono::seconds>(store.clock.now()).time_since_epoch().count()};
  }
};

// Does a commit have to survive a power cut? lazy: what it says can be read back from the folders.
enum class Commit { durable, lazy };

// A transaction on the index. The first one after opening says that the account is in use, and has it on the list of
// those before (accounts_in_use), so that an unclean stop is noticed: counters then go on from their floors. Rolled
// back unless committed.
class IndexChange {
 public:
  static Result<IndexChange> begin(AccountContext& context, Commit commit);
  Outcome commit();

 private:
  IndexChange(AccountContext& context, Transaction transaction, bool first)
      : context_(&context), transaction_(std::move(transaction)), first_(first) {}
  AccountContext* context_;
  Transaction transaction_;
  bool first_;
};

// In a transaction: search.sqlite, if there is one, may have this message wrongly from now on.
Outcome note_text(AccountContext& context, std::int64_t mailbox_key, Uid uid);

// Writes postkeep-account again if that is in doubt, and brings the generation file up to the index's generation, so
// that an older index put in its place is noticed.
Outcome save_generation(AccountContext& context);
Outcome save_account_file(AccountContext& context);

// Removes the intents of finished changes that are still there. Recovery must not find one: it would carry a MOVE or
// RENAME on that is long over, or was refused. Called before folders change, and from time to time.
Outcome settle_intents(AccountContext& context);

// An intent of this account. If it is dropped while it is there it stays for recovery.
class OpenIntent {
 public:
  static Result<OpenIntent> write(AccountContext& context, const maildir::Intent& intent);
  Outcome remove(maildir::Durable durable);
  // The same when nothing is left to carry on or undo: if it cannot be removed now, settle_intents() does it later.
  void finish(maildir::Durable durable);

 private:
  OpenIntent(AccountContext& context, std::uint64_t number) : context_(&context), number_(number) {}
  AccountContext* context_;
  std::uint64_t number_;
};

}  // namespace postkeep::storage
