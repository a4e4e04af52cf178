// Maildrop: the messages of INBOX as one POP3 session sees them, fixed at login. RFC 1939 §4, §5. Numbers never move
// in it: what is delivered later is not in it, what others expunge keeps its number and is missed when it is asked for.
// Costs 12 octets a message, and a bit once something is marked. Owned by the session; plain data, never waits.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "protocol/mail/uid_set.h"
#include "protocol/pop3/uidl_format.h"
#include "storage/types.h"

namespace postkeep::pop3 {

class Maildrop {
 public:
  // A message's size is that of what RETR sends, stuffed dots not counted (RFC 1939 §11).
  struct Message {
    Uid uid;
    std::uint64_t size = 0;
  };

  Maildrop(MailboxId mailbox, UidValidity uid_validity, UidlFormat uidl_format = UidlFormat())
      : mailbox_(mailbox), uid_validity_(uid_validity), uidl_format_(std::move(uidl_format)) {}
  // While it is made: messages in ascending UIDs. `row` has size and line end.
  void add(const storage::MessageRow& row);

  MailboxId mailbox() const { return mailbox_; }
  std::uint32_t highest() const { return static_cast<std::uint32_t>(uids_.size()); }  // numbers are 1..highest()
  // Without those marked as deleted:
  std::uint32_t count() const { return highest() - marked_count_; }
  std::uint64_t octets() const { return octets_; }
  bool is_marked(std::uint32_t number) const { return !marked_.empty() && marked_[number - 1]; }

  // Errors: not_found (no such number, or marked as deleted).
  Result<Message> find(std::uint32_t number) const;
  Message at(std::uint32_t number) const;  // 1..highest(), marked or not
  Outcome mark(std::uint32_t number);      // for QUIT to delete. Errors as for find()
  void unmark_all();
  UidSet marked() const;

  UidSet uids() const;  // of all messages, marked or not

  // The unique-id, made of UID and UIDVALIDITY of INBOX. Both stand in the files, so that it outlives sessions,
  // restarts and the index, and no two messages of a maildrop share one (RFC 1939 §7).
  std::string unique_id(Uid uid) const { return uidl_format_.unique_id(uid, uid_validity_); }

 private:
  MailboxId mailbox_;
  UidValidity uid_validity_;
  UidlFormat uidl_format_;
  std::vector<Uid> uids_;
  std::vector<std::uint64_t> sizes_;
  std::vector<bool> marked_;  // empty as long as nothing is marked
  std::uint32_t marked_count_ = 0;
  std::uint64_t octets_ = 0;
};

}  // namespace postkeep::pop3
