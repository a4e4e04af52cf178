// The contract of storage/account_store.h, over every backend: SEARCH keys of every kind. RFC 9051 §6.4.4.
#include <doctest/doctest.h>

#include "tests/support/store_fixture.h"

namespace postkeep::test {
namespace {

using Kind = SearchKey::Kind;

// The messages that all cases search; a letter each.
struct Corpus {
  explicit Corpus(StoreFixture& fixture) : store(fixture), box(fixture.mailbox("searched")) {
    a = store.append(box,
                     "From: Ada Lovelace <ada@example.org>\r\nTo: tess@example.org\r\nCc: carl@example.net\r\n"
                     "Subject: The analytical engine\r\nDate: Thu, 01 Jan 2026 23:30:00 -0800\r\n"
                     "X-Mood: cheerful\r\n\r\nNumbers, and the Needle in them.\r\n",
                     make_flags("\\Seen \\Answered $Work"), day("1-Feb-2026"));
    b = store.append(box,
                     "From: =?utf-8?Q?J=C3=BCrgen?= <j@example.org>\r\nBcc: hidden@example.org\r\n"
                     "Subject: =?iso-8859-1?Q?Gr=FC=DFe?= aus Berlin\r\nDate: Fri, 02 Jan 2026 12:00:00 +0000\r\n"
                     "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                     "RGllIFN0cmHfZSBpc3QgbGFuZyB1bmQgYnJlaXQu\r\n",  // "Die Stra<DF>e ist lang und breit."
                     make_flags("\\Flagged \\Deleted"), day("2-Feb-2026"));
    c = store.append(box,
                     "Subject: parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=cut\r\n\r\n"
                     "--cut\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
                     "a soft line=\r\nbreak\r\n--cut\r\nContent-Type: application/octet-stream; name=needle.bin\r\n"
                     "Content-Transfer-Encoding: base64\r\n\r\nTmVlZGxlIGluIGJpbmFyeQ==\r\n--cut--\r\n",
                     make_flags("\\Draft"), day("3-Feb-2026"));
    d = store.append(box, "\r\nno header at all " + std::string(400'000, 'z') + " far away\r\n", {}, day("4-Feb-2026"));
  }

  static std::optional<UnixTime> day(const char* date) {
    return UnixTime{std::int64_t{must(parse_imap_date(date)).days} * 86'400 + 43'200};
  }

  // The letters of the messages found.
  std::string find(const SearchKey& key) {
    const UidSet found = must(store.account().search(box, key, store.uids(box)));
    std::string letters;
    if (found.contains(a)) letters += 'a';
    if (found.contains(b)) letters += 'b';
    if (found.contains(c)) letters += 'c';
    if (found.contains(d)) letters += 'd';
    return letters;
  }

  StoreFixture& store;
  MailboxId box;
  Uid a, b, c, d;
};

SearchKey kind(Kind k) {
  SearchKey key;
  key.kind = k;
  return key;
}
SearchKey flag_key(Kind k, SystemFlag flag) {
  SearchKey key = kind(k);
  key.flag = flag;
  return key;
}
SearchKey text_key(Kind k, std::string text) {
  SearchKey key = kind(k);
  key.text = std::move(text);
  return key;
}
SearchKey needle(Kind k, std::string wanted) {
  SearchKey key = kind(k);
  key.needle = std::move(wanted);
  return key;
}
SearchKey header(std::string field, std::string wanted) {
  SearchKey key = needle(Kind::header, std::move(wanted));
  key.text = std::move(field);
  return key;
}
SearchKey day_key(Kind k, const char* date) {
  SearchKey key = kind(k);
  key.day = must(parse_imap_date(date));
  return key;
}
SearchKey number_key(Kind k, std::uint64_t number) {
  SearchKey key = kind(k);
  key.number = number;
  return key;
}
SearchKey both(Kind k, SearchKey first, SearchKey second) {
  SearchKey key = kind(k);
  key.children.push_back(std::move(first));
  key.children.push_back(std::move(second));
  return key;
}
SearchKey no(SearchKey child) {
  SearchKey key = kind(Kind::not_);
  key.children.push_back(std::move(child));
  return key;
}

TEST_CASE("SEARCH by flags, keywords, UIDs and modseqs") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    CHECK(mail.find(kind(Kind::all)) == "abcd");
    CHECK(mail.find(flag_key(Kind::has_flag, SystemFlag::seen)) == "a");
    CHECK(mail.find(flag_key(Kind::lacks_flag, SystemFlag::seen)) == "bcd");
    CHECK(mail.find(flag_key(Kind::has_flag, SystemFlag::answered)) == "a");
    CHECK(mail.find(flag_key(Kind::has_flag, SystemFlag::deleted)) == "b");
    CHECK(mail.find(flag_key(Kind::lacks_flag, SystemFlag::flagged)) == "acd");
    CHECK(mail.find(flag_key(Kind::has_flag, SystemFlag::draft)) == "c");
    CHECK(mail.find(text_key(Kind::has_keyword, "$WORK")) == "a");
    CHECK(mail.find(text_key(Kind::lacks_keyword, "$work")) == "bcd");
    CHECK(mail.find(text_key(Kind::has_keyword, "$Unknown")).empty());
    SearchKey uids = kind(Kind::uid_set);
    uids.uids = UidSet{mail.b, mail.d};
    CHECK(mail.find(uids) == "bd");
    const ModSeq known = store.version(mail.box)->facts().highest_modseq;
    store.add_flags(mail.box, UidSet{mail.c}, make_flags("\\Seen"));
    CHECK(mail.find(number_key(Kind::modseq, known.value() + 1)) == "c");
    CHECK(mail.find(number_key(Kind::modseq, 1)) == "abcd");
    CHECK(mail.find(kind(Kind::save_date_supported)) == "abcd");
  });
}

TEST_CASE("SEARCH by internal date, save date and age") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    CHECK(mail.find(day_key(Kind::before, "2-Feb-2026")) == "a");
    CHECK(mail.find(day_key(Kind::on, "2-Feb-2026")) == "b");
    CHECK(mail.find(day_key(Kind::since, "2-Feb-2026")) == "bcd");
    CHECK(mail.find(day_key(Kind::saved_on, "1-Mar-2026")) == "abcd");  // the test clock's day
    CHECK(mail.find(day_key(Kind::saved_before, "1-Mar-2026")).empty());
    CHECK(mail.find(day_key(Kind::saved_since, "2-Mar-2026")).empty());
    // d is from 4 February noon: 25 days before the test clock's noon.
    constexpr std::uint64_t day = 86'400;
    CHECK(mail.find(number_key(Kind::younger, 25 * day)) == "d");
    CHECK(mail.find(number_key(Kind::younger, 25 * day - 1)).empty());
    CHECK(mail.find(number_key(Kind::older, 25 * day)) == "abcd");
    CHECK(mail.find(number_key(Kind::older, 25 * day + 1)) == "abc");
  });
}

