// Response codes and conditions: what stands in "NO [TRYCREATE] text". RFC 9051 §7.1, RFC 5530, RFC 4315,
// RFC 5465, RFC 7162, RFC 8474. Made by server/imap, printed by responses/state.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/error.h"
#include "protocol/mail/flags.h"
#include "protocol/mail/ids.h"
#include "protocol/mail/uid_set.h"

namespace postkeep::imap {

enum class Condition { ok, no, bad, bye, preauth };
std::string_view to_wire(Condition condition);

// A value: the text between the brackets, valid syntax by construction.
class ResponseCode {
 public:
  const std::string& text() const { return text_; }
  bool operator==(const ResponseCode&) const = default;

  static ResponseCode alert();
  static ResponseCode parse();
  static ResponseCode read_only();
  static ResponseCode read_write();
  static ResponseCode try_create();
  static ResponseCode uid_not_sticky();
  static ResponseCode closed();
  static ResponseCode not_saved();
  static ResponseCode no_modseq();
  static ResponseCode capability(const std::vector<std::string>& capabilities);
  static ResponseCode bad_charset(const std::vector<std::string>& supported);
  // Are new keywords possible ("\*")?
  enum class NewKeywords { no, yes };
  static ResponseCode permanent_flags(const Flags& flags, NewKeywords new_keywords);
  static ResponseCode uid_next(Uid uid);
  static ResponseCode uid_validity(UidValidity validity);
  static ResponseCode unseen(SeqNum first_unseen);  // RFC 3501 §7.1
  static ResponseCode highest_modseq(ModSeq modseq);
  static ResponseCode notification_overflow();                               // RFC 5465 §5.8
  static ResponseCode bad_event(const std::vector<std::string>& supported);  // RFC 5465 §3.1
  static ResponseCode mailbox_id(MailboxId id);
  static ResponseCode append_uid(UidValidity validity, const UidSet& uids);  // several after MULTIAPPEND
  // The n-th of `from` became the n-th of `to`, so they are lists and not sets: runs are compressed only
  // where both run. RFC 9051 §7.1.
  static ResponseCode copy_uid(UidValidity validity, const std::vector<Uid>& from, const std::vector<Uid>& to);
  static ResponseCode modified(const UidSet& numbers);  // RFC 7162 §3.1.3; UIDs or message numbers
  // The plain code of an error; none for bad_syntax. bad_charset names the charsets that always work.
  static std::optional<ResponseCode> of(ErrorKind kind);

 private:
  explicit ResponseCode(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// BAD for the client's mistakes in syntax and use, NO for everything else.
Condition condition_of(ErrorKind kind);

}  // namespace postkeep::imap
