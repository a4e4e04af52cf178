// The contract of storage/account_store.h, over every backend: SEARCH keys of every kind. RFC 9051 §6.4.4.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/store_fixture.h"

namespace postkeep::test {
namespace {

using Key = SearchKey::Kind;

bool is_about_text(const SearchKey& key) {
  if (key.kind == Key::body || key.kind == Key::text) return true;
  return std::any_of(key.children.begin(), key.children.end(), is_about_text);
}

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
    if (is_about_text(key)) {
      store.run_background();  // makes an index where the backend has one
      CHECK(must(store.account().search(box, key, store.uids(box))) == found);
    }
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

SearchKey kind(Key k) {
  SearchKey key;
  key.kind = k;
  return key;
}
SearchKey flag_key(Key k, SystemFlag flag) {
  SearchKey key = kind(k);
  key.flag = flag;
  return key;
}
SearchKey text_key(Key k, std::string text) {
  SearchKey key = kind(k);
  key.text = std::move(text);
  return key;
}
SearchKey needle(Key k, std::string wanted) {
  SearchKey key = kind(k);
  key.needle = std::move(wanted);
  return key;
}
SearchKey header(std::string field, std::string wanted) {
  SearchKey key = needle(Key::header, std::move(wanted));
  key.text = std::move(field);
  return key;
}
SearchKey day_key(Key k, const char* date) {
  SearchKey key = kind(k);
  key.day = must(parse_imap_date(date));
  return key;
}
SearchKey number_key(Key k, std::uint64_t number) {
  SearchKey key = kind(k);
  key.number = number;
  return key;
}
SearchKey both(Key k, SearchKey first, SearchKey second) {
  SearchKey key = kind(k);
  key.children.push_back(std::move(first));
  key.children.push_back(std::move(second));
  return key;
}
SearchKey no(SearchKey child) {
  SearchKey key = kind(Key::not_);
  key.children.push_back(std::move(child));
  return key;
}

TEST_CASE("SEARCH by flags, keywords, UIDs and modseqs") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    CHECK(mail.find(kind(Key::all)) == "abcd");
    CHECK(mail.find(flag_key(Key::has_flag, SystemFlag::seen)) == "a");
    CHECK(mail.find(flag_key(Key::lacks_flag, SystemFlag::seen)) == "bcd");
    CHECK(mail.find(flag_key(Key::has_flag, SystemFlag::answered)) == "a");
    CHECK(mail.find(flag_key(Key::has_flag, SystemFlag::deleted)) == "b");
    CHECK(mail.find(flag_key(Key::lacks_flag, SystemFlag::flagged)) == "acd");
    CHECK(mail.find(flag_key(Key::has_flag, SystemFlag::draft)) == "c");
    CHECK(mail.find(text_key(Key::has_keyword, "$WORK")) == "a");
    CHECK(mail.find(text_key(Key::lacks_keyword, "$work")) == "bcd");
    CHECK(mail.find(text_key(Key::has_keyword, "$Unknown")).empty());
    SearchKey uids = kind(Key::uid_set);
    uids.uids = UidSet{mail.b, mail.d};
    CHECK(mail.find(uids) == "bd");
    const ModSeq known = store.version(mail.box)->facts().highest_modseq;
    store.add_flags(mail.box, UidSet{mail.c}, make_flags("\\Seen"));
    CHECK(mail.find(number_key(Key::modseq, known.value() + 1)) == "c");
    CHECK(mail.find(number_key(Key::modseq, 1)) == "abcd");
    CHECK(mail.find(kind(Key::save_date_supported)) == "abcd");
  });
}

TEST_CASE("SEARCH by internal date, save date and age") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    CHECK(mail.find(day_key(Key::before, "2-Feb-2026")) == "a");
    CHECK(mail.find(day_key(Key::on, "2-Feb-2026")) == "b");
    CHECK(mail.find(day_key(Key::since, "2-Feb-2026")) == "bcd");
    CHECK(mail.find(day_key(Key::saved_on, "1-Mar-2026")) == "abcd");  // the test clock's day
    CHECK(mail.find(day_key(Key::saved_before, "1-Mar-2026")).empty());
    CHECK(mail.find(day_key(Key::saved_since, "2-Mar-2026")).empty());
    // d is from 4 February noon: 25 days before the test clock's noon.
    constexpr std::uint64_t day = 86'400;
    CHECK(mail.find(number_key(Key::younger, 25 * day)) == "d");
    CHECK(mail.find(number_key(Key::younger, 25 * day - 1)).empty());
    CHECK(mail.find(number_key(Key::older, 25 * day)) == "abcd");
    CHECK(mail.find(number_key(Key::older, 25 * day + 1)) == "abc");
  });
}

TEST_CASE("SEARCH by the date of the header disregards time and zone; who has none is sent on no day") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    CHECK(mail.find(day_key(Key::sent_on, "1-Jan-2026")) == "a");
    CHECK(mail.find(day_key(Key::sent_before, "2-Jan-2026")) == "a");
    CHECK(mail.find(day_key(Key::sent_since, "1-Jan-2026")) == "ab");
    CHECK(mail.find(day_key(Key::sent_since, "2-Jan-2026")) == "b");
    CHECK(mail.find(no(day_key(Key::sent_since, "1-Jan-1970"))) == "cd");
  });
}

