#include "storage/index/listing_sql.h"

#include <doctest/doctest.h>

#include "storage/index/message_sql.h"
#include "storage/index/schema.h"
#include "storage/posix_file_system.h"
#include "tests/support/temporary_directory.h"

namespace postkeep::storage {
namespace {

constexpr std::int64_t listed_key = 7;

// An index in which messages with odd UIDs have all that can be known.
struct ListedIndex {
  test::TemporaryDirectory directory;
  std::unique_ptr<FileSystem> files = posix_file_system();
  OpenedIndex index = open_index(*files, directory / "index", 0).value();
  Database& database = *index.database;

  explicit ListedIndex(std::uint32_t last) {
    for (std::uint32_t uid = 1; uid <= last; ++uid) add(uid);
  }

  void add(std::uint32_t uid) {
    FileRow file;
    file.uid = Uid(uid);
    file.name = "name";
    file.internal_date = UnixTime{1000 + uid};
    file.served = uid % 2 == 1 ? 100 + uid : served_unknown;
    REQUIRE(put_file(database, listed_key, file));
    REQUIRE(put_file(database, listed_key + 1, file));
    if (uid % 2 == 0) return;
    CacheRow cache;
    cache.ends_in_crlf = false;
    cache.envelope = "envelope " + std::to_string(uid);
    cache.body_structure = "structure " + std::to_string(uid);
    if (uid % 4 == 1) cache.headers = "headers " + std::to_string(uid);
    REQUIRE(put_cache(database, listed_key, Uid(uid), cache));
  }
};

struct Listing {
  std::vector<MessageRow> rows;
  UidSet left;
};

Listing list_rows(Database& database, const UidSet& uids, const FetchWants& wants) {
  Listing listing;
  const auto keep = [&](MessageRow& row) {
    listing.rows.push_back(row);
    return true;
  };
  listing.left = visit_listed(database, listed_key, uids, wants, keep).value();
  return listing;
}

std::vector<std::uint32_t> uids_of(const Listing& listing) {
  std::vector<std::uint32_t> uids;
  for (const MessageRow& row : listing.rows) uids.push_back(row.uid.value());
  return uids;
}

TEST_CASE("a listing has what is wanted of those messages that are asked for, whatever the gaps") {
  const ListedIndex listed(40);
  Database& database = listed.database;
  FetchWants wants;
  wants.dates = true;
  using Uids = std::vector<std::uint32_t>;
  const UidSet some = {Uid(1), Uid(3), Uid(4), Uid(8), Uid(20), Uid(21), Uid(22), Uid(40), Uid(50)};
  CHECK((uids_of(list_rows(database, some, wants)) == Uids{1, 3, 4, 8, 20, 21, 22, 40}));
  CHECK(list_rows(database, some, wants).rows[1].internal_date.seconds == 1003);
  CHECK(list_rows(database, some, wants).left.empty());
  CHECK(list_rows(database, UidSet(), wants).rows.empty());
  CHECK(list_rows(database, UidSet{Uid(41), Uid(90)}, wants).rows.empty());
}

TEST_CASE("a listing has nothing of another message, and only the columns that are wanted") {
  const ListedIndex listed(9);
  Database& database = listed.database;
  FetchWants wants;
  wants.size = wants.envelope = wants.headers = wants.line_end = true;
  const Listing listing = list_rows(database, UidSet{Uid(1), Uid(3), Uid(5)}, wants);
  REQUIRE(listing.rows.size() == 3);
  CHECK(listing.rows[0].cached_headers == "headers 1");
  CHECK(!listing.rows[1].cached_headers);
  CHECK(listing.rows[2].cached_headers == "headers 5");
  for (const MessageRow& row : listing.rows) {
    CHECK(row.envelope == "envelope " + std::to_string(row.uid.value()));
    CHECK(row.size == 100 + row.uid.value());
    CHECK(!row.ends_in_crlf);
    CHECK(row.body_structure.empty());
    CHECK(row.internal_date.seconds == 0);
  }
}

TEST_CASE("a listing stops where the index does not know enough") {
  const ListedIndex listed(9);
  Database& database = listed.database;
  const UidSet wanted = {Uid(1), Uid(3), Uid(4), Uid(5), Uid(9)};
  for (bool FetchWants::*want : {&FetchWants::size, &FetchWants::line_end, &FetchWants::object_ids,
                                 &FetchWants::envelope, &FetchWants::body_structure, &FetchWants::headers}) {
    FetchWants wants;
    wants.*want = true;
    const Listing listing = list_rows(database, wanted, wants);
    CHECK(listing.rows.size() == 2);
    CHECK(listing.left == UidSet{Uid(4), Uid(5), Uid(9)});
    CHECK(list_rows(database, wanted, wants).rows.size() == 2);  // and the statement is free again
  }
}

}  // namespace
}  // namespace postkeep::storage
