// search.sqlite beside index.sqlite: an index never changes the answer to a SEARCH, whatever becomes of it; the model,
// which has none, is asked the same. What the search itself means is in contract_search_test.cpp.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/mail_corpus.h"
#include "tests/support/random.h"
#include "tests/support/store_fixture.h"

namespace postkeep::test {
namespace {

const storage::Backend& backend(std::string_view name) {
  for (const storage::Backend& each : storage::backends()) {
    if (each.name == name) return each;
  }
  FAIL("no such backend");
  std::abort();
}

SearchKey key_of(SearchKey::Kind kind, std::string_view needle) {
  SearchKey key;
  key.kind = kind;
  key.needle = needle;
  return key;
}

// The same mail with an index and without: in the backend on disk and in the model.
class Pair {
 public:
  explicit Pair(storage::StoreOptions options = {}) : indexed(backend("maildir"), std::move(options)) {}

  StoreFixture indexed;
  StoreFixture model{backend("memory")};

  // One append, however many there are: it is the syncs that take time.
  void append(const std::string& box, const std::vector<std::string>& contents) {
    both([&](StoreFixture& store) {
      std::vector<storage::AppendItem> items;
      for (const std::string& content : contents) items.push_back({store.incoming(content), {}, std::nullopt});
      must(store.account().append(store.mailbox(box), items));
    });
    REQUIRE(indexed.uids(indexed.mailbox(box)) == model.uids(model.mailbox(box)));
  }
  void fill(const std::string& box, std::uint32_t from, std::uint32_t count) {
    std::vector<std::string> contents;
    for (std::uint32_t i = from; i < from + count; ++i) contents.push_back(sample(i));
    append(box, contents);
  }
  template <class Do>
  void both(Do&& action) {
    action(indexed);
    action(model);
  }
  // Asks both in batches.
  void check(const std::string& box, const SearchKey& key) { CHECK(ask(indexed, box, key) == ask(model, box, key)); }
  void check(const std::string& box, std::string_view needle) {
    check(box, key_of(SearchKey::Kind::body, needle));
    check(box, key_of(SearchKey::Kind::text, needle));
  }
  // Makes the index, if there is none yet, and brings it up to date.
  void index(const std::string& box) {
    check(box, "whatever");
    indexed.run_background();
  }
  std::string search_file() const { return indexed.mail_directory() + "/search.sqlite"; }
  bool has_search_file() const { return std::filesystem::exists(search_file()); }

  static std::string sample(std::uint32_t i) {
    return "From: a" + std::to_string(i) + "@example.org\r\nSubject: number " + std::to_string(i) +
           "\r\n\r\nThe body of " + std::to_string(i * 7919) + ".\r\n" + std::string(i % 40, 'x') + "\r\n";
  }

 private:
  static UidSet ask(StoreFixture& store, const std::string& box, const SearchKey& key) {
    const MailboxId id = store.mailbox(box);
    UidSet left = store.uids(id);
    UidSet found;
    while (!left.empty()) {
      const UidSet batch = first_of(left, 100);
      left = left.subtract(batch);
      found.add_all(must(store.account().search(id, key, batch)));
    }
    return found;
  }
};

TEST_CASE("A search of text makes an index, which answers without opening a message") {
  Pair pair;
  pair.fill("INBOX", 1, 300);
  pair.indexed.run_background();
  CHECK(!pair.has_search_file());  // nobody searched
  pair.index("INBOX");
  CHECK(pair.has_search_file());
  // Only who believes the index still finds something.
  for (const auto& entry : std::filesystem::directory_iterator(pair.indexed.mail_directory() + "/cur")) {
    std::filesystem::resize_file(entry.path(), 0);
  }
  for (const char* needle : {"The body of 158380", "subject: NUMBER 77", "number 77", "xxx", "of", ".", "nowhere"}) {
    pair.check("INBOX", needle);
  }
}

TEST_CASE("Random needles find the same with an index, without one, and while it is made") {
  Pair pair;
  std::vector<std::string> words;
  for (std::uint32_t i = 0; i < 260; ++i) words.push_back(Pair::sample(i));
  if (have_mail_corpus()) {
    constexpr std::size_t one_in = 40;
    const std::vector<std::filesystem::path> files = corpus_messages();
    for (std::size_t i = 0; i < files.size(); i += one_in) words.push_back(with_crlf(read_file(files[i])));
  }
  pair.append("INBOX", words);
  Random random(20261128);
  const auto ask = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const std::string& from = words[random.below(static_cast<std::uint32_t>(words.size()))];
      std::string needle =
          from.empty() ? "" : from.substr(random.below(static_cast<std::uint32_t>(from.size())), random.below(12));
      if (random.one_in(5)) needle += static_cast<char>('a' + random.below(26));
      if (random.one_in(8)) needle += "\xC3\xBC";
      CAPTURE(needle);
      const SearchKey first = key_of(random.one_in(2) ? SearchKey::Kind::body : SearchKey::Kind::text, needle);
      SearchKey key = first;
      if (random.one_in(3)) {
        constexpr std::array kinds = {SearchKey::Kind::and_, SearchKey::Kind::or_, SearchKey::Kind::not_};
        key = SearchKey();
        key.kind = kinds[random.below(3)];
        key.children.push_back(first);
        if (key.kind != SearchKey::Kind::not_) key.children.push_back(key_of(SearchKey::Kind::text, from.substr(0, 9)));
      }
      pair.check("INBOX", key);
    }
  };
  ask(5);
  for (int i = 0; i < 4; ++i) {
    const storage::BackgroundState state = must(pair.indexed.account().background_step());
    if (state.due_in) pair.indexed.clock().advance(*state.due_in);
    ask(2);
  }
  pair.indexed.run_background();
  ask(40);
}

