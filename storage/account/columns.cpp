// MaildirAccount's columns (storage/message_columns.h): read from the index, a thousand messages at a time, and kept
// with the mailbox for as long as the account is open.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "storage/account/maildir_account.h"
#include "storage/account/message_cache.h"
#include "storage/message_facts.h"

namespace postkeep::storage {
namespace {

// What message_keys() reads in one turn, so that it stays near 5 ms.
constexpr std::uint64_t rows_per_turn = 4000;
constexpr std::uint64_t headers_per_turn = 1000;
// A message that is not in the index is computed first, one whose header is too large to be kept is read: then all are
// read anew.
constexpr int read_rounds_max = 3;

bool contains(const std::vector<Column>& columns, Column column) {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}
bool any_of_row(const std::vector<Column>& columns) { return std::any_of(columns.begin(), columns.end(), is_of_row); }
bool any_of_header(const std::vector<Column>& columns) {
  return !std::all_of(columns.begin(), columns.end(), is_of_row);
}

// One reading of the index.
class ColumnScan {
 public:
  using LargeHeaders = std::map<Uid, ColumnBuilder>;
  ColumnScan(const std::vector<Column>& columns, const LargeHeaders& large) : builder_(columns), known_large_(large) {}

  Outcome run(Database& index, std::int64_t key, const UidSet& uids) {
    if (any_of_row(builder_.columns())) {
      TRY(visit_file_facts(index, key, uids, [&](const FileFacts& file) { add_file(file); }));
    }
    if (!any_of_header(builder_.columns())) return {};
    UidSet seen;
    TRY(visit_headers(index, key, uids, [&](Uid uid, const std::optional<std::string_view>& headers) {
      seen.add(uid);
      add_headers(uid, headers);
    }));
    unknown_.add_all(uids.subtract(seen));
    return {};
  }

  const UidSet& unknown() const { return unknown_; }  // to be computed first
  const UidSet& large() const { return large_; }      // their headers are not in the index
  std::vector<ColumnPiece> take() { return builder_.take(); }

 private:
  void add_file(const FileFacts& file) {
    const std::vector<Column>& columns = builder_.columns();
    if (contains(columns, Column{Column::Kind::size}) && file.served == served_unknown) {
      unknown_.add(file.uid);
      return;
    }
    builder_.add_row(file.uid, file.internal_date, file.save_date, static_cast<std::uint64_t>(file.served));
  }

  void add_headers(Uid uid, const std::optional<std::string_view>& headers) {
    if (headers) return builder_.add_header(uid, *headers);
    const auto known = known_large_.find(uid);
    if (known != known_large_.end()) return builder_.add_from(known->second);
    large_.add(uid);
  }

  ColumnBuilder builder_;
  const LargeHeaders& known_large_;
  UidSet unknown_;
  UidSet large_;
};

// A message that is gone gets an empty builder.
Result<ColumnBuilder> read_large_header(AccountContext& context, MailboxState& box, Uid uid,
                                        const std::vector<Column>& columns) {
  ColumnBuilder builder(columns);
  const auto only_text = [](Column column) { return is_of_row(column) || column.kind == Column::Kind::field_text; };
  if (std::all_of(columns.begin(), columns.end(), only_text)) return builder;
  Result<std::unique_ptr<MessageReader>> reader = open_file(context, box, uid);
  if (!reader && reader.error().kind == ErrorKind::expunge_issued) return builder;
  const std::unique_ptr<MessageReader> message = TRY(std::move(reader));
  builder.add_large_header(uid, TRY(read_header_block(*message)));
  return builder;
}

}  // namespace

Result<std::vector<ColumnPiece>> MaildirAccount::read_columns(MailboxState& box, const UidSet& uids,
                                                              const std::vector<Column>& columns) {
  ColumnScan::LargeHeaders large;
  FetchWants wants;
  wants.headers = any_of_header(columns);
  wants.size = any_of_row(columns);
  for (int round = 1;; ++round) {
    ColumnScan scan(columns, large);
    TRY(watched(scan.run(*context_.index, box.row.key, uids)));
    // What is missing even then is gone.
    if (round == read_rounds_max || (scan.unknown().empty() && scan.large().empty())) return scan.take();
    if (!scan.unknown().empty()) TRY(fetch(box.row.id, scan.unknown(), wants));
    for (const Uid uid : scan.large().to_vector()) {
      large.emplace(uid, TRY(read_large_header(context_, box, uid, columns)));
    }
  }
}

Result<std::vector<ColumnPieces>> MaildirAccount::columns_of(MailboxState& box, const UidSet& uids,
                                                             const std::vector<Column>& columns) {
  std::vector<ColumnPieces> found(columns.size());
  if (uids.empty() || columns.empty()) return found;
  if (!box.columns) box.columns = std::make_unique<MessageColumns>(context_.store.column_octets);
  std::vector<UidSet> missing;
  for (const Column column : columns) missing.push_back(box.columns->missing(column, uids));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto same = std::find(columns.begin(), columns.begin() + static_cast<std::ptrdiff_t>(i), columns[i]);
    if (const auto first = static_cast<std::size_t>(same - columns.begin()); first < i) {
      found[i] = found[first];
      continue;
    }
    if (missing[i].empty()) {
      if (found[i].empty()) found[i] = box.columns->pieces(columns[i], uids);
      continue;
    }
    // Those that lack the same messages are read together.
    const UidSet wanted = std::exchange(missing[i], UidSet());
    std::vector<std::size_t> group{i};
    std::vector<Column> group_columns{columns[i]};
    for (std::size_t other = i + 1; other < columns.size(); ++other) {
      if (missing[other] != wanted || contains(group_columns, columns[other])) continue;
      missing[other] = UidSet();
      group.push_back(other);
      group_columns.push_back(columns[other]);
    }
    std::vector<ColumnPiece> pieces = TRY(read_columns(box, wanted, group_columns));
    for (std::size_t n = 0; n < group.size(); ++n) {
      found[group[n]] = box.columns->add(group_columns[n], std::move(pieces[n]), wanted, uids, columns);
    }
  }
  return found;
}

Result<MessageKeys> MaildirAccount::message_keys(MailboxId mailbox, const UidSet& uids,
                                                 const std::vector<Column>& columns) {
  MailboxState* box = TRY(ready(mailbox));
  const UidSet existing = box->version->existing(uids);
  UidSet missing;
  for (const Column column : columns) {
    missing.add_all(box->columns ? box->columns->missing(column, existing) : existing);
  }
  const std::uint64_t turn = any_of_header(columns) ? headers_per_turn : rows_per_turn;
  MessageKeys keys;
  keys.uids = uids;
  if (missing.size() > turn) {
    keys.uids = uids.intersect(UidSet::of_range(uids.min(), first_of(missing, turn).max()));
  }
  keys.columns = TRY(columns_of(*box, existing.intersect(keys.uids), columns));
  return keys;
}

}  // namespace postkeep::storage
