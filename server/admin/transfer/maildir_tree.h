// A Maildir++ tree of any program's: what import reads and export writes. INBOX is the directory itself, a mailbox A/B
// in it is ".A.B" in modified UTF-7; keywords are letters by dovecot-keywords ("0 $Forwarded", 0 being 'a'); the date
// is the file's modification time. Blocking; on the near side, with the rights of whoever started the command.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/mail/date_time.h"
#include "protocol/mail/flags.h"
#include "protocol/mail/mailbox_name.h"
#include "protocol/mail/uid_set.h"
#include "server/admin/transfer/mbox.h"

namespace postkeep::admin {

struct MaildirMessage {
  std::string path;
  std::string name;  // of the file
  Flags flags;
  UnixTime date;
};

struct MaildirFolder {
  MailboxName mailbox;
  std::string path;
};

struct MaildirTree {
  std::vector<MaildirFolder> folders;  // INBOX first, the others by name
  std::vector<std::string> ignored;    // directories whose names are no mailbox's
};

// Errors: not_found, cannot (no Maildir).
Result<MaildirTree> read_maildir_tree(const std::string& path);
// The messages of cur/ and new/, in the order of their names. Errors: unavailable.
Result<std::vector<MaildirMessage>> read_maildir_folder(const MaildirFolder& folder);
// How many files cur/ and new/ have, without looking at any. Errors: unavailable.
Result<std::size_t> count_messages(const MaildirFolder& folder);
// A file's octets. Errors: not_found (it was renamed or removed meanwhile), unavailable; the sink's.
Outcome read_file(const std::string& path, const OctetSink& sink);

// One folder that export fills. A message's name says which it is, so that it is written once, whoever renames the file
// for its flags: "<save date>.V<uidvalidity>U<uid>.<source>.postkeep,S=<octets>:2,<flags>".
class MaildirTarget {
 public:
  // Makes the directories. `source`: a word that tells the mailboxes apart that may come here. Errors: unavailable,
  // cannot (too long a name).
  static Result<MaildirTarget> open(const std::string& tree, const MailboxName& mailbox, std::string source);

  // What of the mailbox with this UIDVALIDITY is here already; files of a wrong size are removed.
  Result<UidSet> present(UidValidity uid_validity);

  struct Message {
    UidValidity uid_validity;
    Uid uid;
    UnixTime internal_date, save_date;
    Flags flags;
    std::uint64_t size = 0;
  };
  // One message: begin, write, end; it has its name when end() returns. abandon() instead of end(): nothing is left.
  Outcome begin(const Message& message);
  Outcome write(std::string_view octets);
  Outcome end();
  void abandon();
  std::size_t keywords_left_out() const { return keywords_left_out_; }

  MaildirTarget(MaildirTarget&& other) noexcept;
  MaildirTarget& operator=(MaildirTarget&&) = delete;
  ~MaildirTarget() { abandon(); }

 private:
  MaildirTarget(std::string path, std::string source) : path_(std::move(path)), source_(std::move(source)) {}
  Result<std::string> letters(const Flags& flags);

  std::string path_;
  std::string source_;
  std::vector<std::string> keywords_;  // of dovecot-keywords, by letter
  std::size_t keywords_left_out_ = 0;  // a folder has 26 at most
  std::string base_;                   // of the message under way
  std::string name_;
  UnixTime date_;
  int descriptor_ = -1;
};

}  // namespace postkeep::admin
