#include "tests/support/sim/breakage.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "protocol/base/ensure.h"
#include "storage/maildir/folder_file.h"
#include "storage/maildir/name.h"
#include "storage/maildir/record_file.h"
#include "tests/support/sim/passing_file_system.h"

namespace postkeep::test {
namespace {

using storage::File;
using storage::FileInfo;
using storage::FileSystem;
using storage::FileTime;

using storage::maildir::AccountFile;
using storage::maildir::MailboxFile;

constexpr std::size_t octets_max = storage::maildir::folder_file_octets_max;

using OnPath = bool (*)(const std::string& path);
using MadeFile = Result<std::unique_ptr<File>>;

bool is_spooled(const std::string& path) { return path.find("/spool/") != std::string::npos; }
bool is_cur(const std::string& path) { return path.ends_with("/cur"); }
bool is_folder_file(const std::string& path) { return path.find("/postkeep-mailbox") != std::string::npos; }
bool is_account_file(const std::string& path) { return path.find("/postkeep-account") != std::string::npos; }
bool is_in_use_list(const std::string& path) { return path.find("/postkeep-in-use") != std::string::npos; }
bool is_intent(const std::string& path) { return path.find("/postkeep-intent.") != std::string::npos; }
bool is_uid_record(const std::string& path) { return path.find("/postkeep-uids") != std::string::npos; }
bool is_keyword_record(const std::string& path) { return path.find("/postkeep-keywords") != std::string::npos; }
bool is_account(const std::string& path) { return path == "/data/mail/anna"; }

// --- A sync left out ---

class UnsyncedFile final : public PassingFile {
 public:
  using PassingFile::PassingFile;
  Outcome sync() override { return {}; }
};

template <OnPath which>
class UnsyncedFiles final : public PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  MadeFile create(const std::string& path, Existing existing) override {
    std::unique_ptr<File> file = TRY(real_.create(path, existing));
    if (which(path)) return std::make_unique<UnsyncedFile>(std::move(file));
    return file;
  }
};

template <OnPath which>
class UnsyncedDirectories final : public PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  Outcome sync_directory(const std::string& path) override {
    return which(path) ? Outcome() : real_.sync_directory(path);
  }
};

class Unsynced final : public PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  MadeFile create(const std::string& path, Existing existing) override {
    return std::make_unique<UnsyncedFile>(TRY(real_.create(path, existing)));
  }
  Outcome sync_directory(const std::string&) override { return {}; }
};

// A file that is replaced: the directory is not synced after the rename.
template <OnPath which>
class UnsyncedReplacement final : public PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  Outcome rename(const std::string& from, const std::string& to) override {
    skip_next_ = which(to);
    return real_.rename(from, to);
  }
  Outcome sync_directory(const std::string& path) override {
    return std::exchange(skip_next_, false) ? Outcome() : real_.sync_directory(path);
  }

 private:
  bool skip_next_ = false;
};

// The intent of a change that is done is removed, but not durably.
class UnsyncedIntentRemoval final : public PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  Outcome unlink(const std::string& path) override {
    skip_next_ = is_intent(path);
    return real_.unlink(path);
  }
  Outcome sync_directory(const std::string& path) override {
    return std::exchange(skip_next_, false) ? Outcome() : real_.sync_directory(path);
  }

 private:
  bool skip_next_ = false;
};

// --- A failed sync ---

class RetriedFile final : public PassingFile {
 public:
  using PassingFile::PassingFile;
  Outcome sync() override { return real_->sync() ? Outcome() : real_->sync(); }
};

class RetriedSyncs final : public PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  MadeFile create(const std::string& path, Existing existing) override {
    return std::make_unique<RetriedFile>(TRY(real_.create(path, existing)));
  }
};

// --- The wrong order ---

// Keeps what is appended until it is read or closed.
class LateFile final : public PassingFile {
 public:
  using PassingFile::PassingFile;
  ~LateFile() override {
    (void)write_out();
    (void)real_->sync();
  }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> buffer) override {
    TRY(write_out());
    return real_->read_at(offset, buffer);
  }
  Outcome append(std::string_view bytes) override {
    late_.append(bytes);
    return {};
  }
  Outcome sync() override { return {}; }
  Outcome truncate(std::uint64_t size) override {
    TRY(write_out());
    return real_->truncate(size);
  }
  Outcome set_modified(FileTime time) override {
    time_ = time;
    return {};
  }
  Result<FileInfo> info() override {
    FileInfo info = TRY(real_->info());
    info.size += late_.size();
    if (time_) info.modified = *time_;
    return info;
  }

 private:
  Outcome write_out() {
    if (!late_.empty()) TRY(real_->append(std::exchange(late_, {})));
    if (time_) TRY(real_->set_modified(*time_));
    return {};
  }
  std::string late_;
  std::optional<FileTime> time_;
};

