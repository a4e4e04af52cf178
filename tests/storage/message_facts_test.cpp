#include "storage/message_facts.h"

#include <doctest/doctest.h>

namespace postkeep::storage {
namespace {

MessageRow facts_in_pieces(std::string_view message, std::size_t piece) {
  MessageFacts facts;
  for (std::size_t at = 0; at < message.size(); at += piece) facts.feed(message.substr(at, piece));
  return facts.finish();
}

void check_equal(const MessageRow& a, const MessageRow& b) {
  CHECK(a.size == b.size);
  CHECK(a.ends_in_crlf == b.ends_in_crlf);
  CHECK(a.email_id == b.email_id);
  CHECK(a.thread_id == b.thread_id);
  CHECK(a.envelope == b.envelope);
  CHECK(a.body_structure == b.body_structure);
  CHECK(a.cached_headers == b.cached_headers);
}

TEST_CASE("The facts depend on the bytes, not on how they are cut") {
  for (const std::string& message :
       {std::string("From: a@x\r\nX-Not: this\r\nSubject: b\r\n c\r\nMessage-ID: <1@x>\r\n\r\nFrom: not a header\r\n"),
        std::string("Subject: bare\nTo: b@y\n\nbody\n"), std::string("\r\nSubject: in the body\r\n"), std::string(),
        std::string("Subject: no end"), std::string("Subject: x\r\n\n\r\nTo: body\r\n")}) {
    CAPTURE(message);
    const MessageRow whole = facts_in_pieces(message, message.size() + 1);
    for (std::size_t piece = 1; piece < message.size(); ++piece) check_equal(facts_in_pieces(message, piece), whole);
  }
}

TEST_CASE("Cached headers are those listings ask for, whole, in order, from the header alone") {
  const MessageRow row = facts_in_pieces("To: a@x\r\nX-Not: this\r\nSUBJECT: b\r\n\tc\r\n\r\nCc: body@x\r\n", 7);
  CHECK(row.cached_headers == "To: a@x\r\nSUBJECT: b\r\n\tc\r\n");
  CHECK(facts_in_pieces("\r\nTo: body@x\r\n", 100).cached_headers == "");
  CHECK(facts_in_pieces("", 1).cached_headers == "");
}

TEST_CASE("Headers too large are not cached at all, rather than in part") {
  const std::string large = "To: " + std::string(cached_headers_octets_max, 'a') + "\r\n\r\n";
  CHECK_FALSE(facts_in_pieces(large, 4'096).cached_headers);
  const std::string endless = "Subject: x\r\n" + std::string(300'000, 'b') + "\r\nTo: late@x\r\n\r\nbody";
  CHECK_FALSE(facts_in_pieces(endless, 65'536).cached_headers);
}

TEST_CASE("A message ends in CRLF, or it does not; one without octets has nothing to end") {
  for (const char* complete : {"", "\r\n", "a\r\n", "a: b\r\n\r\nc\r\r\n"}) {
    CAPTURE(complete);
    CHECK(facts_in_pieces(complete, 100).ends_in_crlf);
    CHECK(facts_in_pieces(complete, 1).ends_in_crlf);
  }
  for (const char* incomplete : {"a", "\n", "\r", "a\r\nb", "a\r\nb\n", "a\r\n\r"}) {
    CAPTURE(incomplete);
    CHECK_FALSE(facts_in_pieces(incomplete, 100).ends_in_crlf);
    CHECK_FALSE(facts_in_pieces(incomplete, 1).ends_in_crlf);
  }
}

TEST_CASE("A thread is that of the first Message-ID of References, In-Reply-To or its own, in this order") {
  const auto thread = [](const char* header) {
    return facts_in_pieces(std::string(header) + "\r\nbody", 50).thread_id;
  };
  const ThreadId root = thread("Message-ID: <root@x>\r\n");
  CHECK(thread("Message-ID: <b@x>\r\nIn-Reply-To: <root@x>\r\n") == root);
  CHECK(thread("In-Reply-To: <b@x>\r\nReferences: <root@x> <b@x>\r\n") == root);
  CHECK(thread("References:\r\n <root@x>\r\n") == root);
  CHECK(thread("In-Reply-To: your mail of Monday\r\nMessage-ID: <root@x>\r\n") == root);
  CHECK(thread("Message-ID: <Root@x>\r\n") != root);
}

}  // namespace
}  // namespace postkeep::storage