TEST_CASE("SEARCH by the date of the header disregards time and zone; who has none is sent on no day") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    CHECK(mail.find(day_key(Kind::sent_on, "1-Jan-2026")) == "a");
    CHECK(mail.find(day_key(Kind::sent_before, "2-Jan-2026")) == "a");
    CHECK(mail.find(day_key(Kind::sent_since, "1-Jan-2026")) == "ab");
    CHECK(mail.find(day_key(Kind::sent_since, "2-Jan-2026")) == "b");
    CHECK(mail.find(no(day_key(Kind::sent_since, "1-Jan-1970"))) == "cd");
  });
}

TEST_CASE("SEARCH by size and object ids") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    const std::uint64_t size = store.content(mail.box, mail.b).size();
    CHECK(mail.find(number_key(Kind::larger, 400'000)) == "d");
    CHECK(mail.find(both(Kind::and_, number_key(Kind::larger, size - 1), number_key(Kind::smaller, size + 1))) == "b");
    CHECK(mail.find(number_key(Kind::smaller, 1)).empty());
    const storage::MessageRow row = store.row(mail.box, mail.c);
    CHECK(mail.find(text_key(Kind::email_id, to_wire(row.email_id))) == "c");
    CHECK(mail.find(text_key(Kind::thread_id, to_wire(row.thread_id))) == "c");
    CHECK(mail.find(text_key(Kind::email_id, "M0")).empty());
  });
}

TEST_CASE("SEARCH in header fields ignores case and decodes encoded words") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    CHECK(mail.find(needle(Kind::from, "LOVE")) == "a");
    CHECK(mail.find(needle(Kind::from, "ada@example")) == "a");
    CHECK(mail.find(needle(Kind::from, "J\xC3\x9CRGEN")) == "b");
    CHECK(mail.find(needle(Kind::to, "tess")) == "a");
    CHECK(mail.find(needle(Kind::cc, "carl")) == "a");
    CHECK(mail.find(needle(Kind::bcc, "hidden")) == "b");
    CHECK(mail.find(needle(Kind::subject, "analytical ENGINE")) == "a");
    CHECK(mail.find(needle(Kind::subject,
                           "gr\xC3\xBC\xC3\x9F"
                           "e AUS")) == "b");
    CHECK(mail.find(needle(Kind::subject, "iso-8859")).empty());
    CHECK(mail.find(header("X-MOOD", "cheer")) == "a");
    CHECK(mail.find(header("x-mood", "")) == "a");
    CHECK(mail.find(header("Subject", "")) == "abc");
    CHECK(mail.find(header("X-None", "")).empty());
    CHECK(mail.find(header("Date", "Jan 2026")) == "ab");
  });
}