// Content is written and synced only when the file is closed, after it got its name.
class LateWrites final : public PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  MadeFile create(const std::string& path, Existing existing) override {
    return std::make_unique<LateFile>(TRY(real_.create(path, existing)));
  }
};

// The directory of the messages is synced before they are linked or renamed into it.
class DirectoryFirst final : public PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  Outcome link(const std::string& from, const std::string& to) override {
    TRY(real_.sync_directory(storage::parent_directory(to)));
    return real_.link(from, to);
  }
  Outcome sync_directory(const std::string& path) override {
    return is_cur(path) ? Outcome() : real_.sync_directory(path);
  }
};

// A replaced file is renamed first and synced then.
class RenamedFirst final : public PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  MadeFile create(const std::string& path, Existing existing) override {
    std::unique_ptr<File> file = TRY(real_.create(path, existing));
    if (path.ends_with(".new")) return std::make_unique<UnsyncedFile>(std::move(file));
    return file;
  }
  Outcome rename(const std::string& from, const std::string& to) override {
    TRY(real_.rename(from, to));
    if (!from.ends_with(".new")) return {};
    TRY(real_.sync_directory(storage::parent_directory(to)));
    const std::unique_ptr<File> file = TRY(real_.create(to, Existing::append));
    return file->sync();
  }
};

// MOVE of what must be written anew removes the source before the target is durable.
class SourceFirst final : public PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  Outcome rename_new(const std::string& from, const std::string& to) override {
    written_anew_ = from.find("/tmp/") != std::string::npos;
    return real_.rename_new(from, to);
  }
  Outcome sync_directory(const std::string& path) override {
    if (std::exchange(written_anew_, false)) {
      late_ = path;
      return {};
    }
    TRY(real_.sync_directory(path));
    return late_.empty() ? Outcome() : real_.sync_directory(std::exchange(late_, ""));
  }

 private:
  bool written_anew_ = false;
  std::string late_;
};

// --- Intents ---

// Removed when it has just been written.
class EarlyIntentRemoval final : public PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  MadeFile create(const std::string& path, Existing existing) override {
    if (is_intent(path)) written_ = path;
    return real_.create(path, existing);
  }
  Outcome sync_directory(const std::string& path) override {
    TRY(real_.sync_directory(path));
    if (written_.empty()) return {};
    TRY(real_.unlink(std::exchange(written_, "")));
    return real_.sync_directory(path);
  }
  Outcome unlink(const std::string& path) override {
    Outcome gone = real_.unlink(path);
    const bool was_gone = !gone && gone.error().kind == ErrorKind::not_found && is_intent(path);
    return was_gone ? Outcome() : gone;
  }

 private:
  std::string written_;
};

// Keeps its content for the file system, which writes it when the first message is in its place.
class HeldFile final : public File {
 public:
  explicit HeldFile(std::string& content) : content_(content) { content_.clear(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> buffer) override {
    return content_.copy(buffer.data(), buffer.size(), offset);
  }
  Outcome append(std::string_view bytes) override {
    content_.append(bytes);
    return {};
  }
  Outcome sync() override { return {}; }
  Outcome truncate(std::uint64_t size) override {
    content_.resize(size);
    return {};
  }
  Outcome set_modified(FileTime) override { return {}; }
  Result<FileInfo> info() override { return FileInfo(); }

 private:
  std::string& content_;
};

class LateIntent final : public PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  MadeFile create(const std::string& path, Existing existing) override {
    if (!is_intent(path)) return real_.create(path, existing);
    held_path_ = path;
    return std::make_unique<HeldFile>(held_);
  }
  Outcome link(const std::string& from, const std::string& to) override {
    TRY(real_.link(from, to));
    return write_held();
  }
  Outcome rename_new(const std::string& from, const std::string& to) override {
    TRY(real_.rename_new(from, to));
    return write_held();
  }

