// Spool: a message on its way in, in a file of its own in <data_dir>/spool, so that memory does not grow with the
// message. Synced once, then linked into each folder that gets it. Made by the store for LMTP deliveries and APPEND.
//
// The file is never written once it was linked: all its names are one inode.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/mime/binary_parts.h"
#include "storage/account_store.h"
#include "storage/file_system.h"
#include "storage/maildir/name.h"
#include "storage/message_facts.h"

namespace postkeep::storage {

// A larger message is read again in the background: whoever hands it in does not wait for that.
inline constexpr std::uint64_t facts_on_arrival_octets_max = 128 * 1024;

// One thread at a time. After any failed call but link_into() it stays failed: every later call gives the same error.
class Spool final : public Incoming {
 public:
  // Makes a file in `directory`, which must exist. `limit` in octets. All references outlive the object.
  static Result<std::shared_ptr<Spool>> create(FileSystem& files, Clock& clock, const std::string& directory,
                                               maildir::NameMaker& names, std::uint64_t limit);
  ~Spool() override;  // unlinks the spool's own name; what was linked elsewhere stays
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // Errors: too_big over the limit (the bytes are not taken), over_quota, unavailable.
  Outcome write(std::string_view bytes) override;
  // What comes out is written to a second file, which takes the first one's place. Errors: those of write().
  Outcome encode_binary_parts() override;
  void set_internal_date(UnixTime date) override;
  // Sets the modification time to the internal date, or now, and syncs. No write after it.
  Outcome finish() override;
  // finish() of each of them, with one wait for the disk. Outcomes in the same order.
  static std::vector<Outcome> finish_together(FileSystem& files, std::span<Spool* const> spools);
  std::uint64_t size() const override { return size_; }

  // Of a finished spool:
  // What can be computed from its bytes, computed while they passed by. None of a message over
  // facts_on_arrival_octets_max, nor where they are large themselves: many spools may wait for one commit.
  const std::optional<MessageRow>& facts() const;
  const std::string& path() const { return path_; }
  // Gives the message the name <folder>/cur/<name>: by a link, or by a copy in <folder>/tmp, synced and renamed,
  // where a link is impossible. The file's modification time (INTERNALDATE) is `modified`, or that of finish().
  // The caller syncs <folder>/cur. Returns the modification time. Errors: already_exists; not_found (no such folder);
  // over_quota; unavailable. After an error nothing has that name.
  Result<FileTime> link_into(const std::string& folder_path, const std::string& name, std::optional<FileTime> modified);

 private:
  Spool(FileSystem& files, Clock& clock, std::string path, std::unique_ptr<File> file, std::uint64_t limit);
  Outcome failed(Error error);
  Outcome prepare_sync();
  void note_synced();
  Outcome write_encoded(const std::vector<mime::BinaryPart>& parts);
  Outcome prepare_time(FileTime wanted);
  Outcome copy_into(const std::string& folder_path, const std::string& name, FileTime modified);

  enum class State { writing, finished, failed };
  FileSystem& files_;
  Clock& clock_;
  std::string path_;
  std::unique_ptr<File> file_;
  std::uint64_t limit_;
  std::uint64_t size_ = 0;
  std::unique_ptr<MessageFacts> collecting_ = std::make_unique<MessageFacts>();  // null: too large, or finished
  std::optional<MessageRow> facts_;
  std::optional<FileTime> dated_;  // the internal date, if known
  FileTime modified_{};
  std::uint64_t links_ = 0;  // names it was given, by which its time may no longer change
  State state_ = State::writing;
  Error error_;
};

// Removes what a stopped process left in the spool. Only while no Spool lives there.
Outcome clear_spool(FileSystem& files, const std::string& directory);

}  // namespace postkeep::storage
