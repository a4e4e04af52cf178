#include "storage/search_index/search_index.h"

#include <array>
#include <bit>
#include <utility>
#include <vector>

#include "storage/file_system.h"
#include "storage/index/row_values.h"

namespace postkeep::storage {
namespace {

constexpr std::int64_t search_schema_version = 2;  // of the tables, and of what SearchTextExtractor makes of a message
// Row ids of messages are mailbox << 32 | uid, of bits block << 16 | part.
constexpr const char* search_schema_sql = R"sql(
CREATE TABLE facts (identity INTEGER NOT NULL);
CREATE TABLE text (id INTEGER PRIMARY KEY, header_octets INTEGER NOT NULL, text BLOB);   -- NULL: too long
CREATE TABLE loose (id INTEGER PRIMARY KEY, trigrams INTEGER NOT NULL, bits BLOB NOT NULL);
CREATE TABLE block (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  mailbox INTEGER NOT NULL,
  first INTEGER NOT NULL,     -- UIDs between which all of it lie
  last INTEGER NOT NULL,
  live INTEGER NOT NULL,      -- columns that are not empty
  signature_rows INTEGER NOT NULL,
  uids BLOB NOT NULL          -- of each column, 4 octets; 0: empty
);
CREATE INDEX block_of_mailbox ON block (mailbox, last);
CREATE TABLE bits (id INTEGER PRIMARY KEY, bits BLOB NOT NULL);
)sql";

constexpr std::size_t block_columns = 256;
constexpr std::size_t row_octets = block_columns / 8;
constexpr std::uint32_t rows_per_part = 16;  // 512 octets: 7 of them fill a page of 4 KiB
constexpr std::size_t part_octets = rows_per_part * row_octets;
constexpr std::size_t live_min = block_columns - block_columns / 3;
constexpr std::size_t trigrams_asked_max = 16;

std::int64_t row_id(const MessageKey& message) { return storage::row_id(message.key, message.uid); }

using Columns = std::array<std::uint32_t, block_columns>;  // UIDs

std::string columns_to_bytes(const Columns& columns) {
  std::string bytes;
  for (const std::uint32_t uid : columns) {
    for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(uid >> shift);
  }
  return bytes;
}

Columns columns_from_bytes(std::string_view bytes) {
  Columns columns{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    columns[i / 4] |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * (i % 4));
  }
  return columns;
}

tl::unexpected<Error> damaged(const char* what) {
  return failure(ErrorKind::corruption, "A search index is damaged", what);
}

Outcome run_with(Database& database, const char* sql, std::int64_t value) {
  Statement statement = TRY(database.prepare(sql));
  return statement.bind(1, value).run();
}

Outcome put_loose(Database& database, std::int64_t id, std::uint32_t trigrams, std::string_view bits) {
  Statement statement = TRY(database.prepare("INSERT OR REPLACE INTO loose VALUES (?, ?, ?)"));
  return statement.bind(1, id).bind(2, trigrams).bind_blob(3, bits).run();
}

// A block's bits while it is made or taken apart: row by row.
class BitMatrix {
 public:
  explicit BitMatrix(std::uint32_t rows) : bytes_(rows * row_octets, '\0') {}
  void set(std::uint32_t row, std::size_t column) {
    bytes_[row * row_octets + column / 8] |= static_cast<char>(1U << (column % 8));
  }
  void set_column(std::size_t column, std::string_view bits) {
    for (std::size_t i = 0; i < bits.size(); ++i) {
      for (auto octet = static_cast<unsigned char>(bits[i]); octet != 0; octet &= octet - 1) {
        set(static_cast<std::uint32_t>(i * 8 + static_cast<std::size_t>(std::countr_zero(octet))), column);
      }
    }
  }
  std::string column(std::size_t column) const {
    std::string bits(bytes_.size() / block_columns, '\0');
    for (std::size_t row = 0; row < bits.size() * 8; ++row) {
      const auto octet = static_cast<unsigned char>(bytes_[row * row_octets + column / 8]);
      if ((octet >> (column % 8) & 1U) != 0) bits[row / 8] |= static_cast<char>(1U << (row % 8));
    }
    return bits;
  }
  std::size_t parts() const { return bytes_.size() / part_octets; }
  std::string_view part(std::size_t number) const {
    return std::string_view(bytes_).substr(number * part_octets, part_octets);
  }
  void set_part(std::size_t number, std::string_view bytes) {
    bytes_.replace(number * part_octets, part_octets, bytes);
  }

 private:
  std::string bytes_;
};

}  // namespace

