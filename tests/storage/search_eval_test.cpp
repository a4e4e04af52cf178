// What SearchEvaluator asks for, and when it does not. (Its answers: contract_search_test.cpp.)
#include "storage/search_eval.h"

#include <doctest/doctest.h>

#include <array>

#include "protocol/base/base64.h"
#include "protocol/mime/search_text.h"
#include "protocol/text/casemap.h"
#include "storage/message_facts.h"
#include "tests/support/random.h"
#include "tests/support/results.h"

namespace postkeep::storage {
namespace {

using Key = SearchKey::Kind;
using test::must;

constexpr UnixTime now{1'000'000};

// Counts what it is asked, and what is read from it.
class CountingSubject final : public SearchSubject {
 public:
  explicit CountingSubject(std::string content) : content_(std::move(content)) {
    MessageFacts facts;
    facts.feed(content_);
    row_ = facts.finish();
    row_.internal_date = now;
  }
  Uid uid() override { return Uid(5); }
  ModSeq modseq() override { return ModSeq(6); }
  const Flags& flags() override { return flags_; }
  Result<const MessageRow*> row() override {
    ++rows;
    return &row_;
  }
  Result<std::unique_ptr<MessageReader>> open() override {
    ++opened;
    if (unreadable) return failure(ErrorKind::corruption, "broken");
    return std::make_unique<Reader>(*this);
  }
  void drop_cached_headers() { row_.cached_headers.reset(); }

  int rows = 0;
  int opened = 0;
  bool unreadable = false;
  std::uint64_t octets_read = 0;
  std::size_t largest_read = 0;

 private:
  class Reader final : public MessageReader {
   public:
    explicit Reader(CountingSubject& subject) : subject_(subject) {}
    std::uint64_t size() const override { return subject_.content_.size(); }
    Outcome read(std::uint64_t offset, std::size_t count, std::string& out) override {
      const std::string_view all = subject_.content_;
      const std::string_view part = offset < all.size() ? all.substr(offset, count) : std::string_view();
      subject_.octets_read += part.size();
      subject_.largest_read = std::max(subject_.largest_read, part.size());
      out += part;
      return {};
    }

   private:
    CountingSubject& subject_;
  };

