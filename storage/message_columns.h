// Columns: one fact of many messages, packed, for what looks at a whole mailbox: SEARCH, SORT and THREAD. A column
// comes in pieces with ascending UIDs; a piece never changes once it is shared, and what it says of a message is true
// for as long as there is the message. ColumnBuilder makes pieces from rows and headers for every backend;
// MessageColumns keeps those of a mailbox; ColumnCursor reads. Used by storage's backends, search_eval and server/imap.
#pragma once

#include <atomic>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/hash128.h"
#include "protocol/mail/ids.h"
#include "protocol/mail/sort_order.h"
#include "protocol/mail/uid_set.h"
#include "protocol/mime/header_fields.h"
#include "storage/types.h"

namespace postkeep::storage {

struct Column {
  enum class Kind : std::uint8_t {
    // numbers of the message's row
    size,           // RFC822.SIZE
    internal_date,  // seconds, as are all times
    save_date,
    // numbers of its header; `none` where the Date field cannot be read
    sent_date,
    sent_day,  // as written, regardless of the zone: Day::days
    // texts that SORT and THREAD compare (mime/collation_keys)
    base_subject,  // the mark says that it answers or forwards something
    cc,
    from,
    to,
    display_from,
    display_to,
    // for THREAD: the hash of the message's own ID (zero: it has none), then of its references, oldest first
    thread_ids,
    // all header fields of one name, decoded and folded, each with field_end behind it
    field_text,
  };
  Kind kind = Kind::size;
  std::uint8_t field = 0;  // of field_text: the place in cached_header_names()
  auto operator<=>(const Column&) const = default;

  static constexpr std::int64_t none = INT64_MIN;
  static constexpr char field_end = '\xFF';  // stands in no text and in no needle, since those are UTF-8
  static std::optional<Column> of_field(std::string_view name);  // lower case; none: not a cached header field
};
constexpr bool is_of_row(Column column) { return column.kind <= Column::Kind::save_date; }
constexpr bool is_number(Column column) { return column.kind <= Column::Kind::sent_day; }
// The text that a criterion of SORT compares. `key` is none of the numbers.
Column column_of(SortKey key);

// One column of some messages. Made by adding messages in ascending order; shared as const.
class ColumnPiece {
 public:
  std::size_t size() const { return uids_.size(); }
  Uid uid(std::size_t at) const { return uids_[at]; }
  Uid first() const { return uids_.front(); }  // of a piece that is not empty
  Uid last() const { return uids_.back(); }
  std::size_t lower_bound(Uid uid, std::size_t from) const;  // the first message from there on whose UID is not smaller

  std::int64_t number(std::size_t at) const { return numbers_[at]; }
  std::string_view text(std::size_t at) const;
  bool mark(std::size_t at) const { return marks_[at] != 0; }
  std::span<const Hash128> ids(std::size_t at) const;

  void add_number(Uid uid, std::int64_t value);
  void add_text(Uid uid, std::string_view text, bool mark);
  void add_ids(Uid uid, std::span<const Hash128> ids);
  void add_from(const ColumnPiece& other, std::size_t at);
  void pack();  // gives back memory that was taken in advance
  std::size_t memory_bytes() const;

 private:
  std::size_t begin_of(std::size_t at) const { return at == 0 ? 0 : ends_[at - 1]; }
  std::vector<Uid> uids_;
  std::vector<std::int64_t> numbers_;
  std::vector<std::uint32_t> ends_;  // of texts or ids
  std::string text_;
  std::vector<std::uint8_t> marks_;
  std::vector<Hash128> ids_;
};

// Ascending and disjoint; none is empty.
using ColumnPieces = std::vector<std::shared_ptr<const ColumnPiece>>;

// Reads a column in ascending order of UIDs.
class ColumnCursor {
 public:
  ColumnCursor() = default;
  explicit ColumnCursor(const ColumnPieces& pieces) : pieces_(&pieces) {}  // which outlive it
  // Moves on to a message; false: the column does not have it.
  bool find(Uid uid);
  // Of the message found:
  std::int64_t number() const { return piece().number(at_); }
  std::string_view text() const { return piece().text(at_); }
  bool mark() const { return piece().mark(at_); }
  std::span<const Hash128> ids() const { return piece().ids(at_); }

 private:
  const ColumnPiece& piece() const { return *(*pieces_)[piece_]; }
  const ColumnPieces* pieces_ = nullptr;
  std::size_t piece_ = 0;
  std::size_t at_ = 0;
};

// Facts of messages, added in ascending order, as a piece for each column.
class ColumnBuilder {
 public:
  explicit ColumnBuilder(std::vector<Column> columns) : columns_(std::move(columns)), pieces_(columns_.size()) {}
  void add_row(Uid uid, UnixTime internal_date, UnixTime save_date, std::uint64_t size);
  // `header` has all fields that are cached, or more.
  void add_header(Uid uid, std::string_view header);
  // Likewise of a header that is too large to be cached: nothing is made of it that may be as large.
  void add_large_header(Uid uid, std::string_view header);
  void add_from(const ColumnBuilder& other);  // of the same columns, with one message
  const std::vector<Column>& columns() const { return columns_; }
  std::vector<ColumnPiece> take() { return std::move(pieces_); }

 private:
  void read_fields(std::string_view header);
  void add_field(std::size_t column, Uid uid);
  std::vector<Column> columns_;
  std::vector<ColumnPiece> pieces_;
  std::vector<mime::HeaderField> fields_;
  std::string text_;
};

// What SORT and THREAD compare messages by (AccountStore::message_keys).
struct MessageKeys {
  UidSet uids;                        // the first of those that were asked for, as far as this goes
  std::vector<ColumnPieces> columns;  // in the order asked for; a message that is gone is in none of them
};

// The columns of a mailbox as far as somebody asked for them. One thread at a time. All MessageColumns of a store share
// `octets`, what they hold together; beyond column_octets_max nothing more is kept.
inline constexpr std::size_t column_octets_max = std::size_t{64} * 1024 * 1024;

class MessageColumns {
 public:
  explicit MessageColumns(std::atomic<std::size_t>& octets) : octets_(octets) {}
  ~MessageColumns() { clear(); }
  MessageColumns(const MessageColumns&) = delete;
  MessageColumns& operator=(const MessageColumns&) = delete;

  // Those of `uids` that the column does not know yet.
  UidSet missing(Column column, const UidSet& uids) const;
  // The pieces that have messages of `uids`. `uids` is not empty.
  ColumnPieces pieces(Column column, const UidSet& uids) const;
  // Adds what was missing: `piece` has those of `uids` that there are. Returns pieces() of `all`, also where nothing is
  // kept. `in_use` are not dropped to make room.
  ColumnPieces add(Column column, ColumnPiece piece, const UidSet& uids, const UidSet& all,
                   std::span<const Column> in_use);
  void clear();

 private:
  struct Known {
    UidSet uids;
    ColumnPieces pieces;
  };
  void drop_others(std::span<const Column> in_use);

  std::map<Column, Known> known_;
  std::atomic<std::size_t>& octets_;
  std::size_t own_octets_ = 0;
};

}  // namespace postkeep::storage