struct SearchIndex::Block {
  std::int64_t number = 0;
  std::uint32_t rows = 0;
  std::int64_t live = 0;
  Columns columns{};
  std::int64_t bits_id(std::uint32_t part) const { return (number << 16) | part; }
};

// --- Opening ---

Outcome SearchIndex::remove_file(FileSystem& files, const std::string& path) {
  TRY(remove_files_beside(files, path));
  Outcome gone = files.unlink(path);
  return !gone && gone.error().kind == ErrorKind::not_found ? Outcome() : gone;
}

namespace {

Result<std::unique_ptr<Database>> open_search_database(FileSystem& files, const std::string& path) {
  Database::Options options;
  // What it says must not be older than what index.sqlite says of it: of a mailbox's key that a power cut took back and
  // that another mailbox has now, there would be the other's texts.
  options.durability = Database::Durability::full;
  options.wal_autocheckpoint_pages = 250;  // moving them back is part of a slice
  return Database::open(files, path, options);
}

}  // namespace

Result<std::unique_ptr<SearchIndex>> SearchIndex::create(FileSystem& files, const std::string& path,
                                                         std::int64_t identity) {
  TRY(remove_file(files, path));
  std::unique_ptr<Database> database = TRY(open_search_database(files, path));
  Transaction transaction = TRY(Transaction::begin(*database));
  TRY(database->execute(search_schema_sql));
  TRY(run_with(*database, "INSERT INTO facts VALUES (?)", identity));
  TRY(database->set_user_version(search_schema_version));
  TRY(transaction.commit());
  return std::unique_ptr<SearchIndex>(new SearchIndex(std::move(database)));
}

Result<std::unique_ptr<SearchIndex>> SearchIndex::open(FileSystem& files, const std::string& path,
                                                       std::int64_t identity) {
  if (const Result<FileInfo> info = files.info(path); !info) {
    if (info.error().kind == ErrorKind::not_found) return damaged("it is not there");
    return tl::unexpected<Error>(info.error());
  }
  std::unique_ptr<Database> database = TRY(open_search_database(files, path));
  const std::int64_t version = TRY(database->user_version());
  if (version != search_schema_version) return damaged("it is of another version");
  {
    Statement facts = TRY(database->prepare("SELECT identity FROM facts"));
    const bool found = TRY(facts.step());
    if (!found || facts.integer(0) != identity) return damaged("it is of another account or index");
  }
  return std::unique_ptr<SearchIndex>(new SearchIndex(std::move(database)));
}

// --- Changes ---

Outcome SearchIndex::put(const MessageKey& message, const IndexedText& text) {
  TRY(remove(message));
  {
    Statement statement = TRY(database_->prepare("INSERT INTO text VALUES (?, ?, ?)"));
    statement.bind(1, row_id(message)).bind(2, static_cast<std::int64_t>(text.stored.header_octets));
    if (text.whole) {
      statement.bind_blob(3, text.stored.text);
    } else {
      statement.bind_null(3);
    }
    TRY(statement.run());
  }
  std::int64_t* count = TRY(loose_count(message.key));
  TRY(put_loose(*database_, row_id(message), text.signature.trigrams, text.signature.bits));
  ++*count;
  return {};
}

Outcome SearchIndex::remove(const MessageKey& message) {
  TRY(run_with(*database_, "DELETE FROM text WHERE id = ?", row_id(message)));
  if (database_->changes() == 0) return {};
  TRY(run_with(*database_, "DELETE FROM loose WHERE id = ?", row_id(message)));
  if (database_->changes() != 0) {
    loose_.erase(message.key);
    return {};
  }
  return empty_column(message);
}

Result<SearchIndex::Block> SearchIndex::read_block(const Statement& row) const {
  Block block;
  block.number = row.integer(0);
  block.live = row.integer(1);
  const std::int64_t rows = row.integer(2);
  const std::string_view columns = row.blob(3);
  if (rows < signature_rows_min || rows > signature_rows_max ||
      !std::has_single_bit(static_cast<std::uint64_t>(rows)) || columns.size() != block_columns * 4) {
    return damaged("a block makes no sense");
  }
  block.rows = static_cast<std::uint32_t>(rows);
  block.columns = columns_from_bytes(columns);
  return block;
}

namespace {

constexpr const char* blocks_between =
    "SELECT number, live, signature_rows, uids FROM block WHERE mailbox = ? AND last >= ? AND first <= ?";

}  // namespace