 private:
  Outcome write_held() {
    if (held_path_.empty()) return {};
    const std::string path = std::exchange(held_path_, "");
    const std::unique_ptr<File> file = TRY(real_.create(path, Existing::fail));
    TRY(file->append(held_));
    TRY(file->sync());
    return real_.sync_directory(storage::parent_directory(path));
  }
  std::string held_path_, held_;
};

// Recovery removes an intent as soon as it has read it, before it undoes or carries on.
class RecoveredTooSoon final : public PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  MadeFile open_read(const std::string& path) override {
    std::unique_ptr<File> file = TRY(real_.open_read(path));
    if (is_intent(path)) {
      TRY(real_.unlink(path));
      TRY(real_.sync_directory(storage::parent_directory(path)));
    }
    return file;
  }
  Outcome unlink(const std::string& path) override {
    Outcome gone = real_.unlink(path);
    const bool was_gone = !gone && gone.error().kind == ErrorKind::not_found && is_intent(path);
    return was_gone ? Outcome() : gone;
  }
};

// --- Floors ---

// A floor of the folder file stays where it is.
template <std::uint64_t MailboxFile::*floor>
class ForgottenFloor final : public PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  Outcome rename(const std::string& from, const std::string& to) override {
    const auto before = storage::maildir::read_mailbox_file(real_, storage::parent_directory(to));
    if (!is_folder_file(to) || !before) return real_.rename(from, to);
    const std::string text = TRY(storage::read_file(real_, from, octets_max));
    MailboxFile after = TRY(MailboxFile::parse(text));
    after.*floor = (*before).*floor;
    return storage::replace_file(real_, to, after.render());
  }
};

// Writes the account's file without what `forget` takes out.
template <void (*forget)(AccountFile& after, const AccountFile& before)>
class ForgetfulAccount final : public PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  Outcome rename(const std::string& from, const std::string& to) override {
    const auto before = storage::maildir::read_account_file(real_, storage::parent_directory(to));
    if (!is_account_file(to) || !before) return real_.rename(from, to);
    const std::string text = TRY(storage::read_file(real_, from, octets_max));
    AccountFile after = TRY(AccountFile::parse(text));
    forget(after, *before);
    return storage::replace_file(real_, to, after.render());
  }
};
void forget_uid_validity(AccountFile& after, const AccountFile& before) {
  after.uid_validity_floor = before.uid_validity_floor;
}

// --- Expunging ---

// Unlinks what is about to be recorded as expunged.
class UnlinkedFirst final : public PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  MadeFile create(const std::string& path, Existing existing) override {
    std::unique_ptr<File> file = TRY(real_.create(path, existing));
    if (!is_uid_record(path)) return file;
    return std::make_unique<RecordFile>(std::move(file), real_, storage::parent_directory(path));
  }

 private:
  class RecordFile final : public PassingFile {
   public:
    RecordFile(std::unique_ptr<File> real, FileSystem& files, std::string folder)
        : PassingFile(std::move(real)), files_(files), folder_(std::move(folder)) {}
    Outcome append(std::string_view bytes) override {
      for (const storage::maildir::Record& record : storage::maildir::parse_records("", bytes).records) {
        if (const auto* gone = std::get_if<storage::maildir::GoneRecord>(&record)) TRY(unlink_all(*gone));
      }
      TRY(files_.sync_directory(folder_ + "/cur"));
      return real_->append(bytes);
    }

   private:
    Outcome unlink_all(const storage::maildir::GoneRecord& gone) {
      for (const std::string& name : TRY(files_.list(folder_ + "/cur"))) {
        const auto parsed = storage::maildir::FileName::parse(name);
        const auto tag = parsed ? parsed->tag() : std::nullopt;
        if (tag && tag->uid >= gone.first && tag->uid <= gone.last) TRY(files_.unlink(folder_ + "/cur/" + name));
      }
      return {};
    }
    FileSystem& files_;
    std::string folder_;
  };
};

// EXPUNGE leaves out its record: only the index knows what is gone.
class NoGoneRecord final : public PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  MadeFile create(const std::string& path, Existing existing) override {
    std::unique_ptr<File> file = TRY(real_.create(path, existing));
    if (is_uid_record(path)) return std::make_unique<SilentFile>(std::move(file));
    return file;
  }

 private:
  class SilentFile final : public PassingFile {
   public:
    using PassingFile::PassingFile;
    Outcome append(std::string_view bytes) override {
      return bytes.find("gone ") == std::string_view::npos ? real_->append(bytes) : Outcome();
    }
  };
};

