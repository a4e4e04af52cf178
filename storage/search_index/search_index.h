// SearchIndex: the folded text of an account's messages, and which of them may contain a needle; search.sqlite. RFC
// 9051 §6.4.4. Used by storage/account/text_index, which says what is in it and what of it may be believed.
//
// It narrows, it does not answer: what it does not name surely lacks the needle, what it names must be checked, for
// which it has the text. A message is a mailbox's key and a UID, as in index.sqlite. New messages have a signature each
// ("loose"); 256 of a mailbox are packed into a block, where a trigram is one row of 256 bits. A message that is
// removed leaves its column empty; a block of which a third is empty is taken apart again.
// A cache: whatever is wrong with the file, the caller throws it away. Commits are durable. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/mail/uid_set.h"
#include "storage/index/database.h"
#include "storage/index/message_sql.h"
#include "storage/search_index/signature.h"
#include "storage/stored_text.h"

namespace postkeep::storage {

// The text of a message on its way into the index.
struct IndexedText {
  StoredText stored;
  bool whole = true;  // false: too long to be kept; `stored` is not used
  Signature signature;
};

// Longer texts are not kept: their messages are opened to be checked.
inline constexpr std::size_t stored_text_octets_max = 1024 * 1024;

class SearchIndex {
 public:
  // An empty one in the place of whatever lies there. `identity`: what open() will ask for.
  static Result<std::unique_ptr<SearchIndex>> create(FileSystem& files, const std::string& path, std::int64_t identity);
  // Errors: corruption, where it is damaged, of another version, not there, or of another identity.
  static Result<std::unique_ptr<SearchIndex>> open(FileSystem& files, const std::string& path, std::int64_t identity);
  // No error if it is not there. It is closed.
  static Outcome remove_file(FileSystem& files, const std::string& path);

  // --- Changes: inside a transaction.
  Result<Transaction> begin() { return Transaction::begin(*database_); }
  Outcome put(const MessageKey& message, const IndexedText& text);  // replaces
  Outcome remove(const MessageKey& message);                        // no error if it is not there
  // Packs 256 loose messages of a mailbox into a block, if there are so many; false if not. About 5 ms.
  Result<bool> pack_if_due(std::int64_t mailbox);

  // --- Questions.
  struct Narrowed {
    UidSet known;  // messages of the mailbox with a UID in the range, of which the index has the text
    UidSet maybe;  // the part of them that may contain the needle; all of them if it is shorter than three octets
  };
  Result<Narrowed> narrow(std::int64_t mailbox, Uid first, Uid last, std::string_view needle);
  // None: not known, or too long to be kept.
  Result<std::optional<StoredText>> text(const MessageKey& message);

 private:
  struct Block;
  explicit SearchIndex(std::unique_ptr<Database> database) : database_(std::move(database)) {}
  Result<Block> read_block(const Statement& row) const;
  Outcome narrow_loose(std::int64_t mailbox, Uid first, Uid last, const std::vector<std::uint32_t>& hashes,
                       Narrowed& out);
  Outcome narrow_block(const Block& block, Uid first, Uid last, const std::vector<std::uint32_t>& hashes,
                       Narrowed& out);
  Outcome empty_column(const MessageKey& message);
  Result<std::int64_t*> loose_count(std::int64_t mailbox);
  Outcome pack(std::int64_t mailbox);
  Outcome unpack(const Block& block, std::int64_t mailbox);
  Outcome delete_block(const Block& block);

  std::unique_ptr<Database> database_;
  std::map<std::int64_t, std::int64_t> loose_;  // loose messages at least, of mailboxes that were asked about
};

}  // namespace postkeep::storage
