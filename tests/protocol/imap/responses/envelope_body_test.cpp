#include "protocol/imap/responses/envelope_body.h"

#include <doctest/doctest.h>

#include "tests/support/imap_body_grammar.h"
#include "tests/support/mail_corpus.h"

using namespace postkeep;
using namespace std::string_literals;
using Grammar = test::ImapBodyGrammar;

namespace {

enum class Item { envelope, body, bodystructure };

std::string written(Item item, const mime::Part& root, imap::Utf8 utf8 = imap::Utf8::no) {
  std::string out;
  imap::Writer writer(out, utf8);
  if (item == Item::envelope) imap::write_envelope(writer, *root.envelope);
  if (item == Item::body) imap::write_body(writer, root);
  if (item == Item::bodystructure) imap::write_bodystructure(writer, root);
  return out;
}

std::string written(Item item, std::string_view message, imap::Utf8 utf8 = imap::Utf8::no) {
  return written(item, mime::parse_structure(test::with_crlf(std::string(message))), utf8);
}

// Nothing if all three items of the message follow the grammar, in ASCII and in UTF-8 sessions.
std::string grammar_error(const mime::Part& root) {
  for (const auto& [utf8, charset] :
       {std::pair(imap::Utf8::no, Grammar::Charset::ascii), std::pair(imap::Utf8::yes, Grammar::Charset::utf8)}) {
    std::string error = Grammar::envelope_error(written(Item::envelope, root, utf8), charset);
    if (error.empty()) error = Grammar::body_error(written(Item::body, root, utf8), Grammar::Kind::body, charset);
    if (error.empty()) {
      error = Grammar::body_error(written(Item::bodystructure, root, utf8), Grammar::Kind::bodystructure, charset);
    }
    if (!error.empty()) return error;
  }
  return {};
}

}  // namespace