TEST_CASE("SEARCH by size and object ids") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    const std::uint64_t size = store.content(mail.box, mail.b).size();
    CHECK(mail.find(number_key(Key::larger, 400'000)) == "d");
    CHECK(mail.find(both(Key::and_, number_key(Key::larger, size - 1), number_key(Key::smaller, size + 1))) == "b");
    CHECK(mail.find(number_key(Key::smaller, 1)).empty());
    const storage::MessageRow row = store.row(mail.box, mail.c);
    CHECK(mail.find(text_key(Key::email_id, to_wire(row.email_id))) == "c");
    CHECK(mail.find(text_key(Key::thread_id, to_wire(row.thread_id))) == "c");
    CHECK(mail.find(text_key(Key::email_id, "M0")).empty());
  });
}

TEST_CASE("SEARCH in header fields ignores case and decodes encoded words") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    CHECK(mail.find(needle(Key::from, "LOVE")) == "a");
    CHECK(mail.find(needle(Key::from, "ada@example")) == "a");
    CHECK(mail.find(needle(Key::from, "J\xC3\x9CRGEN")) == "b");
    CHECK(mail.find(needle(Key::to, "tess")) == "a");
    CHECK(mail.find(needle(Key::cc, "carl")) == "a");
    CHECK(mail.find(needle(Key::bcc, "hidden")) == "b");
    CHECK(mail.find(needle(Key::subject, "analytical ENGINE")) == "a");
    CHECK(mail.find(needle(Key::subject,
                           "gr\xC3\xBC\xC3\x9F"
                           "e AUS")) == "b");
    CHECK(mail.find(needle(Key::subject, "iso-8859")).empty());
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
    CHECK(mail.find(needle(Key::body, "NUMBERS, and")) == "a");
    CHECK(mail.find(needle(Key::body,
                           "stra\xC3\x9F"
                           "e ist")) == "b");
    CHECK(mail.find(needle(Key::body, "RGllIFN0")).empty());  // the encoding is not the text
    CHECK(mail.find(needle(Key::body, "soft linebreak")) == "c");
    CHECK(mail.find(needle(Key::body, "needle in binary")).empty());  // not text
    CHECK(mail.find(needle(Key::body, "needle")) == "ac");            // c: the name in the part's header
    CHECK(mail.find(needle(Key::body, "lovelace")).empty());
    CHECK(mail.find(needle(Key::text, "lovelace")) == "a");
    CHECK(mail.find(needle(Key::text, "x-mood: CHEERFUL")) == "a");
    CHECK(mail.find(needle(Key::text, "J\xC3\xBCrgen")) == "b");
    CHECK(mail.find(needle(Key::body, "zzz far away")) == "d");
    CHECK(mail.find(needle(Key::body, "")) == "abcd");
    CHECK(mail.find(needle(Key::text, "")) == "abcd");
  });
}

TEST_CASE("SEARCH combines keys with AND, OR and NOT to any depth") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    const SearchKey seen = flag_key(Key::has_flag, SystemFlag::seen);
    const SearchKey flagged = flag_key(Key::has_flag, SystemFlag::flagged);
    const SearchKey has_needle = needle(Key::body, "needle");
    CHECK(mail.find(both(Key::or_, seen, flagged)) == "ab");
    CHECK(mail.find(both(Key::and_, seen, flagged)).empty());
    CHECK(mail.find(both(Key::and_, has_needle, seen)) == "a");
    CHECK(mail.find(both(Key::and_, has_needle, no(seen))) == "c");
    CHECK(mail.find(both(Key::or_, needle(Key::text, "far away"), has_needle)) == "acd");
    CHECK(mail.find(no(both(Key::or_, has_needle, both(Key::and_, flagged, no(seen))))) == "d");
    CHECK(mail.find(no(no(seen))) == "a");
  });
}

TEST_CASE("SEARCH answers for the candidates only, and passes over those that are gone") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    must(store.account().expunge(mail.box, UidSet{mail.b}));
    const UidSet candidates = UidSet{mail.b, mail.c, Uid(mail.d.value() + 9)};
    CHECK(must(store.account().search(mail.box, kind(Key::all), candidates)) == UidSet{mail.c});
    CHECK(must(store.account().search(mail.box, needle(Key::text, "e"), candidates)) == UidSet{mail.c});
    CHECK(must(store.account().search(mail.box, kind(Key::all), UidSet())).empty());
  });
}

TEST_CASE("SEARCH answers alike after a restart and after a lost index") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    for (int round = 0; round < 2; ++round) {
      if (round == 0) store.reopen();
      if (round == 1) store.reopen_without_index();
      CHECK(mail.find(needle(Key::subject,
                             "GR\xC3\x9C\xC3\x9F"
                             "E")) == "b");
      CHECK(mail.find(needle(Key::text, "needle")) == "ac");
      CHECK(mail.find(text_key(Key::has_keyword, "$work")) == "a");
      CHECK(mail.find(day_key(Key::on, "2-Feb-2026")) == "b");
    }
  });
}