Outcome SearchIndex::empty_column(const MessageKey& message) {
  std::optional<Block> found;
  {
    Statement blocks = TRY(database_->prepare(blocks_between));
    blocks.bind(1, message.key).bind(2, message.uid.value()).bind(3, message.uid.value());
    while (!found && TRY(blocks.step())) {
      Block block = TRY(read_block(blocks));
      for (std::uint32_t& uid : block.columns) {
        if (uid != message.uid.value()) continue;
        uid = 0;
        found = block;
        break;
      }
    }
  }
  if (!found) return damaged("a message is in no block");
  --found->live;
  if (found->live < static_cast<std::int64_t>(live_min)) return unpack(*found, message.key);
  Statement update = TRY(database_->prepare("UPDATE block SET live = ?, uids = ? WHERE number = ?"));
  return update.bind(1, found->live).bind_blob(2, columns_to_bytes(found->columns)).bind(3, found->number).run();
}

// Its messages are loose afterwards.
Outcome SearchIndex::unpack(const Block& block, std::int64_t mailbox) {
  BitMatrix matrix(block.rows);
  {
    Statement parts = TRY(database_->prepare("SELECT id, bits FROM bits WHERE id BETWEEN ? AND ? ORDER BY id"));
    parts.bind(1, block.bits_id(0)).bind(2, block.bits_id(0xffff));
    std::size_t seen = 0;
    while (TRY(parts.step())) {
      if (seen >= matrix.parts() || parts.integer(0) != block.bits_id(static_cast<std::uint32_t>(seen)) ||
          parts.blob(1).size() != part_octets) {
        return damaged("the bits of a block make no sense");
      }
      matrix.set_part(seen++, parts.blob(1));
    }
    if (seen != matrix.parts()) return damaged("bits of a block are missing");
  }
  for (std::size_t column = 0; column < block_columns; ++column) {
    if (block.columns[column] == 0) continue;
    const std::string bits = matrix.column(column);
    std::uint32_t trigrams = 0;
    for (const char octet : bits) {
      trigrams += static_cast<std::uint32_t>(std::popcount(static_cast<unsigned char>(octet)));
    }
    TRY(put_loose(*database_, row_id(mailbox, Uid(block.columns[column])), trigrams, bits));
  }
  loose_.erase(mailbox);
  return delete_block(block);
}

Outcome SearchIndex::delete_block(const Block& block) {
  {
    Statement bits = TRY(database_->prepare("DELETE FROM bits WHERE id BETWEEN ? AND ?"));
    TRY(bits.bind(1, block.bits_id(0)).bind(2, block.bits_id(0xffff)).run());
  }
  return run_with(*database_, "DELETE FROM block WHERE number = ?", block.number);
}

// Counted once: a row of `loose` is wide.
Result<std::int64_t*> SearchIndex::loose_count(std::int64_t mailbox) {
  const auto known = loose_.find(mailbox);
  if (known != loose_.end()) return &known->second;
  Statement count = TRY(database_->prepare("SELECT count(*) FROM loose WHERE id BETWEEN ? AND ?"));
  count.bind(1, row_id(mailbox, Uid(0))).bind(2, row_id(mailbox, Uid(~std::uint32_t{0})));
  TRY(count.step());
  return &(loose_[mailbox] = count.integer(0));
}

Result<bool> SearchIndex::pack_if_due(std::int64_t mailbox) {
  std::int64_t* count = TRY(loose_count(mailbox));
  if (*count < static_cast<std::int64_t>(block_columns)) return false;
  loose_.erase(mailbox);
  TRY(pack(mailbox));
  return true;
}

Outcome SearchIndex::pack(std::int64_t mailbox) {
  struct Loose {
    std::int64_t id;
    std::string bits;
  };
  std::vector<Loose> packed;
  std::uint64_t trigrams = 0;
  {
    Statement loose =
        TRY(database_->prepare("SELECT id, trigrams, bits FROM loose WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?"));
    loose.bind(1, row_id(mailbox, Uid(0))).bind(2, row_id(mailbox, Uid(~std::uint32_t{0}))).bind(3, block_columns);
    while (TRY(loose.step())) {
      packed.push_back(Loose{loose.integer(0), std::string(loose.blob(2))});
      trigrams += static_cast<std::uint64_t>(loose.integer(1));
    }
  }
  if (packed.size() < block_columns) return {};
  Block block;
  block.rows = signature_rows_for(trigrams / block_columns);
  BitMatrix matrix(block.rows);
  for (std::size_t column = 0; column < block_columns; ++column) {
    block.columns[column] = uid_of_row(packed[column].id).value();
    matrix.set_column(column, with_rows(packed[column].bits, block.rows));
    TRY(run_with(*database_, "DELETE FROM loose WHERE id = ?", packed[column].id));
  }
  {
    Statement insert = TRY(database_->prepare("INSERT INTO block VALUES (NULL, ?, ?, ?, ?, ?, ?)"));
    insert.bind(1, mailbox).bind(2, block.columns.front()).bind(3, block.columns.back());
    insert.bind(4, block_columns).bind(5, block.rows).bind_blob(6, columns_to_bytes(block.columns));
    TRY(insert.run());
  }
  block.number = database_->last_insert_rowid();
  Statement bits = TRY(database_->prepare("INSERT INTO bits VALUES (?, ?)"));
  for (std::size_t part = 0; part < matrix.parts(); ++part) {
    TRY(bits.bind(1, block.bits_id(static_cast<std::uint32_t>(part))).bind_blob(2, matrix.part(part)).rerun());
  }
  return {};
}

