#include "storage/search_index/search_index.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <map>

#include "storage/posix_file_system.h"
#include "tests/support/random.h"
#include "tests/support/results.h"
#include "tests/support/temporary_directory.h"

namespace postkeep::storage {
namespace {

constexpr std::int64_t identity = -77;
constexpr std::int64_t box = 3;
const Uid last_uid(~std::uint32_t{0});

struct IndexFixture {
  test::TemporaryDirectory directory;
  std::unique_ptr<FileSystem> files = posix_file_system();
  std::string path = directory / "search.sqlite";
  std::unique_ptr<SearchIndex> index = test::must(SearchIndex::create(*files, path, identity));
  std::map<std::uint32_t, std::string> texts;  // what should be in it, of `box`

  void put(std::uint32_t uid, const std::string& text, std::int64_t mailbox = box) {
    IndexedText indexed;
    SignatureMaker signature;
    signature.feed(text);
    indexed.stored.text = text;
    indexed.stored.header_octets = text.size() / 2;
    indexed.signature = signature.finish();
    Transaction transaction = test::must(index->begin());
    test::must(index->put(MessageKey{mailbox, Uid(uid)}, indexed));
    test::must(index->pack_if_due(mailbox));
    test::must(transaction.commit());
    if (mailbox == box) texts[uid] = text;
  }
  void remove(std::uint32_t uid) {
    Transaction transaction = test::must(index->begin());
    test::must(index->remove(MessageKey{box, Uid(uid)}));
    test::must(transaction.commit());
    texts.erase(uid);
  }
  // Everything that is known and everything that has the needle; told if the index leaves out what it must not.
  void check(std::string_view needle) {
    const SearchIndex::Narrowed found = test::must(index->narrow(box, Uid(1), last_uid, needle));
    UidSet known;
    UidSet having;
    for (const auto& [uid, text] : texts) {
      known.add(Uid(uid));
      if (text.find(needle) != std::string::npos) having.add(Uid(uid));
    }
    CHECK(found.known == known);
    CHECK(having.subtract(found.maybe).empty());
    CHECK(found.maybe.subtract(known).empty());
    for (const auto& [uid, text] : texts) {
      const std::optional<StoredText> stored = test::must(index->text(MessageKey{box, Uid(uid)}));
      REQUIRE(stored);
      CHECK(stored->text == text);
      CHECK(stored->header_octets == text.size() / 2);
    }
  }
};

std::string text_of(std::uint32_t number) {
  return "MESSAGE NUMBER " + std::to_string(number) + " OF " + std::to_string(number % 7) + "\n" +
         std::string(number % 50, 'Z') + "END";
}

TEST_CASE_FIXTURE(IndexFixture, "Messages are found loose and packed, and only among the UIDs that were asked for") {
  for (std::uint32_t uid = 600; uid >= 1; --uid) put(uid, text_of(uid));
  put(5, text_of(5), box + 1);
  check("NUMBER 577 ");
  check("OF 3");
  check("NOWHERE");
  check("ZZ");
  CHECK(test::must(index->narrow(box, Uid(1), last_uid, "NOWHERE TO BE FOUND")).maybe.empty());
  const SearchIndex::Narrowed some = test::must(index->narrow(box, Uid(300), Uid(320), "MESSAGE"));
  CHECK(some.known == UidSet::of_range(Uid(300), Uid(320)));
  CHECK(some.maybe == some.known);
}

TEST_CASE_FIXTURE(IndexFixture, "What is removed or replaced falls out, also when its block is taken apart") {
  for (std::uint32_t uid = 1; uid <= 600; ++uid) put(uid, text_of(uid));
  for (std::uint32_t uid = 2; uid <= 600; uid += 2) {
    remove(uid);
    if (uid % 100 == 0) check("NUMBER");
  }
  for (std::uint32_t uid = 1; uid <= 300; uid += 5) put(uid, text_of(uid + 1000));
  check("NUMBER 1001 ");
  remove(4'000'000);  // that it never had
  check("NUMBER 7 ");
}

TEST_CASE_FIXTURE(IndexFixture, "A text that is too long is narrowed but not kept") {
  IndexedText indexed;
  indexed.whole = false;
  SignatureMaker signature;
  signature.feed("SOME LONG TEXT");
  indexed.signature = signature.finish();
  Transaction transaction = test::must(index->begin());
  test::must(index->put(MessageKey{box, Uid(9)}, indexed));
  test::must(transaction.commit());
  CHECK(test::must(index->narrow(box, Uid(1), last_uid, "LONG")).maybe == UidSet{Uid(9)});
  CHECK(test::must(index->narrow(box, Uid(1), last_uid, "SHORT")).maybe.empty());
  CHECK(!test::must(index->text(MessageKey{box, Uid(9)})));
}

TEST_CASE_FIXTURE(IndexFixture, "It is opened by its identity alone, and as it was") {
  for (std::uint32_t uid = 1; uid <= 300; ++uid) put(uid, text_of(uid));
  index.reset();
  CHECK(SearchIndex::open(*files, path, identity + 1).error().kind == ErrorKind::corruption);
  CHECK(SearchIndex::open(*files, path + "x", identity).error().kind == ErrorKind::corruption);
  index = test::must(SearchIndex::open(*files, path, identity));
  check("NUMBER 33 ");
  index.reset();
  std::filesystem::resize_file(path, 100);
  CHECK(SearchIndex::open(*files, path, identity).error().kind == ErrorKind::corruption);
  index = test::must(SearchIndex::create(*files, path, identity));
  texts.clear();
  check("NUMBER 33 ");
}

TEST_CASE_FIXTURE(IndexFixture, "Random changes leave it with what it should have") {
  test::Random random(20261128);
  for (int i = 0; i < 3000; ++i) {
    const std::uint32_t uid = 1 + random.below(700);
    if (random.below(3) == 0) {
      remove(uid);
    } else {
      put(uid, text_of(random.below(5000)));
    }
    if (i % 500 == 0) check("NUMBER " + std::to_string(random.below(50)));
  }
  check("OF 6");
}

}  // namespace
}  // namespace postkeep::storage