TEST_CASE("A key that belongs to the session is an error here, not an answer") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    for (const Key k : {Key::recent, Key::sequence_set, Key::uid_sequence}) {
      CHECK(kind_of(store.account().search(mail.box, kind(k), store.uids(mail.box))) == ErrorKind::server_bug);
    }
  });
}

TEST_CASE("What SORT and THREAD compare by is what the header says, whatever was asked before") {
  over_each_backend([](StoreFixture& store) {
    Corpus mail(store);
    using storage::Column;
    using Kind = Column::Kind;
    const std::vector<Column> all{{Kind::size},        {Kind::internal_date}, {Kind::save_date}, {Kind::sent_date},
                                  {Kind::sent_day},    {Kind::base_subject},  {Kind::cc},        {Kind::from},
                                  {Kind::to},          {Kind::display_from},  {Kind::size},      {Kind::internal_date},
                                  {Kind::base_subject}};
    const auto ask = [&](const UidSet& uids, const std::vector<Column>& columns) {
      storage::MessageKeys keys = must(store.account().message_keys(mail.box, uids, columns));
      CHECK(keys.uids == uids);
      REQUIRE(keys.columns.size() == columns.size());
      return keys;
    };
    ask(UidSet{mail.b}, {{Kind::base_subject}});
    ask(UidSet{mail.a, mail.d}, {{Kind::size}, {Kind::base_subject}});
    const Uid e = store.append(mail.box, "Subject: Re: engine\r\nMessage-ID: <e@x>\r\nReferences: <a@x> <b@x>\r\n\r\n");
    for (int round = 0; round < 2; ++round) {
      const storage::MessageKeys keys = ask(store.uids(mail.box), all);
      std::vector<storage::ColumnCursor> at(keys.columns.begin(), keys.columns.end());
      const auto move_to = [&](Uid uid) {
        for (storage::ColumnCursor& cursor : at) REQUIRE(cursor.find(uid));
      };
      move_to(mail.a);
      CHECK(static_cast<std::uint64_t>(at[0].number()) == store.row(mail.box, mail.a).size);
      CHECK(at[1].number() == store.row(mail.box, mail.a).internal_date.seconds);
      CHECK(at[2].number() == store.row(mail.box, mail.a).save_date.seconds);
      CHECK(at[3].number() == 1'767'339'000);  // 2 January 2026 07:30 UTC
      CHECK(at[4].number() == must(parse_imap_date("1-Jan-2026")).days);
      CHECK(at[5].text() == "THE ANALYTICAL ENGINE");
      CHECK(at[6].text() == "CARL");
      CHECK(at[7].text() == "ADA");
      CHECK(at[8].text() == "TESS");
      CHECK(at[9].text() == "ADA LOVELACE");
      move_to(mail.b);
      CHECK(at[7].text() == "J");
      move_to(mail.d);
      CHECK(at[3].number() == Column::none);
      CHECK(at[4].number() == Column::none);
      CHECK(static_cast<std::uint64_t>(at[10].number()) == store.row(mail.box, mail.d).size);
      CHECK(at[12].text().empty());
      move_to(e);
      CHECK(at[12].text() == "ENGINE");
      CHECK(at[12].mark());
      store.reopen();
    }
    const storage::MessageKeys ids = ask(UidSet{mail.a, e}, {{Kind::thread_ids}});
    storage::ColumnCursor id(ids.columns[0]);
    REQUIRE(id.find(mail.a));
    CHECK(id.ids().size() == 1);
    CHECK(id.ids().front() == Hash128());
    REQUIRE(id.find(e));
    CHECK(id.ids().size() == 3);
    CHECK(id.ids()[0] != id.ids()[1]);
  });
}

TEST_CASE("What is kept of messages grows with those that come and forgets nothing by those that go") {
  over_each_backend([](StoreFixture& store) {
    const MailboxId box = store.mailbox("grows");
    const auto found = [&](const std::string& wanted) {
      return must(store.account().search(box, needle(Key::subject, wanted), store.uids(box))).size();
    };
    for (std::uint32_t i = 1; i <= 40; ++i) {
      const Uid uid = store.append(box, "Subject: s" + std::to_string(i % 4) + "\r\nSubject: twice\r\n\r\n",
                                   make_flags("\\Deleted"));
      if (i % 5 == 0) must(store.account().expunge(box, UidSet{uid}));
      if (i % 3 == 0) must(store.account().search(box, needle(Key::subject, "x"), UidSet{Uid(i / 2 + 1), uid}));
      CHECK(found("TWICE") == store.uids(box).size());
      CHECK(found("s") == store.uids(box).size());
      CHECK(found("stwice") == 0);  // a needle lies in one field
      CHECK(must(store.account().search(box, number_key(Key::larger, 1), store.uids(box))) == store.uids(box));
    }
    CHECK(found("s1") == 8);
    CHECK(must(store.account().search(box, header("Subject", ""), store.uids(box))) == store.uids(box));
    CHECK(must(store.account().search(box, header("Cc", ""), store.uids(box))).empty());
  });
}

}  // namespace
}  // namespace postkeep::test