TEST_CASE("ENVELOPE has the fields, sender and reply-to from From, NIL for what is absent") {
  CHECK(written(Item::envelope,
                "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\nSubject: IMAP4rev2 WG mtg summary and minutes\n"
                "From: Terry Gray <gray@cac.washington.edu>\nTo: imap@cac.washington.edu\n"
                "Cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\n"
                "Message-Id: <B27397-0100000@cac.washington.edu>\n\n") ==
        "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev2 WG mtg summary and minutes\" "
        "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
        "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((NIL NIL \"imap\" \"cac.washington.edu\")) "
        "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL "
        "\"<B27397-0100000@cac.washington.edu>\")");
  CHECK(written(Item::envelope, "") == "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
  CHECK(written(Item::envelope, "Subject:\nFrom: \nMessage-ID:\n\n") == "(NIL \"\" NIL NIL NIL NIL NIL NIL NIL \"\")");
  CHECK(written(Item::envelope, "From: a@b\nSender: c@d\nReply-To:\n\n") ==
        "(NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"c\" \"d\")) ((NIL NIL \"a\" \"b\")) NIL NIL NIL NIL NIL)");
}

TEST_CASE("groups are marked and an address without host has an empty one, not NIL") {
  CHECK(written(Item::envelope, "To: Team: a@b, root;\n\n") ==
        "(NIL NIL NIL NIL NIL ((NIL NIL \"Team\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL \"root\" \"\")(NIL NIL NIL NIL)) "
        "NIL NIL NIL NIL)");
}

TEST_CASE("octets that quotes cannot hold go as literals") {
  CHECK(written(Item::envelope, "Subject: gr\xC3\xBC\n\n") ==
        "(NIL {4}\r\ngr\xC3\xBC NIL NIL NIL NIL NIL NIL NIL NIL)");
  CHECK(written(Item::envelope, "Subject: gr\xC3\xBC\n\n", imap::Utf8::yes) ==
        "(NIL \"gr\xC3\xBC\" NIL NIL NIL NIL NIL NIL NIL NIL)");
  CHECK(written(Item::envelope, "Subject: gr\xFC\n\n", imap::Utf8::yes) ==
        "(NIL {3}\r\ngr\xFC NIL NIL NIL NIL NIL NIL NIL NIL)");
  CHECK(written(Item::envelope, "Subject: a\0b\n\n"s) ==
        "(NIL {3}\r\na\x80"
        "b NIL NIL NIL NIL NIL NIL NIL NIL)");
  CHECK(written(Item::envelope, "Subject: a\rb\n\n") == "(NIL {3}\r\na\rb NIL NIL NIL NIL NIL NIL NIL NIL)");
}

TEST_CASE("BODY and BODYSTRUCTURE of the kinds of parts") {
  const std::string text = "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\nContent-Language: en\n\na\nb\n";
  CHECK(written(Item::body, text) == "(\"text\" \"plain\" (\"charset\" \"US-ASCII\") NIL NIL \"7bit\" 6 2)");
  CHECK(written(Item::bodystructure, text) ==
        "(\"text\" \"plain\" (\"charset\" \"US-ASCII\") NIL NIL \"7bit\" 6 2 NIL NIL (\"en\") NIL)");
  const std::string multipart =
      "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: image/png\n"
      "Content-Transfer-Encoding: base64\nContent-ID: <i>\nContent-Disposition: attachment; filename*=utf-8''%C3%BC\n"
      "Content-MD5: m\nContent-Location: l\n\nAAAA\n--b--\n";
  CHECK(written(Item::body, multipart) ==
        "((\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1)(\"image\" \"png\" NIL \"<i>\" NIL \"base64\" 4) \"mixed\")");
  CHECK(written(Item::bodystructure, multipart) ==
        "((\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1 NIL NIL NIL NIL)"
        "(\"image\" \"png\" NIL \"<i>\" NIL \"base64\" 4 \"m\" (\"attachment\" (\"filename*\" {2}\r\n\xC3\xBC)) NIL "
        "\"l\") "
        "\"mixed\" (\"boundary\" \"b\") NIL NIL NIL)");
  CHECK(written(Item::bodystructure, "Content-Type: message/rfc822\n\nSubject: in\n\nx\n") ==
        "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 18 (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) "
        "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1 NIL NIL NIL NIL) 3 NIL NIL NIL NIL)");
}

TEST_CASE("broken messages still give valid syntax") {
  for (const auto& message :
       {""s, "Content-Type: multipart/mixed; boundary=b\n\nnothing"s, "Content-Type: message/rfc822\n"s,
        "Content-Type: \"/\"\nContent-Transfer-Encoding: \n\n"s, "Content-Type: text/\xFF\n\n"s,
        "Content-Disposition: ;x=y\nContent-Language: (x),,\nContent-ID:\n\n"s, "From: \"\\\"\n\n"s,
        "Content-Type: multipart/\"; boundary=b\n\n--b\n"s, "To: \0: \0@\0;\n\n"s,
        "Content-Transfer-Encoding: \"\"\n\n"s}) {
    CAPTURE(message);
    CHECK(grammar_error(mime::parse_structure(test::with_crlf(message))).empty());
  }
}

TEST_CASE("the grammar check itself finds what is wrong") {
  const auto error = [](std::string_view text) {
    return Grammar::body_error(text, Grammar::Kind::body, Grammar::Charset::ascii);
  };
  CHECK(error("(\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1)").empty());
  CHECK(!error("(\"text\" \"plain\" NIL NIL NIL \"7bit\" 3)").empty());
  CHECK(!error("(\"text\" \"\" NIL NIL NIL \"7bit\" 3 1)").empty());
  CHECK(!error("(\"multipart\" \"mixed\" NIL NIL NIL \"7bit\" 3)").empty());
  CHECK(!error("(\"text\" \"plain\" () NIL NIL \"7bit\" 3 1)").empty());
  CHECK(!error("(\"text\" \"pl\xFCin\" NIL NIL NIL \"7bit\" 3 1)").empty());
  CHECK(!error("(\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1) ").empty());
}

TEST_CASE("every message of the corpus gives valid syntax") {
  if (!test::have_mail_corpus()) return;
  std::size_t checked = 0;
  for (const auto& path : test::corpus_messages()) {
    const std::string message = test::with_crlf(test::read_file(path));
    const std::string error = grammar_error(mime::parse_structure(message));
    CHECK_MESSAGE(error.empty(), path.string() << ": " << error);
    ++checked;
  }
  CHECK(checked > 1800);
}