  std::string content_;
  Flags flags_;
  MessageRow row_;
};

SearchKey leaf(Key kind, std::string needle = {}, std::string text = {}) {
  SearchKey key;
  key.kind = kind;
  key.needle = std::move(needle);
  key.text = std::move(text);
  return key;
}

SearchKey branch(Key kind, std::vector<SearchKey> children) {
  SearchKey key;
  key.kind = kind;
  key.children = std::move(children);
  return key;
}

bool matches(const SearchKey& key, SearchSubject& subject) { return must(SearchEvaluator(key, now).matches(subject)); }

const std::string small = "Subject: small\r\nX-Own: field\r\n\r\nneedle and thread\r\n";

TEST_CASE("A cheap key that decides spares the dear ones, wherever it stands") {
  CountingSubject subject(small);
  const SearchKey seen = leaf(Key::has_flag);
  const SearchKey unseen = leaf(Key::lacks_flag);
  CHECK_FALSE(matches(branch(Key::and_, {leaf(Key::body, "needle"), leaf(Key::subject, "small"), seen}), subject));
  CHECK(matches(branch(Key::or_, {leaf(Key::text, "needle"), unseen}), subject));
  CHECK(matches(branch(Key::not_, {branch(Key::and_, {leaf(Key::body, "needle"), seen})}), subject));
  CHECK(subject.rows == 0);
  CHECK(subject.opened == 0);
  // A row before the message itself.
  CHECK_FALSE(matches(branch(Key::and_, {leaf(Key::body, "needle"), leaf(Key::subject, "large")}), subject));
  CHECK(subject.rows == 1);
  CHECK(subject.opened == 0);
}

TEST_CASE("However many keys there are, the row is asked for once and the message opened and read once") {
  CountingSubject subject(small);
  CHECK(
      matches(branch(Key::and_, {leaf(Key::body, "needle"), leaf(Key::body, "thread"), leaf(Key::text, "small"),
                                 leaf(Key::subject, "small"), leaf(Key::header, "field", "x-own"), leaf(Key::younger)}),
              subject));
  CHECK(subject.rows == 1);
  CHECK(subject.opened == 1);
  CHECK(subject.octets_read <= 2 * small.size());  // the header for X-Own, then all of it
}

TEST_CASE("A field that the index keeps needs no message; one that it does not needs the header only") {
  CountingSubject subject(small + std::string(2'000'000, 'x'));
  CHECK(matches(leaf(Key::subject, "SMALL"), subject));
  CHECK(subject.opened == 0);
  CHECK(matches(leaf(Key::header, "field", "X-Own"), subject));
  CHECK(subject.opened == 1);
  CHECK(subject.octets_read <= 16 * 1024);
}

TEST_CASE("Where the row has no headers, the message is asked") {
  CountingSubject subject(small);
  subject.drop_cached_headers();
  CHECK(matches(leaf(Key::subject, "small"), subject));
  CHECK(subject.opened == 1);
}

TEST_CASE("A large message is read in bounded pieces, at most twice, and no further than needed") {
  const std::string head = "Subject: large\r\n\r\n";
  CountingSubject late(head + std::string(3'000'000, 'x') + " late needle\r\n");
  CHECK(matches(leaf(Key::body, "late NEEDLE"), late));
  CHECK(late.largest_read <= 256 * 1024);
  CHECK(late.octets_read <= 2 * 3'000'100);
  CountingSubject early(head + "early needle\r\n" + std::string(3'000'000, 'x'));
  CHECK(matches(leaf(Key::body, "early needle"), early));
  CHECK(early.octets_read <= 3'000'100 + 256 * 1024);
}

TEST_CASE("A needle is found across the border of two pieces") {
  for (const std::size_t shift : {0, 1, 2, 3, 4, 5, 6}) {
    const std::string head = "Subject: border\r\n\r\n";
    CountingSubject subject(head + std::string(256 * 1024 - head.size() - shift, 'x') + "needle" +
                            std::string(100'000, 'x'));
    CHECK(matches(leaf(Key::body, "NEEDLE"), subject));
    CHECK_FALSE(matches(leaf(Key::body, "needles"), subject));
  }
}

// --- against a text that is decoded, folded and put together first ---

constexpr std::array letters = {"a",     "B",  "z", "9",    ".", " ", "\r\n", "\r\n ", "=",   "&uuml;",        "<b>",
                                "+AOQ-", "~{", "é", "ＺＡ", "ﬁ", "ж", "日",   "ß",     "=7A", "=?utf-8?Q?z?=", "zab",
                                "\xFC",  "\t"};

std::string random_text(test::Random& random, std::uint32_t longest) {
  std::string text;
  for (std::uint32_t i = random.below(longest) + 1; i > 0; --i) {
    const bool often = random.one_in(2);
    text += letters[random.below(often ? 5 : static_cast<std::uint32_t>(letters.size()))];
  }
  return text;
}

std::string in_base64(std::string_view text) {
  constexpr std::size_t line_octets = 57;
  std::string out;
  for (; text.size() > line_octets; text.remove_prefix(line_octets)) {
    out += base64_encode(text.substr(0, line_octets)) + "\r\n";
  }
  return out + base64_encode(text);
}

std::string in_quoted_printable(test::Random& random, std::string_view text) {
  std::string out;
  for (const char c : text) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    const auto octet = static_cast<unsigned char>(c);
    if (random.one_in(6)) out += "=\r\n";
    if (octet >= 0x80 || c == '=' || random.one_in(4)) {
      out.append({'=', hex[octet >> 4], hex[octet & 15]});
    } else {
      out += c;
    }
  }
  return out;
}

std::string random_part(test::Random& random) {
  constexpr std::array charsets = {"us-ascii", "utf-8",      "iso-8859-1", "windows-1251", "utf-7",  "iso-2022-jp",
                                   "utf-16",   "hz-gb-2312", "shift_jis",  "ibm037",       "nobody", "koi8-r"};
  constexpr std::array types = {"text/plain", "text/html", "application/pdf", "message/delivery-status"};
  std::string head = std::string("Content-Type: ") + types[random.below(types.size())];
  if (!random.one_in(3)) head += std::string("; charset=") + charsets[random.below(charsets.size())];
  if (random.one_in(3))
    head +=
        "; name*0*=utf-8''%7"
        "A; name*1=\"ab\\9.pdf\"";
  head += "\r\n";
  if (random.one_in(3)) head += "X-Own: " + random_text(random, 9) + "\r\n";
  const std::string text = random_text(random, 30);
  switch (random.below(5)) {
    case 0:
      return head + "Content-Transfer-Encoding: base64\r\n\r\n" + in_base64(text);
    case 1:
      return head + "Content-Transfer-Encoding: quoted-printable\r\n\r\n" + in_quoted_printable(random, text);
    case 2:
      return head + "Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n#0V%T\r\n`\r\nend\r\n" + text;
    case 3:
      return head + "Content-Transfer-Encoding: 8bit\r\n\r\n" + text;
    default:
      return head + "\r\n" + text;
  }
}

std::string random_message(test::Random& random) {
  std::string message = "Subject: " + random_text(random, 12) + "\r\n";
  if (random.one_in(3)) return message + random_part(random);
  message += "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + random_text(random, 5) + "\r\n";
  for (std::uint32_t i = random.below(4); i > 0; --i) {
    const bool nested = random.one_in(5);
    message += std::string("--b\r\n") + (nested ? "Content-Type: message/rfc822\r\n\r\nTo: zab\r\n" : "");
    message += random_part(random) + "\r\n";
  }
  return message + "--b--\r\n";
}

struct FoldedText {
  std::string all;
  std::string body;
};

FoldedText folded_text_of(std::string_view message) {
  FoldedText text;
  const mime::Part root = mime::parse_structure(message);
  mime::SearchTextExtractor extractor(root, [&](mime::SearchArea area, std::string_view utf8) {
    text::fold_into(utf8, text.all);
    if (area == mime::SearchArea::body) text::fold_into(utf8, text.body);
  });
  extractor.feed(message);
  extractor.finish();
  return text;
}

TEST_CASE("Whatever the encodings and charsets, what is found is what the decoded, folded text has") {
  test::Random random(29);
  int found = 0;
  for (int round = 0; round < 3'000; ++round) {
    const std::string message = random_message(random);
    const FoldedText text = folded_text_of(message);
    for (int i = 0; i < 8; ++i) {
      std::string needle = random_text(random, 3);
      if (random.one_in(2) && !text.all.empty()) {
        needle = text.all.substr(random.below(static_cast<std::uint32_t>(text.all.size())), random.below(8) + 1);
      }
      CAPTURE(message);
      CAPTURE(needle);
      const std::string folded = text::fold(needle);
      const bool in_all = text.all.find(folded) != std::string::npos;
      const bool in_body = text.body.find(folded) != std::string::npos;
      CountingSubject subject(message);
      REQUIRE(matches(leaf(Key::text, needle), subject) == in_all);
      REQUIRE(matches(leaf(Key::body, needle), subject) == in_body);
      const SearchKey both = branch(Key::and_, {leaf(Key::body, needle), leaf(Key::text, "zab")});
      REQUIRE(matches(both, subject) == (in_body && text.all.find("ZAB") != std::string::npos));
      found += in_all ? 1 : 0;
    }
  }
  CHECK(found > 5'000);
  CHECK(found < 20'000);
}

TEST_CASE("wants() names what the key needs and nothing more") {
  const auto wants = [](const SearchKey& key) { return SearchEvaluator(key, now); };
  CHECK_FALSE(wants(leaf(Key::all)).wants_row());
  CHECK_FALSE(wants(leaf(Key::body, "x")).wants_row());
  CHECK(wants(leaf(Key::body, "x")).may_read_messages());
  CHECK_FALSE(wants(leaf(Key::body, "")).may_read_messages());
  CHECK(wants(leaf(Key::larger)).wants().size);
  CHECK_FALSE(wants(leaf(Key::larger)).wants().dates);
  CHECK_FALSE(wants(leaf(Key::larger)).may_read_messages());
  CHECK(wants(leaf(Key::saved_on)).wants().dates);
  CHECK(wants(leaf(Key::thread_id)).wants().object_ids);
  CHECK(wants(leaf(Key::sent_on)).wants().headers);
  CHECK_FALSE(wants(leaf(Key::header, "x", "X-Own")).wants().headers);
  const SearchEvaluator nested = wants(branch(Key::not_, {branch(Key::or_, {leaf(Key::from, "x"), leaf(Key::older)})}));
  CHECK(nested.wants().headers);
  CHECK(nested.wants().dates);
  CHECK_FALSE(nested.wants().envelope);
}

TEST_CASE("An error of the message is the error of the search") {
  CountingSubject subject(small);
  subject.unreadable = true;
  CHECK(test::kind_of(SearchEvaluator(leaf(Key::body, "x"), now).matches(subject)) == ErrorKind::corruption);
}

}  // namespace
}  // namespace postkeep::storage
