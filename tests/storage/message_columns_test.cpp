#include "storage/message_columns.h"

#include <doctest/doctest.h>

#include <map>

#include "tests/support/random.h"

using namespace postkeep;
using namespace postkeep::storage;

namespace {

constexpr Column sizes{Column::Kind::size};
constexpr Column dates{Column::Kind::internal_date};

ColumnPiece numbers(const UidSet& uids) {
  ColumnPiece piece;
  uids.for_each([&](Uid uid) { piece.add_number(uid, std::int64_t{uid.value()} * 3); });
  return piece;
}

UidSet seen_in(const ColumnPieces& pieces) {
  UidSet uids;
  for (const auto& piece : pieces) {
    for (std::size_t i = 0; i < piece->size(); ++i) uids.add(piece->uid(i));
  }
  return uids;
}

}  // namespace

TEST_CASE("columns that come in any order of UIDs are read in order") {
  test::Random random(11);
  std::atomic<std::size_t> octets{0};
  MessageColumns columns(octets);
  UidSet known;
  for (int round = 0; round < 200; ++round) {
    UidSet wanted;
    const std::uint32_t start = 1 + random.below(3000);
    for (std::uint32_t uid = start; uid < start + 60; uid += 1 + random.below(3)) wanted.add(Uid(uid));
    const UidSet missing = columns.missing(sizes, wanted);
    CHECK(missing == wanted.subtract(known));
    known.add_all(wanted);
    const ColumnPieces pieces = missing.empty() ? columns.pieces(sizes, wanted)
                                                : columns.add(sizes, numbers(missing), missing, wanted, {&sizes, 1});
    ColumnCursor cursor(pieces);
    wanted.for_each([&](Uid uid) {
      REQUIRE(cursor.find(uid));
      REQUIRE(cursor.number() == std::int64_t{uid.value()} * 3);
    });
    CHECK_FALSE(cursor.find(Uid(9999)));
  }
  CHECK(seen_in(columns.pieces(sizes, known)) == known);
  CHECK(columns.missing(dates, known) == known);
  CHECK(octets > known.size() * 12);
  columns.clear();
  CHECK(octets == 0);
  CHECK(columns.missing(sizes, known) == known);
}

TEST_CASE("deliveries one by one do not leave a piece each") {
  std::atomic<std::size_t> octets{0};
  MessageColumns columns(octets);
  for (std::uint32_t uid = 1; uid <= 3000; ++uid) {
    const UidSet one{Uid(uid)};
    columns.add(sizes, numbers(one), one, one, {&sizes, 1});
  }
  CHECK(columns.pieces(sizes, UidSet::of_range(Uid(1), Uid(3000))).size() == 3);
}

TEST_CASE("beyond the limit of all mailboxes together nothing is kept, but all is answered") {
  std::atomic<std::size_t> octets{0};
  {
    MessageColumns columns(octets);
    const UidSet first = UidSet::of_range(Uid(1), Uid(100));
    columns.add(dates, numbers(first), first, first, {&dates, 1});
    octets += column_octets_max;  // another mailbox's
    const ColumnPieces pieces = columns.add(sizes, numbers(first), first, first, {&sizes, 1});
    CHECK(seen_in(pieces) == first);
    CHECK(columns.missing(sizes, first) == first);
    CHECK(columns.missing(dates, first) == first);  // had to go
    octets -= column_octets_max;
    columns.add(sizes, numbers(first), first, first, {&sizes, 1});
    CHECK(columns.missing(sizes, first).empty());
  }
  CHECK(octets == 0);
}

TEST_CASE("text of a header field is folded field by field, and large headers leave it out") {
  const Column subject = Column::of_field("subject").value();
  CHECK_FALSE(Column::of_field("received"));
  ColumnBuilder builder({subject, Column{Column::Kind::from}});
  builder.add_header(Uid(1), "Subject: =?utf-8?Q?a=C3=A4?=\r\nFrom: b@x\r\nSUBJECT: c\r\n\r\n");
  ColumnBuilder large(builder.columns());
  large.add_large_header(Uid(2), "Subject: long\r\nFrom: d@x\r\n\r\n");
  builder.add_from(large);
  builder.add_header(Uid(3), "\r\n");
  const std::vector<ColumnPiece> pieces = builder.take();
  REQUIRE(pieces[0].size() == 2);
  CHECK(pieces[0].text(0) ==
        "AA\xCC\x88\xFF"
        "C\xFF");
  CHECK(pieces[0].text(1).empty());
  REQUIRE(pieces[1].size() == 3);
  CHECK(pieces[1].text(1) == "D");
  CHECK(pieces[1].text(2).empty());
}
