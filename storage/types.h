// The values that cross storage's border. Nothing here knows of paths, SQL or file names.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/mail/date_time.h"
#include "protocol/mail/flags.h"
#include "protocol/mail/ids.h"
#include "protocol/mail/mailbox_name.h"
#include "protocol/mail/uid_set.h"

namespace postkeep::storage {

// A mailbox that exists, or a name that does not but has inferiors that do (\NonExistent).
struct Mailbox {
  MailboxName name;
  MailboxId id;  // 0 for a name that does not exist
  bool exists = true;
  bool subscribed = false;
  SpecialUse special_use = SpecialUse::none;
  UidValidity uid_validity;
};

// STATUS (RFC 9051 §6.3.11, RFC 7162, RFC 8438). Costs nothing in proportion to the mailbox.
struct MailboxStatus {
  std::uint32_t messages = 0;
  std::uint32_t recent = 0;
  std::uint32_t unseen = 0;
  std::uint32_t deleted = 0;
  std::uint64_t size = 0;  // octets, sum of RFC822.SIZE
  Uid uid_next;
  UidValidity uid_validity;
  ModSeq highest_modseq;
};

// What fetch() is to find out. UID, FLAGS and MODSEQ are not here: they stand in MailboxVersion.
struct FetchWants {
  bool dates = false;  // internal_date, save_date
  bool size = false;
  bool line_end = false;    // ends_in_crlf
  bool object_ids = false;  // email_id, thread_id
  bool envelope = false;
  bool body_structure = false;
  bool headers = false;  // cached_headers
};

// One message as the index knows it; members that were not wanted are empty.
struct MessageRow {
  Uid uid;
  UnixTime internal_date;
  UnixTime save_date;
  std::uint64_t size = 0;    // RFC822.SIZE: octets as served
  bool ends_in_crlf = true;  // as served; true of a message without any octet, which has no line to end
  EmailId email_id;
  ThreadId thread_id;
  std::string envelope;        // the bytes of `envelope`, "(...)", for a session without UTF-8 (RFC 9051 §9)
  std::string body_structure;  // the bytes of `body` with extension data
  // The fields of the top-level header that listings ask for, each whole with its CRLFs, in message
  // order: exactly those of cached_header_names() that the message has. nullopt: too large to be cached.
  std::optional<std::string> cached_headers;
};

// Lower-case names of the fields that cached_headers covers.
const std::vector<std::string>& cached_header_names();
bool is_cached_header(std::string_view field_name);  // any case

// Bytes of a stored message as they are served (design: line ends). Independent of the account's lock:
// may be used on any one thread, also after the message was expunged.
class MessageReader {
 public:
  virtual ~MessageReader() = default;
  virtual std::uint64_t size() const = 0;  // octets as served: RFC822.SIZE
  // Up to `count` octets from `offset`, appended to `out`; fewer only at the end. Errors: unavailable, corruption.
  virtual Outcome read(std::uint64_t offset, std::size_t count, std::string& out) = 0;
};

// Where the files of some messages lay when it was made. Nothing is open. Independent of the account, and usable on any
// thread, on several at once; not beyond the MailStore.
class MessageFiles {
 public:
  virtual ~MessageFiles() = default;
  // A small message is read at once, so that its reader holds no file open. Errors: not_found (it has moved or is gone
  // since: AccountStore::open_message() knows), corruption, unavailable.
  virtual Result<std::unique_ptr<MessageReader>> open(Uid uid) const = 0;
};

// A message on its way in: durable bytes in the spool (storage/spool.h), not yet in any mailbox. One
// Incoming may be appended to many mailboxes. Unlinked when the last owner lets go.
class Incoming {
 public:
  virtual ~Incoming() = default;
  virtual Outcome write(std::string_view bytes) = 0;  // too_big above the limit given at opening
  // Between the last write() and finish(): parts with NUL octets get the encoding base64, which every mail program can
  // read (protocol/mime/binary_parts.h). Nothing is done where there are none.
  virtual Outcome encode_binary_parts() = 0;
  // Likewise: the date that it will be appended with. Appending it with another one costs one more sync.
  virtual void set_internal_date(UnixTime date) = 0;
  virtual Outcome finish() = 0;            // synced; no write after it
  virtual std::uint64_t size() const = 0;  // octets so far
};

// One message of an append.
struct AppendItem {
  std::shared_ptr<Incoming> message;  // finished
  Flags flags;
  std::optional<UnixTime> internal_date;  // none: now
};

struct AppendResult {
  UidValidity uid_validity;
  UidSet uids;  // in the order of the items, ascending
};

// COPY and MOVE: source[i] became target[i]; both ascending. For COPYUID (RFC 9051 §7.1).
struct CopyResult {
  UidValidity uid_validity;  // of the target
  UidSet source;
  UidSet target;
};

struct StoreResult {
  UidSet changed;   // whose flags are now other than before
  UidSet modified;  // not touched, since their modseq is above unchanged_since (RFC 7162 §3.1.3)
};

}  // namespace postkeep::storage
