// SearchEvaluator: does a message match a SEARCH key? RFC 9051 §6.4.4, RFC 5032, RFC 7162, RFC 8474, RFC 8514.
// Made once per search from the key; then asked message by message. Both backends use it, so that they cannot
// differ in their answers. It reads no disk and no clock itself: what it needs to know of a message it asks a
// SearchSubject, cheapest first, and only when the answer still depends on it.
// Memory is bounded: a header block (mime::Limits), and 256 KiB of message text at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/mail/search_key.h"
#include "storage/mailbox_version.h"
#include "storage/message_columns.h"
#include "storage/stored_text.h"
#include "storage/types.h"

namespace postkeep::storage {

// One message, as far as a search wants to know. Each backend has its own; lives for one matches().
class SearchSubject {
 public:
  virtual ~SearchSubject() = default;
  virtual Uid uid() = 0;
  virtual ModSeq modseq() = 0;
  virtual const Flags& flags() = 0;
  // With at least the members that SearchEvaluator::wants() names. Asked at most once, only if wants_row().
  // The pointer is good until the subject dies.
  virtual Result<const MessageRow*> row() = 0;
  // What a column (of SearchEvaluator::columns(), by its place there) says of the message. None: it is to be made of
  // row and message.
  virtual std::optional<std::int64_t> number(std::size_t /*column*/) { return std::nullopt; }
  virtual std::optional<std::string_view> text(std::size_t /*column*/) { return std::nullopt; }
  // Asked at most once, where a needle must be looked for in what no row has: other header fields, the body.
  virtual Result<std::unique_ptr<MessageReader>> open() = 0;
  // Its text, where a search index has it, which saves open(). Asked at most once.
  virtual std::optional<StoredText> stored_text() { return std::nullopt; }
};

class SearchEvaluator {
 public:
  // `key` has no session-relative parts left (see AccountStore::search); `now` is for OLDER and YOUNGER.
  SearchEvaluator(const SearchKey& key, UnixTime now);
  ~SearchEvaluator();
  SearchEvaluator(SearchEvaluator&&) noexcept;
  SearchEvaluator& operator=(SearchEvaluator&&) noexcept;

  // What rows must have, so that a backend can read them in one go. All false: rows are not asked for.
  const FetchWants& wants() const;
  bool wants_row() const;
  // The columns that answer its keys (storage/message_columns.h), where a backend has them. Without: from the rows.
  const std::vector<Column>& columns() const;
  // May open() be asked? If not, the answer lies in rows and states alone.
  bool may_read_messages() const;

  // Is there a needle for the text of messages?
  bool wants_text() const;
  // Messages of a batch that may have a needle (folded) anywhere in their text.
  using MayContain = std::function<Result<UidSet>(std::string_view needle)>;
  // The part of `candidates` that may match, if `may_contain` is right. Errors: its own.
  Result<UidSet> narrow(const UidSet& candidates, const MayContain& may_contain) const;

  // Errors: what row() and open() return, and what reading returns.
  Result<bool> matches(SearchSubject& subject) const;

 private:
  struct Plan;
  std::unique_ptr<const Plan> plan_;
};

// The same search in steps, the cheapest first: what all of them find one after another, each among what the one before
// found, is what `key` finds.
std::vector<SearchKey> search_stages(const SearchKey& key);

}  // namespace postkeep::storage
