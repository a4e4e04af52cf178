// MailboxList: the mailboxes of one open account: which there are, making, deleting and renaming them. The folders
// on disk decide; the index remembers. Held by MaildirAccount. One thread at a time.
#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/mail/mailbox_name.h"
#include "storage/account/context.h"
#include "storage/account/mailbox_state.h"
#include "storage/maildir/layout.h"
#include "storage/types.h"

namespace postkeep::storage {

class MailboxList {
 public:
  // What the index is worth, as found when the account was opened.
  enum class IndexState {
    current,  // closed in good order
    unclean,  // its newest changes may be missing
    fresh,    // empty: made just now
  };

  explicit MailboxList(AccountContext& context) : context_(context) {}
  Outcome open(IndexState state);
  void clear();  // as before open(); all MailboxState are gone
  // What a failing disk left of earlier changes. Before folders change: an intent that stays would be carried on at
  // the next start, when its names may mean other mailboxes.
  Outcome settle();
  // Takes in folders that other programs made, renamed or removed; cheap when nothing changed.
  Outcome refresh();

  Result<MailboxState*> find(MailboxId id);  // errors: not_found
  MailboxState* find(const MailboxName& name);
  MailboxState* find_key(std::int64_t key);
  const std::map<MailboxName, std::unique_ptr<MailboxState>>& all() const { return boxes_; }

  std::vector<Mailbox> list() const;  // as AccountStore::list_mailboxes()
  Mailbox describe(const MailboxState& box) const;

  // Each is durable when it returns. As in AccountStore; RENAME of INBOX is the caller's.
  Result<MailboxState*> create(const MailboxName& name, SpecialUse special_use);
  Outcome remove(const MailboxName& name);
  Outcome rename(const MailboxName& from, const MailboxName& to);
  Outcome set_special_use(const MailboxName& name, SpecialUse special_use);

  // Removes from the disk a folder that remove() took out of sight, or one of an earlier run; false: none left.
  Result<bool> remove_leftover();

 private:
  struct Move {
    MailboxName from;
    MailboxName to;
    std::string from_directory;
    std::string to_directory;
    UidValidity uid_validity;
  };
  // Numbers for a new mailbox, durably out of use for any other.
  struct Identity {
    UidValidity uid_validity;
    MailboxId id;
  };
  using RowsById = std::map<MailboxId, MailboxRow>;

  Outcome read_folders();
  Outcome take_doubtful(MailboxRow row);
  Result<std::vector<MailboxName>> adopt_folders(const std::vector<const maildir::Folder*>& folders, RowsById& lost);
  Result<MailboxRow> adopt_folder(const std::string& directory, const maildir::MailboxFile* file, RowsById& lost);
  Outcome record(const RowsById& lost, const std::vector<MailboxName>& fresh);
  MailboxState& attach(const MailboxName& name, MailboxRow row);
  Result<std::vector<Identity>> take_identities(std::size_t count);
  Result<MailboxRow> make_folder(const MailboxName& name, SpecialUse special_use, Identity identity);
  Result<std::vector<Move>> plan_rename(const MailboxName& from, const MailboxName& to);
  Outcome move_folders(const std::vector<Move>& moves);
  bool move_back(const std::vector<Move>& moves, std::size_t moved);
  std::vector<MailboxName> missing_superiors(const MailboxName& name) const;  // outermost first
  std::string leftover_directory() const { return context_.path + "/tmp"; }
  std::string path_of(const std::string& directory) const;

  AccountContext& context_;
  std::map<MailboxName, std::unique_ptr<MailboxState>> boxes_;
  std::unordered_map<MailboxId, MailboxState*> by_id_;
  std::map<std::string, MailboxRow> loose_;  // by directory: rows of the index that have no folder yet
  RowsById strays_;                          // rows whose directory is gone, or may be another mailbox's by now
  bool unclean_ = false;                     // while open() goes through what an unclean stop left
  std::int64_t root_modified_ = 0;           // nanoseconds
  std::int64_t listed_at_us_ = 0;
  bool leftovers_known_ = false;
  std::vector<std::string> leftovers_;
  bool half_renamed_ = false;  // a RENAME failed half way and could not be undone: settle() carries it on
};

}  // namespace postkeep::storage