TEST_CASE("SEARCH BODY and TEXT look into decoded text, TEXT into the header too") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    CHECK(mail.find(needle(Kind::body, "NUMBERS, and")) == "a");
    CHECK(mail.find(needle(Kind::body,
                           "stra\xC3\x9F"
                           "e ist")) == "b");
    CHECK(mail.find(needle(Kind::body, "RGllIFN0")).empty());  // the encoding is not the text
    CHECK(mail.find(needle(Kind::body, "soft linebreak")) == "c");
    CHECK(mail.find(needle(Kind::body, "needle in binary")).empty());  // not text
    CHECK(mail.find(needle(Kind::body, "needle")) == "ac");            // c: the name in the part's header
    CHECK(mail.find(needle(Kind::body, "lovelace")).empty());
    CHECK(mail.find(needle(Kind::text, "lovelace")) == "a");
    CHECK(mail.find(needle(Kind::text, "x-mood: CHEERFUL")) == "a");
    CHECK(mail.find(needle(Kind::text, "J\xC3\xBCrgen")) == "b");
    CHECK(mail.find(needle(Kind::body, "zzz far away")) == "d");
    CHECK(mail.find(needle(Kind::body, "")) == "abcd");
    CHECK(mail.find(needle(Kind::text, "")) == "abcd");
  });
}

TEST_CASE("SEARCH combines keys with AND, OR and NOT to any depth") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    const SearchKey seen = flag_key(Kind::has_flag, SystemFlag::seen);
    const SearchKey flagged = flag_key(Kind::has_flag, SystemFlag::flagged);
    const SearchKey has_needle = needle(Kind::body, "needle");
    CHECK(mail.find(both(Kind::or_, seen, flagged)) == "ab");
    CHECK(mail.find(both(Kind::and_, seen, flagged)).empty());
    CHECK(mail.find(both(Kind::and_, has_needle, seen)) == "a");
    CHECK(mail.find(both(Kind::and_, has_needle, no(seen))) == "c");
    CHECK(mail.find(both(Kind::or_, needle(Kind::text, "far away"), has_needle)) == "acd");
    CHECK(mail.find(no(both(Kind::or_, has_needle, both(Kind::and_, flagged, no(seen))))) == "d");
    CHECK(mail.find(no(no(seen))) == "a");
  });
}

TEST_CASE("SEARCH answers for the candidates only, and passes over those that are gone") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    must(store.account().expunge(mail.box, UidSet{mail.b}));
    const UidSet candidates = UidSet{mail.b, mail.c, Uid(mail.d.value() + 9)};
    CHECK(must(store.account().search(mail.box, kind(Kind::all), candidates)) == UidSet{mail.c});
    CHECK(must(store.account().search(mail.box, needle(Kind::text, "e"), candidates)) == UidSet{mail.c});
    CHECK(must(store.account().search(mail.box, kind(Kind::all), UidSet())).empty());
  });
}

TEST_CASE("SEARCH answers alike after a restart and after a lost index") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    for (int round = 0; round < 2; ++round) {
      if (round == 0) store.reopen();
      if (round == 1) store.reopen_without_index();
      CHECK(mail.find(needle(Kind::subject,
                             "GR\xC3\x9C\xC3\x9F"
                             "E")) == "b");
      CHECK(mail.find(needle(Kind::text, "needle")) == "ac");
      CHECK(mail.find(text_key(Kind::has_keyword, "$work")) == "a");
      CHECK(mail.find(day_key(Kind::on, "2-Feb-2026")) == "b");
    }
  });
}

TEST_CASE("A key that belongs to the session is an error here, not an answer") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    for (const Kind k : {Kind::recent, Kind::sequence_set, Kind::uid_sequence}) {
      CHECK(kind_of(store.account().search(mail.box, kind(k), store.uids(mail.box))) == ErrorKind::server_bug);
    }
  });
}

}  // namespace
}  // namespace postkeep::test