TEST_CASE("What comes and goes while there is an index is found, and not found") {
  Pair pair;
  pair.fill("INBOX", 1, 280);
  pair.index("INBOX");
  const auto check = [&] {
    for (const char* box : {"INBOX", "Other"}) {
      for (const char* needle : {"number 3", "body of", "number 290", "x\r\n"}) pair.check(box, needle);
    }
  };
  const auto now_and_later = [&] {
    check();
    pair.indexed.run_background();
    check();
  };
  pair.fill("INBOX", 281, 20);
  now_and_later();
  pair.both([](StoreFixture& store) {
    const UidSet some = UidSet::of_range(Uid(1), Uid(120));
    store.add_flags(store.mailbox("INBOX"), some, make_flags("\\Deleted"));
    must(store.account().expunge(store.mailbox("INBOX"), some));
  });
  now_and_later();
  pair.both([](StoreFixture& store) {
    must(store.account().move(store.mailbox("INBOX"), UidSet::of_range(Uid(200), Uid(230)), store.mailbox("Other")));
    must(store.account().copy(store.mailbox("INBOX"), UidSet::of_range(Uid(240), Uid(260)), store.mailbox("Other")));
  });
  now_and_later();
  // A mailbox that is made again has other mail under the same UIDs.
  pair.both([](StoreFixture& store) {
    must(store.account().delete_mailbox(StoreFixture::name("Other")));
    store.mailbox("Other");
  });
  pair.fill("Other", 900, 30);
  now_and_later();
  pair.indexed.reopen();
  now_and_later();
}

TEST_CASE("A search.sqlite that is deleted, damaged or of somebody else is made anew, and nothing else is noticed") {
  Pair pair;
  pair.fill("INBOX", 1, 50);
  pair.index("INBOX");
  const std::string file = pair.search_file();
  const std::string saved = read_file(file);
  const auto check = [&] {
    for (int round = 0; round < 2; ++round) {
      pair.check("INBOX", "number 26");
      pair.check("INBOX", "body of 7919");
      pair.indexed.run_background();
    }
    CHECK(pair.has_search_file());
  };
  SUBCASE("deleted") {
    pair.indexed.reopen();
    for (const char* end : {"", "-wal"}) std::filesystem::remove(file + end);
  }
  SUBCASE("cut") {
    pair.indexed.reopen();
    std::filesystem::resize_file(file, 20'000);
  }
  SUBCASE("overwritten") {
    pair.indexed.reopen();
    std::ofstream(file, std::ios::in | std::ios::out) << std::string(10'000, '!');
  }
  SUBCASE("of another account") {
    Pair other;
    other.fill("INBOX", 5000, 50);
    other.index("INBOX");
    other.indexed.reopen();
    pair.indexed.reopen();
    std::filesystem::copy_file(other.search_file(), file, std::filesystem::copy_options::overwrite_existing);
  }
  SUBCASE("older: messages came since") {
    pair.indexed.reopen();
    const std::string older = read_file(file);
    pair.fill("INBOX", 500, 20);
    pair.index("INBOX");
    pair.indexed.reopen();
    std::ofstream(file, std::ios::binary | std::ios::trunc) << older;
    pair.check("INBOX", "number 51");
  }
  SUBCASE("index.sqlite is lost") {
    pair.indexed.reopen_without_index();
    CHECK(!pair.has_search_file());
  }
  check();
}

TEST_CASE("Without `search_index` there is no index, and one that is there goes") {
  storage::StoreOptions off;
  off.search_index = false;
  Pair pair(off);
  pair.fill("INBOX", 1, 40);
  pair.index("INBOX");
  CHECK(!pair.has_search_file());
  const auto set = [&](bool wanted) {
    pair.indexed.options().search_index = wanted;
    pair.indexed.reopen();
    pair.index("INBOX");
    CHECK(pair.has_search_file() == wanted);
    pair.check("INBOX", "number 26");
  };
  set(true);
  set(false);
  pair.fill("INBOX", 41, 10);
  set(true);
}

}  // namespace
}  // namespace postkeep::test