// --- Questions ---

Result<SearchIndex::Narrowed> SearchIndex::narrow(std::int64_t mailbox, Uid first, Uid last, std::string_view needle) {
  Narrowed narrowed;
  const std::vector<std::uint32_t> hashes = hashes_of(needle, trigrams_asked_max);
  std::vector<Block> blocks;
  {
    Statement rows = TRY(database_->prepare(blocks_between));
    rows.bind(1, mailbox).bind(2, first.value()).bind(3, last.value());
    while (TRY(rows.step())) blocks.push_back(TRY(read_block(rows)));
  }
  for (const Block& block : blocks) TRY(narrow_block(block, first, last, hashes, narrowed));
  TRY(narrow_loose(mailbox, first, last, hashes, narrowed));
  return narrowed;
}

Outcome SearchIndex::narrow_loose(std::int64_t mailbox, Uid first, Uid last, const std::vector<std::uint32_t>& hashes,
                                  Narrowed& out) {
  Statement loose = TRY(database_->prepare("SELECT id, bits FROM loose WHERE id BETWEEN ? AND ?"));
  loose.bind(1, row_id(mailbox, first)).bind(2, row_id(mailbox, last));
  while (TRY(loose.step())) {
    const Uid uid = uid_of_row(loose.integer(0));
    const std::string_view bits = loose.blob(1);
    const auto rows = static_cast<std::uint32_t>(bits.size() * 8);
    if (!std::has_single_bit(rows)) return damaged("a signature makes no sense");
    bool has_all = true;
    for (const std::uint32_t hash : hashes) has_all = has_all && is_set(bits, hash & (rows - 1));
    out.known.add(uid);
    if (has_all) out.maybe.add(uid);
  }
  return {};
}

Outcome SearchIndex::narrow_block(const Block& block, Uid first, Uid last, const std::vector<std::uint32_t>& hashes,
                                  Narrowed& out) {
  std::string bits(row_octets, '\xff');
  for (const std::uint32_t hash : hashes) {
    const std::uint32_t row = hash & (block.rows - 1);
    Statement part = TRY(database_->prepare("SELECT bits FROM bits WHERE id = ?"));
    part.bind(1, block.bits_id(row / rows_per_part));
    const bool found = TRY(part.step());
    if (!found || part.blob(0).size() != part_octets) return damaged("bits of a block are missing");
    const std::string_view of_row = part.blob(0).substr(row % rows_per_part * row_octets, row_octets);
    bool any = false;
    for (std::size_t i = 0; i < row_octets; ++i) any = (bits[i] &= of_row[i]) != 0 || any;
    if (!any) break;
  }
  for (std::size_t column = 0; column < block_columns; ++column) {
    const Uid uid(block.columns[column]);
    if (uid.value() == 0 || uid < first || uid > last) continue;
    out.known.add(uid);
    if (is_set(bits, static_cast<std::uint32_t>(column))) out.maybe.add(uid);
  }
  return {};
}

Result<std::optional<StoredText>> SearchIndex::text(const MessageKey& message) {
  Statement statement = TRY(database_->prepare("SELECT header_octets, text FROM text WHERE id = ?"));
  statement.bind(1, row_id(message));
  if (!TRY(statement.step()) || statement.is_null(1)) return std::optional<StoredText>();
  StoredText stored;
  stored.text = statement.blob(1);
  stored.header_octets = static_cast<std::size_t>(statement.integer(0));
  if (stored.header_octets > stored.text.size()) return damaged("a text is shorter than its header");
  return std::optional<StoredText>(std::move(stored));
}

}  // namespace postkeep::storage
