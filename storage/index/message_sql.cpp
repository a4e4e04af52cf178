#include "storage/index/message_sql.h"

#include <limits>

#include "storage/index/row_values.h"

namespace postkeep::storage {
namespace {

Place place_of(std::int64_t value) { return value == 0 ? Place::cur : Place::fresh; }

FileRow file_of(const Statement& statement) {
  FileRow file;
  file.uid = uid_of_row(statement.integer(0));
  file.place = place_of(statement.integer(1));
  file.name = statement.text(2);
  file.origin = statement.integer(3) == 0 ? Origin::ours : Origin::foreign;
  file.internal_date = UnixTime{statement.integer(4)};
  file.save_date = UnixTime{statement.integer(5)};
  file.octets = static_cast<std::uint64_t>(statement.integer(6));
  file.served = statement.integer(7);
  return file;
}

struct WorkSql {
  const char* add;
  const char* remove;
  const char* next;
  const char* of_mailbox;
};

const WorkSql& sql_of(Work work) {
  static constexpr WorkSql flags = {
      "INSERT OR IGNORE INTO pending_flags VALUES (?)", "DELETE FROM pending_flags WHERE id = ?",
      "SELECT id FROM pending_flags ORDER BY id LIMIT ?", "SELECT id FROM pending_flags WHERE id BETWEEN ? AND ?"};
  static constexpr WorkSql unlink = {"INSERT OR IGNORE INTO doomed VALUES (?)", "DELETE FROM doomed WHERE id = ?",
                                     "SELECT id FROM doomed ORDER BY id LIMIT ?",
                                     "SELECT id FROM doomed WHERE id BETWEEN ? AND ?"};
  static constexpr WorkSql cache = {"INSERT OR IGNORE INTO uncached VALUES (?)", "DELETE FROM uncached WHERE id = ?",
                                    "SELECT id FROM uncached ORDER BY id LIMIT ?",
                                    "SELECT id FROM uncached WHERE id BETWEEN ? AND ?"};
  static constexpr WorkSql text = {"INSERT OR IGNORE INTO unindexed VALUES (?)", "DELETE FROM unindexed WHERE id = ?",
                                   "SELECT id FROM unindexed ORDER BY id DESC LIMIT ?",
                                   "SELECT id FROM unindexed WHERE id BETWEEN ? AND ?"};
  switch (work) {
    case Work::text:
      return text;
    case Work::flags:
      return flags;
    case Work::unlink:
      return unlink;
    case Work::cache:
      break;
  }
  return cache;
}

Outcome run_by_id(Database& database, const char* sql, std::int64_t key, Uid uid) {
  Statement statement = TRY(database.prepare(sql));
  return statement.bind(1, row_id(key, uid)).run();
}

// `sql` is about ids between its two parameters.
Outcome run_by_ranges(Database& database, const char* sql, std::int64_t key, const UidSet& uids) {
  Statement statement = TRY(database.prepare(sql));
  for (const UidSet::Range& range : uids.ranges()) {
    TRY(statement.bind(1, row_id(key, range.first)).bind(2, row_id(key, range.last)).rerun());
  }
  return {};
}

}  // namespace

Outcome visit_messages(Database& database, std::int64_t key, const std::function<void(const MessageState&)>& visit) {
  Statement statement =
      TRY(database.prepare("SELECT id, flags, modseq FROM message WHERE id BETWEEN ? AND ? ORDER BY id"));
  statement.bind(1, row_id(key, Uid(0))).bind(2, row_id(key, Uid(~std::uint32_t{0})));
  while (TRY(statement.step())) {
    visit(MessageState{uid_of_row(statement.integer(0)), static_cast<FlagCode>(statement.integer(1)),
                       ModSeq(static_cast<std::uint64_t>(statement.integer(2)))});
  }
  return {};
}

Result<std::uint32_t> count_messages_from(Database& database, std::int64_t key, Uid first) {
  Statement statement = TRY(database.prepare("SELECT count(*) FROM message WHERE id BETWEEN ? AND ?"));
  statement.bind(1, row_id(key, first)).bind(2, row_id(key, Uid(~std::uint32_t{0})));
  TRY(statement.step());
  return static_cast<std::uint32_t>(statement.integer(0));
}

Result<bool> has_message(Database& database, std::int64_t key, Uid uid) {
  Statement statement = TRY(database.prepare("SELECT 1 FROM message WHERE id = ?"));
  statement.bind(1, row_id(key, uid));
  return TRY(statement.step());
}

Outcome put_message(Database& database, std::int64_t key, const MessageState& message) {
  Statement statement = TRY(database.prepare("INSERT OR REPLACE INTO message VALUES (?, ?, ?)"));
  return statement.bind(1, row_id(key, message.uid))
      .bind(2, message.flags)
      .bind(3, static_cast<std::int64_t>(message.modseq.value()))
      .run();
}

Outcome remove_messages(Database& database, std::int64_t key, const UidSet& uids) {
  for (const char* sql :
       {"DELETE FROM message WHERE id BETWEEN ? AND ?", "DELETE FROM cache WHERE id BETWEEN ? AND ?",
        "DELETE FROM pending_flags WHERE id BETWEEN ? AND ?", "DELETE FROM uncached WHERE id BETWEEN ? AND ?"}) {
    TRY(run_by_ranges(database, sql, key, uids));
  }
  return {};
}

Outcome put_file(Database& database, std::int64_t key, const FileRow& file) {
  Statement statement = TRY(database.prepare("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?)"));
  return statement.bind(1, row_id(key, file.uid))
      .bind(2, static_cast<std::int64_t>(file.place))
      .bind_text(3, file.name)
      .bind(4, static_cast<std::int64_t>(file.origin))
      .bind(5, file.internal_date.seconds)
      .bind(6, file.save_date.seconds)
      .bind(7, static_cast<std::int64_t>(file.octets))
      .bind(8, file.served)
      .run();
}

Result<std::optional<FileRow>> find_file(Database& database, std::int64_t key, Uid uid) {
  Statement statement = TRY(database.prepare(
      "SELECT id, place, name, origin, internal_date, save_date, octets, served FROM file WHERE id = ?"));
  statement.bind(1, row_id(key, uid));
  if (!TRY(statement.step())) return std::optional<FileRow>();
  return std::optional<FileRow>(file_of(statement));
}

Result<std::vector<FileRow>> load_files(Database& database, std::int64_t key, const UidSet& uids) {
  std::vector<FileRow> files;
  for (const UidSet::Range& range : uids.ranges()) {
    Statement statement = TRY(database.prepare(
        "SELECT id, place, name, origin, internal_date, save_date, octets, served FROM file WHERE id BETWEEN ? AND ? "
        "ORDER BY id"));
    statement.bind(1, row_id(key, range.first)).bind(2, row_id(key, range.last));
    while (TRY(statement.step())) files.push_back(file_of(statement));
  }
  return files;
}

Outcome visit_file_names(Database& database, std::int64_t key,
                         const std::function<void(Place place, std::string_view name)>& visit) {
  Statement statement = TRY(database.prepare("SELECT place, name FROM file WHERE id BETWEEN ? AND ?"));
  statement.bind(1, row_id(key, Uid(0))).bind(2, row_id(key, Uid(std::numeric_limits<std::uint32_t>::max())));
  while (TRY(statement.step())) visit(place_of(statement.integer(0)), statement.text(1));
  return {};
}

Outcome visit_file_facts(Database& database, std::int64_t key, const UidSet& uids,
                         const std::function<void(const FileFacts&)>& visit) {
  for (const UidSet::Range& range : uids.ranges()) {
    Statement statement = TRY(
        database.prepare("SELECT id, internal_date, save_date, served FROM file WHERE id BETWEEN ? AND ? ORDER BY id"));
    statement.bind(1, row_id(key, range.first)).bind(2, row_id(key, range.last));
    while (TRY(statement.step())) {
      visit(FileFacts{uid_of_row(statement.integer(0)), UnixTime{statement.integer(1)}, UnixTime{statement.integer(2)},
                      statement.integer(3)});
    }
  }
  return {};
}

Outcome visit_headers(Database& database, std::int64_t key, const UidSet& uids,
                      const std::function<void(Uid, const std::optional<std::string_view>&)>& visit) {
  for (const UidSet::Range& range : uids.ranges()) {
    Statement statement = TRY(database.prepare("SELECT id, headers FROM cache WHERE id BETWEEN ? AND ? ORDER BY id"));
    statement.bind(1, row_id(key, range.first)).bind(2, row_id(key, range.last));
    while (TRY(statement.step())) {
      std::optional<std::string_view> headers;
      if (!statement.is_null(1)) headers = statement.blob(1);
      visit(uid_of_row(statement.integer(0)), headers);
    }
  }
  return {};
}

Outcome set_file_name(Database& database, std::int64_t key, Uid uid, Place place, const std::string& name) {
  Statement statement = TRY(database.prepare("UPDATE file SET place = ?, name = ? WHERE id = ?"));
  return statement.bind(1, static_cast<std::int64_t>(place)).bind_text(2, name).bind(3, row_id(key, uid)).run();
}

Outcome set_served(Database& database, std::int64_t key, Uid uid, std::uint64_t octets) {
  Statement statement = TRY(database.prepare("UPDATE file SET served = ? WHERE id = ?"));
  return statement.bind(1, static_cast<std::int64_t>(octets)).bind(2, row_id(key, uid)).run();
}

Outcome remove_file(Database& database, std::int64_t key, Uid uid) {
  return run_by_id(database, "DELETE FROM file WHERE id = ?", key, uid);
}

Outcome remove_files(Database& database, std::int64_t key, const UidSet& uids) {
  return run_by_ranges(database, "DELETE FROM file WHERE id BETWEEN ? AND ?", key, uids);
}

Outcome put_cache(Database& database, std::int64_t key, Uid uid, const CacheRow& row) {
  Statement statement = TRY(database.prepare("INSERT OR REPLACE INTO cache VALUES (?, ?, ?, ?, ?, ?, ?)"));
  statement.bind(1, row_id(key, uid))
      .bind_blob(2, blob_of(row.email_id))
      .bind_blob(3, blob_of(row.thread_id))
      .bind(4, row.ends_in_crlf ? 1 : 0)
      .bind_blob(5, row.envelope)
      .bind_blob(6, row.body_structure);
  if (row.headers) {
    statement.bind_blob(7, *row.headers);
  } else {
    statement.bind_null(7);
  }
  return statement.run();
}

Outcome remove_cache(Database& database, std::int64_t key, Uid uid) {
  return run_by_id(database, "DELETE FROM cache WHERE id = ?", key, uid);
}

Result<std::optional<CacheRow>> find_cache(Database& database, std::int64_t key, Uid uid) {
  Statement statement =
      TRY(database.prepare("SELECT email_id, thread_id, ends_in_crlf, envelope, body_structure, headers FROM cache "
                           "WHERE id = ?"));
  statement.bind(1, row_id(key, uid));
  if (!TRY(statement.step())) return std::optional<CacheRow>();
  CacheRow row;
  row.email_id = id_from_blob<EmailId>(statement.blob(0));
  row.thread_id = id_from_blob<ThreadId>(statement.blob(1));
  row.ends_in_crlf = statement.integer(2) != 0;
  row.envelope = statement.blob(3);
  row.body_structure = statement.blob(4);
  if (!statement.is_null(5)) row.headers = std::string(statement.blob(5));
  return std::optional<CacheRow>(std::move(row));
}

Result<std::optional<bool>> find_line_end(Database& database, std::int64_t key, Uid uid) {
  Statement statement = TRY(database.prepare("SELECT ends_in_crlf FROM cache WHERE id = ?"));
  statement.bind(1, row_id(key, uid));
  if (!TRY(statement.step())) return std::optional<bool>();
  return std::optional<bool>(statement.integer(0) != 0);
}

Outcome copy_cache(Database& database, std::int64_t key, const UidSet& uids, std::int64_t to_key, Uid first) {
  Statement known =
      TRY(database.prepare("INSERT OR REPLACE INTO cache SELECT id + ?3, email_id, thread_id, ends_in_crlf, envelope, "
                           "body_structure, headers FROM cache WHERE id BETWEEN ?1 AND ?2"));
  Statement unknown =
      TRY(database.prepare("INSERT OR IGNORE INTO uncached SELECT id + ?3 FROM message WHERE id BETWEEN ?1 AND ?2 "
                           "AND NOT EXISTS (SELECT 1 FROM cache WHERE cache.id = message.id)"));
  std::int64_t target = row_id(to_key, first);
  for (const UidSet::Range& range : uids.ranges()) {
    const std::int64_t begin = row_id(key, range.first);
    const std::int64_t end = row_id(key, range.last);
    for (Statement* statement : {&known, &unknown}) {
      TRY(statement->bind(1, begin).bind(2, end).bind(3, target - begin).rerun());
    }
    target += end - begin + 1;
  }
  return {};
}

Outcome add_unlinks(Database& database, std::int64_t key, const UidSet& uids) {
  return run_by_ranges(database, "INSERT OR IGNORE INTO doomed SELECT id FROM message WHERE id BETWEEN ? AND ?", key,
                       uids);
}

Outcome add_work(Database& database, Work work, std::int64_t key, Uid uid) {
  return run_by_id(database, sql_of(work).add, key, uid);
}

Outcome remove_work(Database& database, Work work, std::int64_t key, Uid uid) {
  return run_by_id(database, sql_of(work).remove, key, uid);
}

Result<std::vector<MessageKey>> next_work(Database& database, Work work, std::int64_t limit) {
  std::vector<MessageKey> found;
  Statement statement = TRY(database.prepare(sql_of(work).next));
  statement.bind(1, limit);
  while (TRY(statement.step())) {
    found.push_back(MessageKey{statement.integer(0) >> 32, uid_of_row(statement.integer(0))});
  }
  return found;
}

Result<UidSet> work_of_mailbox(Database& database, Work work, std::int64_t key, Uid first, Uid last) {
  UidSet uids;
  Statement statement = TRY(database.prepare(sql_of(work).of_mailbox));
  statement.bind(1, row_id(key, first)).bind(2, row_id(key, last));
  while (TRY(statement.step())) uids.add(uid_of_row(statement.integer(0)));
  return uids;
}

Result<std::optional<MessageKey>> add_text_work_below(Database& database, MessageKey before, std::int64_t limit) {
  const std::int64_t below = row_id(before.key, before.uid);
  Statement lowest =
      TRY(database.prepare("SELECT min(id) FROM (SELECT id FROM message WHERE id < ? ORDER BY id DESC LIMIT ?)"));
  lowest.bind(1, below).bind(2, limit);
  TRY(lowest.step());
  if (lowest.is_null(0)) return std::optional<MessageKey>();
  const std::int64_t from = lowest.integer(0);
  Statement add =
      TRY(database.prepare("INSERT OR IGNORE INTO unindexed SELECT id FROM message WHERE id >= ? AND id < ?"));
  TRY(add.bind(1, from).bind(2, below).run());
  return std::optional<MessageKey>(MessageKey{from >> 32, uid_of_row(from)});
}

Result<bool> has_work(Database& database, Work work) { return !TRY(next_work(database, work, 1)).empty(); }

}  // namespace postkeep::storage