// --- Errors ---

template <class T>
T misread(T result) {
  if (result || result.error().kind != ErrorKind::unavailable) return result;
  return failure(ErrorKind::not_found, "Not found in mail storage", result.error().detail);
}

// What cannot be opened or looked at now is taken for not being there.
class MissingIfUnreadable final : public PassingFileSystem {
 public:
  using PassingFileSystem::PassingFileSystem;
  MadeFile open_read(const std::string& path) override { return misread(real_.open_read(path)); }
  Result<FileInfo> info(const std::string& path) override { return misread(real_.info(path)); }
  Result<std::vector<std::string>> list(const std::string& directory) override {
    return misread(real_.list(directory));
  }
};

template <class System>
std::unique_ptr<FileSystem> with(SimulatedDisk& disk) {
  return std::make_unique<System>(disk);
}

std::unique_ptr<FileSystem> with_unsynced_commits(SimulatedDisk& disk) {
  disk.ignore_syncs_of("index.sqlite-wal");
  return std::make_unique<PassingFileSystem>(disk);
}

}  // namespace

const std::vector<Breakage>& breakages() {
  static const std::vector<Breakage> all = {
      {"nothing is synced", "deliver", with<Unsynced>},
      {"a message file is not synced", "deliver", with<UnsyncedFiles<is_spooled>>},
      {"cur/ is not synced after a link", "deliver", with<UnsyncedDirectories<is_cur>>},
      {"cur/ is synced before the link", "APPEND one", with<DirectoryFirst>},
      {"a message is linked before it is written", "deliver", with<LateWrites>},
      {"a failed sync is repeated and believed", "deliver", with<RetriedSyncs>},
      {"the folder file is not synced", "CREATE, DELETE", with<UnsyncedFiles<is_folder_file>>},
      {"the folder file is renamed before it is synced", "CREATE, DELETE", with<RenamedFirst>},
      {"the directory is not synced after the folder file is replaced", "keywords from the 26th on, index lost",
       with<UnsyncedReplacement<is_folder_file>>},
      {"the directory of the account is not synced", "APPEND one", with<UnsyncedDirectories<is_account>>},
      {"the account file is not replaced durably", "SUBSCRIBE, special use",
       with<UnsyncedReplacement<is_account_file>>},
      {"UIDs are told above the floor", "deliver, EXPUNGE after an unclean stop, index lost",
       with<ForgottenFloor<&MailboxFile::uid_floor>>},
      {"MODSEQs are told above the floor", "deliver after an unclean stop",
       with<ForgottenFloor<&MailboxFile::modseq_floor>>},
      {"the UIDVALIDITY floor is not kept", "CREATE, DELETE", with<ForgetfulAccount<forget_uid_validity>>},
      {"the list of accounts in use is not synced", "deliver", with<UnsyncedFiles<is_in_use_list>>},
      {"records of UIDs are not synced", "EXPUNGE, index lost", with<UnsyncedFiles<is_uid_record>>},
      {"records of keywords are not synced", "keywords from the 26th on, index lost",
       with<UnsyncedFiles<is_keyword_record>>},
      {"EXPUNGE leaves no record", "EXPUNGE, index lost", with<NoGoneRecord>},
      {"EXPUNGE unlinks before its record", "EXPUNGE", with<UnlinkedFirst>},
      {"commits of the index are not synced", "STORE", with_unsynced_commits},
      {"an intent is not synced", "APPEND three", with<UnsyncedFiles<is_intent>>},
      {"an intent is removed early", "COPY three", with<EarlyIntentRemoval>},
      {"an intent is written late", "APPEND three", with<LateIntent>},
      {"an intent is not removed durably", "APPEND three", with<UnsyncedIntentRemoval>},
      {"recovery removes an intent before it has carried it out", "COPY three", with<RecoveredTooSoon>},
      {"MOVE removes the source before the target is durable", "MOVE one of another program", with<SourceFirst>},
      {"what cannot be read now is taken for missing", "STORE", with<MissingIfUnreadable>},
  };
  return all;
}

const Breakage& breakage(const std::string& name) {
  const auto found =
      std::find_if(breakages().begin(), breakages().end(), [&](const Breakage& each) { return each.name == name; });
  ENSURE(found != breakages().end(), "a breakage is asked for by its name");
  return *found;
}

}  // namespace postkeep::test
