#include "storage/index/schema.h"

#include "storage/file_system.h"

namespace postkeep::storage {
namespace {

// A message's key is mailbox.key << 32 | uid in all tables, so that one mailbox's rows lie together in
// ascending UIDs. `message` is what SELECT reads whole and is kept as narrow as possible; `file` is read
// when files are looked at; `cache` is what can be computed from the message alone.
constexpr const char* schema_sql = R"sql(
CREATE TABLE account (
  generation INTEGER NOT NULL,
  clean INTEGER NOT NULL,
  search_identity INTEGER NOT NULL      -- of the search.sqlite that goes with this; 0: none
);
INSERT INTO account VALUES (0, 0, 0);
CREATE TABLE mailbox (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  mailbox_id INTEGER NOT NULL UNIQUE,
  directory TEXT NOT NULL UNIQUE,       -- below the account: "" for INBOX, ".Sent"
  special_use TEXT NOT NULL,
  uid_validity INTEGER NOT NULL,
  uid_next INTEGER NOT NULL,
  highest_modseq INTEGER NOT NULL,
  first_recent INTEGER NOT NULL,
  expunges_known_since INTEGER NOT NULL,
  adopt_from INTEGER NOT NULL,          -- files named with a UID from here on may be unknown to us
  scan_needed INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  seen INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  octets INTEGER NOT NULL,
  cur_modified INTEGER NOT NULL,        -- nanoseconds; the directory as we last knew it
  new_modified INTEGER NOT NULL,
  listed_at INTEGER NOT NULL            -- nanoseconds; when it was last listed
);
CREATE TABLE message (id INTEGER PRIMARY KEY, flags INTEGER NOT NULL, modseq INTEGER NOT NULL);
CREATE TABLE file (
  id INTEGER PRIMARY KEY,
  place INTEGER NOT NULL,               -- 0: cur, 1: new
  name TEXT NOT NULL,                   -- as last written or seen: its letters are what we last agreed on
  origin INTEGER NOT NULL,              -- 0: ours, served as it lies; 1: named by others
  internal_date INTEGER NOT NULL,
  save_date INTEGER NOT NULL,
  octets INTEGER NOT NULL,              -- of the file
  served INTEGER NOT NULL               -- RFC822.SIZE; -1: not computed yet
);
CREATE TABLE cache (
  id INTEGER PRIMARY KEY,
  email_id BLOB NOT NULL,
  thread_id BLOB NOT NULL,
  ends_in_crlf INTEGER NOT NULL,        -- as served
  envelope BLOB NOT NULL,
  body_structure BLOB NOT NULL,
  headers BLOB                          -- NULL: too large to be cached
);
CREATE TABLE flag_set (mailbox INTEGER NOT NULL, code INTEGER NOT NULL, system INTEGER NOT NULL, keywords TEXT NOT NULL,
                       PRIMARY KEY (mailbox, code)) WITHOUT ROWID;
CREATE TABLE expunged (mailbox INTEGER NOT NULL, modseq INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
                       PRIMARY KEY (mailbox, modseq, first)) WITHOUT ROWID;
-- Work for background_step(). A doomed message has no row in `message` any more, only one in `file`.
CREATE TABLE pending_flags (id INTEGER PRIMARY KEY);
CREATE TABLE doomed (id INTEGER PRIMARY KEY);
CREATE TABLE uncached (id INTEGER PRIMARY KEY);
-- What search.sqlite may have wrongly or not at all: messages that came, went, or were read again. Kept if it is there.
CREATE TABLE unindexed (id INTEGER PRIMARY KEY);
CREATE TABLE dropped_mailbox (key INTEGER PRIMARY KEY);
)sql";

Outcome make_tables(Database& database) {
  Transaction transaction = TRY(Transaction::begin(database));
  TRY(database.execute(schema_sql));
  TRY(database.set_user_version(index_schema_version));
  return transaction.commit();
}

Result<IndexFacts> read_facts(Database& database) {
  Statement statement = TRY(database.prepare("SELECT generation, clean, search_identity FROM account"));
  if (!TRY(statement.step())) return failure(ErrorKind::corruption, "A mail index is damaged", "no account row");
  IndexFacts facts;
  facts.generation = statement.integer(0);
  facts.clean = statement.integer(1) != 0;
  facts.search_identity = statement.integer(2);
  return facts;
}

// An index that cannot be used comes back as an error of kind corruption.
Result<OpenedIndex> open_existing(FileSystem& files, const std::string& path, std::int64_t oldest_generation) {
  OpenedIndex opened;
  Database::Options options;
  options.durability = Database::Durability::normal;  // IndexChange says which commits are durable
  options.keeps_wal = true;
  opened.database = TRY(Database::open(files, path, options));
  const std::int64_t version = TRY(opened.database->user_version());
  if (version == 0) {
    TRY(make_tables(*opened.database));
    opened.fresh = true;
  } else if (version != index_schema_version) {
    return failure(ErrorKind::corruption, "A mail index is of another version", path);
  }
  opened.facts = TRY(read_facts(*opened.database));
  if (!opened.fresh && opened.facts.generation < oldest_generation) {
    return failure(ErrorKind::corruption, "A mail index is older than the mail", path);
  }
  return opened;
}

}  // namespace

Outcome put_index_aside(FileSystem& files, const std::string& path) {
  TRY(remove_files_beside(files, path));
  if (Outcome moved = files.rename(path, path + ".aside"); !moved && moved.error().kind != ErrorKind::not_found) {
    return moved;
  }
  return {};
}

Result<OpenedIndex> open_index(FileSystem& files, const std::string& path, std::int64_t oldest_generation) {
  Result<OpenedIndex> opened = open_existing(files, path, oldest_generation);
  if (!opened && (opened.error().kind == ErrorKind::corruption || opened.error().kind == ErrorKind::already_exists ||
                  opened.error().kind == ErrorKind::server_bug)) {
    TRY(put_index_aside(files, path));
    opened = open_existing(files, path, 0);
  }
  if (opened && opened->fresh) {
    opened->facts.generation = oldest_generation;
    TRY(save_index_facts(*opened->database, opened->facts));
  }
  return opened;
}

Outcome save_search_identity(Database& database, std::int64_t identity) {
  Statement statement = TRY(database.prepare("UPDATE account SET search_identity = ?"));
  return statement.bind(1, identity).run();
}

Outcome save_index_facts(Database& database, const IndexFacts& facts) {
  Statement statement = TRY(database.prepare("UPDATE account SET generation = ?, clean = ?, search_identity = ?"));
  return statement.bind(1, facts.generation).bind(2, facts.clean ? 1 : 0).bind(3, facts.search_identity).run();
}

}  // namespace postkeep::storage
