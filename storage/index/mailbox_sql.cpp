#include "storage/index/mailbox_sql.h"

namespace postkeep::storage {
namespace {

constexpr const char* select_sql =
    "SELECT key, mailbox_id, directory, special_use, uid_validity, uid_next, highest_modseq, first_recent, "
    "expunges_known_since, adopt_from, scan_needed, messages, seen, deleted, octets, cur_modified, new_modified, "
    "listed_at FROM mailbox";
constexpr const char* insert_sql =
    "INSERT INTO mailbox (mailbox_id, directory, special_use, uid_validity, uid_next, highest_modseq, first_recent, "
    "expunges_known_since, adopt_from, scan_needed, messages, seen, deleted, octets, cur_modified, new_modified, "
    "listed_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
constexpr const char* update_sql =
    "UPDATE mailbox SET mailbox_id = ?, directory = ?, special_use = ?, uid_validity = ?, uid_next = ?, "
    "highest_modseq = ?, first_recent = ?, expunges_known_since = ?, adopt_from = ?, scan_needed = ?, messages = ?, "
    "seen = ?, deleted = ?, octets = ?, cur_modified = ?, new_modified = ?, listed_at = ? WHERE key = ?";

std::int64_t signed_of(std::uint64_t value) { return static_cast<std::int64_t>(value); }

std::uint32_t narrow(std::int64_t value) { return static_cast<std::uint32_t>(value); }

void bind_row(Statement& statement, const MailboxRow& row) {
  statement.bind(1, signed_of(row.id.value()))
      .bind_text(2, row.directory)
      .bind_text(3, to_wire(row.special_use))
      .bind(4, row.uid_validity.value())
      .bind(5, row.uid_next.value())
      .bind(6, signed_of(row.highest_modseq.value()))
      .bind(7, row.first_recent.value())
      .bind(8, signed_of(row.expunges_known_since.value()))
      .bind(9, row.adopt_from.value())
      .bind(10, row.scan_needed ? 1 : 0)
      .bind(11, row.messages)
      .bind(12, row.seen)
      .bind(13, row.deleted)
      .bind(14, signed_of(row.octets))
      .bind(15, row.cur_modified)
      .bind(16, row.new_modified)
      .bind(17, row.listed_at);
}

MailboxRow row_of(const Statement& statement) {
  MailboxRow row;
  row.key = statement.integer(0);
  row.id = MailboxId(static_cast<std::uint64_t>(statement.integer(1)));
  row.directory = statement.text(2);
  row.special_use = special_use_from_wire(statement.text(3)).value_or(SpecialUse::none);
  row.uid_validity = UidValidity(narrow(statement.integer(4)));
  row.uid_next = Uid(narrow(statement.integer(5)));
  row.highest_modseq = ModSeq(static_cast<std::uint64_t>(statement.integer(6)));
  row.first_recent = Uid(narrow(statement.integer(7)));
  row.expunges_known_since = ModSeq(static_cast<std::uint64_t>(statement.integer(8)));
  row.adopt_from = Uid(narrow(statement.integer(9)));
  row.scan_needed = statement.integer(10) != 0;
  row.messages = narrow(statement.integer(11));
  row.seen = narrow(statement.integer(12));
  row.deleted = narrow(statement.integer(13));
  row.octets = static_cast<std::uint64_t>(statement.integer(14));
  row.cur_modified = statement.integer(15);
  row.new_modified = statement.integer(16);
  row.listed_at = statement.integer(17);
  return row;
}

}  // namespace

Result<std::vector<MailboxRow>> load_mailbox_rows(Database& database) {
  std::vector<MailboxRow> rows;
  Statement statement = TRY(database.prepare(select_sql));
  while (TRY(statement.step())) rows.push_back(row_of(statement));
  return rows;
}

Outcome save_mailbox_row(Database& database, MailboxRow& row) {
  if (row.key == 0) {
    Statement insert = TRY(database.prepare(insert_sql));
    bind_row(insert, row);
    TRY(insert.run());
    row.key = database.last_insert_rowid();
    return {};
  }
  Statement update = TRY(database.prepare(update_sql));
  bind_row(update, row);
  return update.bind(18, row.key).run();
}

Outcome free_directory(Database& database, std::int64_t key) {
  Statement update = TRY(database.prepare("UPDATE mailbox SET directory = '/' || key WHERE key = ?"));
  return update.bind(1, key).run();
}

Outcome drop_mailbox_row(Database& database, std::int64_t key) {
  for (const char* sql : {"DELETE FROM mailbox WHERE key = ?", "DELETE FROM flag_set WHERE mailbox = ?",
                          "DELETE FROM expunged WHERE mailbox = ?", "INSERT INTO dropped_mailbox VALUES (?)"}) {
    Statement statement = TRY(database.prepare(sql));
    TRY(statement.bind(1, key).run());
  }
  return {};
}

Result<bool> remove_dropped_rows(Database& database, std::int64_t limit) {
  Statement next = TRY(database.prepare("SELECT key FROM dropped_mailbox LIMIT 1"));
  if (!TRY(next.step())) return false;
  const std::int64_t key = next.integer(0);
  bool all_gone = true;
  constexpr const char* note_texts =
      "INSERT OR IGNORE INTO unindexed SELECT id FROM message WHERE id >= ?1 AND id < ?2 AND "
      "(SELECT search_identity FROM account) <> 0 LIMIT ?3";
  for (const char* sql :
       {note_texts, "DELETE FROM message WHERE id IN (SELECT id FROM message WHERE id >= ?1 AND id < ?2 LIMIT ?3)",
        "DELETE FROM file WHERE id IN (SELECT id FROM file WHERE id >= ?1 AND id < ?2 LIMIT ?3)",
        "DELETE FROM cache WHERE id IN (SELECT id FROM cache WHERE id >= ?1 AND id < ?2 LIMIT ?3)",
        "DELETE FROM pending_flags WHERE id IN (SELECT id FROM pending_flags WHERE id >= ?1 AND id < ?2 LIMIT ?3)",
        "DELETE FROM doomed WHERE id IN (SELECT id FROM doomed WHERE id >= ?1 AND id < ?2 LIMIT ?3)",
        "DELETE FROM uncached WHERE id IN (SELECT id FROM uncached WHERE id >= ?1 AND id < ?2 LIMIT ?3)"}) {
    Statement statement = TRY(database.prepare(sql));
    TRY(statement.bind(1, key << 32).bind(2, (key + 1) << 32).bind(3, limit).run());
    if (database.changes() >= limit) all_gone = false;
  }
  if (all_gone) {
    Statement done = TRY(database.prepare("DELETE FROM dropped_mailbox WHERE key = ?"));
    TRY(done.bind(1, key).run());
  }
  return true;
}

Result<std::vector<Flags>> load_flag_sets(Database& database, std::int64_t key) {
  std::vector<Flags> sets(1);  // code 0: no flags
  Statement statement =
      TRY(database.prepare("SELECT code, system, keywords FROM flag_set WHERE mailbox = ? ORDER BY code"));
  statement.bind(1, key);
  while (TRY(statement.step())) {
    if (statement.integer(0) != static_cast<std::int64_t>(sets.size())) {
      return failure(ErrorKind::corruption, "A mail index is damaged", "flag_set has gaps");
    }
    Flags flags;
    flags.set_system_bits(static_cast<std::uint8_t>(statement.integer(1)));
    std::string_view rest = statement.text(2);
    while (!rest.empty()) {
      const std::size_t space = rest.find(' ');
      flags.add_keyword(rest.substr(0, space));
      rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
    }
    sets.push_back(std::move(flags));
  }
  return sets;
}

Outcome add_flag_set(Database& database, std::int64_t key, std::int64_t code, const Flags& flags) {
  std::string keywords;
  for (const std::string& keyword : flags.keywords()) {
    if (!keywords.empty()) keywords += ' ';
    keywords += keyword;
  }
  Statement statement = TRY(database.prepare("INSERT INTO flag_set VALUES (?, ?, ?, ?)"));
  return statement.bind(1, key).bind(2, code).bind(3, flags.system_bits()).bind_text(4, keywords).run();
}

Outcome add_expunged(Database& database, std::int64_t key, ModSeq modseq, const UidSet& uids) {
  Statement statement = TRY(database.prepare("INSERT OR REPLACE INTO expunged VALUES (?, ?, ?, ?)"));
  for (const UidSet::Range& range : uids.ranges()) {
    statement.bind(1, key).bind(2, signed_of(modseq.value())).bind(3, range.first.value()).bind(4, range.last.value());
    TRY(statement.rerun());
  }
  return {};
}

Result<UidSet> load_expunged(Database& database, std::int64_t key, ModSeq since) {
  UidSet uids;
  Statement statement = TRY(database.prepare("SELECT first, last FROM expunged WHERE mailbox = ? AND modseq > ?"));
  statement.bind(1, key).bind(2, signed_of(since.value()));
  while (TRY(statement.step())) uids.add_range(Uid(narrow(statement.integer(0))), Uid(narrow(statement.integer(1))));
  return uids;
}

}  // namespace postkeep::storage
