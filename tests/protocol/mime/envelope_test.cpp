#include "protocol/mime/envelope.h"

#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "protocol/mime/encoded_words.h"
#include "tests/support/mail_corpus.h"

using namespace postkeep;
using namespace postkeep::mime;

namespace {
Envelope envelope_of(std::string_view header) { return make_envelope(read_header(header)); }
}  // namespace

TEST_CASE("an absent field is nothing, an empty one is empty") {
  const Envelope none = envelope_of("X: y\r\n\r\n");
  CHECK(none == Envelope());
  const Envelope empty = envelope_of("Date:\r\nSubject: \r\nIn-Reply-To:\r\n \r\nMessage-ID:\t\r\nFrom:\r\n\r\n");
  CHECK(empty.date == "");
  CHECK(empty.subject == "");
  CHECK(empty.in_reply_to == "");
  CHECK(empty.message_id == "");
  CHECK(empty.from.empty());
}

TEST_CASE("sender and reply-to come from From unless they say something") {
  const Envelope defaulted = envelope_of("From: a@b\r\nSender: \r\nReply-To: (nobody)\r\n\r\n");
  CHECK(defaulted.sender == defaulted.from);
  CHECK(defaulted.reply_to == defaulted.from);
  const Envelope own = envelope_of("From: a@b\r\nSender: c@d\r\nReply-To: e@f\r\n\r\n");
  CHECK(own.sender[0].domain == "d");
  CHECK(own.reply_to[0].domain == "f");
}

TEST_CASE("of repeated fields the first counts, but recipients are joined") {
  const Envelope envelope =
      envelope_of("Subject: one\r\nsubject: two\r\nTo: a@b\r\nCc: x@y\r\nTO: c@d\r\nFrom: f@1\r\nFrom: f@2\r\n");
  CHECK(envelope.subject == "one");
  REQUIRE(envelope.to.size() == 2);
  CHECK(envelope.to[1].domain == "d");
  REQUIRE(envelope.from.size() == 1);
  CHECK(envelope.from[0].domain == "1");
}

TEST_CASE("strings stay as they are on the wire, unfolded") {
  const Envelope envelope = envelope_of("Subject: =?utf-8?q?a?=\r\n  b\xFF\r\nMessage-ID: <a@\r\n b>\r\n");
  CHECK(envelope.subject == "=?utf-8?q?a?=  b\xFF");
  CHECK(envelope.message_id == "<a@ b>");
}

namespace {

struct Person {
  std::string name;
  std::string address;
};

std::vector<Person> ours(const AddressList& list) {
  std::vector<Person> people;
  for (const Address& a : list) {
    if (a.kind != Address::Kind::mailbox) continue;
    people.push_back({decode_header_text(a.name), a.local_part + (a.domain.empty() ? "" : "@" + a.domain)});
  }
  return people;
}

std::vector<Person> theirs(const nlohmann::json& header, const std::string& field) {
  std::vector<Person> people;
  if (!header.contains(field)) return people;
  const auto add = [&](const nlohmann::json& a) {
    people.push_back({a.value("displayName", ""), a.value("mailbox", "")});
  };
  if (header[field].contains("items")) {
    for (const auto& a : header[field]["items"]) add(a);
  } else {
    add(header[field]);
  }
  return people;
}

// MailCore does not take a comment for a name, so a name is compared only where it has one.
bool same(const std::vector<Person>& mine, const std::vector<Person>& other) {
  return std::equal(mine.begin(), mine.end(), other.begin(), other.end(), [](const Person& a, const Person& b) {
    return a.address == b.address && (b.name.empty() || a.name == b.name);
  });
}

// Where we mean it otherwise: message and field, and why.
const std::map<std::string, std::string> meant_otherwise = {
    {"mbox-jwz-60 from", "two blanks within a quoted name are kept"},
    {"mbox-jwz-86 to", "a route without brackets still gives an address"},
    {"mbox-jwz-88 to", "quotes are removed from a local part wherever they stand, and blanks between words kept"},
};

}  // namespace

TEST_CASE("envelopes are those of MailCore, but for what is meant otherwise") {
  if (!test::have_mail_corpus()) return;
  std::size_t compared = 0;
  std::size_t different = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test::mail_corpus() / "expected/mailcore2")) {
    const std::string name = entry.path().stem().string();
    auto path = test::mail_corpus() / "real/mailcore2" / (name + ".eml");
    if (!std::filesystem::exists(path)) path = test::mail_corpus() / "malformed/mailcore2" / (name + ".eml");
    const std::string message = test::with_crlf(test::read_file(path));
    const Envelope envelope = envelope_of(message);
    const auto header = nlohmann::json::parse(test::read_file(entry.path()))["header"];
    const std::pair<std::string, const AddressList*> lists[] = {
        {"from", &envelope.from}, {"to", &envelope.to}, {"cc", &envelope.cc}, {"bcc", &envelope.bcc}};
    for (const auto& list : lists) {
      const bool equal = same(ours(*list.second), theirs(header, list.first));
      CHECK_MESSAGE(equal != meant_otherwise.contains(name + " " + list.first), name << " " << list.first);
      different += equal ? 0 : 1;
      ++compared;
    }
    CHECK_MESSAGE(decode_header_text(envelope.subject.value_or("")) == header.value("subject", ""), name);
  }
  CHECK(compared == 4 * 107);
  CHECK(different == meant_otherwise.size());
}
