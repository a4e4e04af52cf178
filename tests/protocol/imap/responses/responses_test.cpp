// What every writer of protocol/imap/responses puts on the wire, octet by octet.
#include <doctest/doctest.h>

#include "protocol/imap/responses/capability.h"
#include "protocol/imap/responses/fetch.h"
#include "protocol/imap/responses/list.h"
#include "protocol/imap/responses/mailbox_data.h"
#include "protocol/imap/responses/search.h"
#include "protocol/imap/responses/state.h"
#include "protocol/imap/responses/status.h"

using namespace postkeep;
using namespace postkeep::imap;

namespace {

// What `write` writes.
template <class Write>
std::string written(Write write, Utf8 utf8 = Utf8::no) {
  std::string out;
  Writer writer(out, utf8);
  write(writer);
  return out;
}

FetchItem item_of(FetchItem::Kind kind) {
  FetchItem item;
  item.kind = kind;
  return item;
}

}  // namespace

TEST_CASE("conditions are written with code and text") {
  CHECK(written([](Writer& w) { write_tagged(w, "a7", Condition::ok, ResponseCode::read_write(), "Selected"); }) ==
        "a7 OK [READ-WRITE] Selected\r\n");
  CHECK(written([](Writer& w) { write_untagged(w, Condition::bye, std::nullopt, "Bye"); }) == "* BYE Bye\r\n");
  CHECK(written([](Writer& w) { write_untagged(w, Condition::preauth, std::nullopt, "Hi"); }) == "* PREAUTH Hi\r\n");
  CHECK(written([](Writer& w) { write_tagged_error(w, "x", Error(ErrorKind::over_quota, "Full", "secret detail")); }) ==
        "x NO [OVERQUOTA] Full\r\n");
  CHECK(written([](Writer& w) { write_tagged_error(w, "x", Error(ErrorKind::bad_syntax, "Oops")); }) ==
        "x BAD Oops\r\n");
  CHECK(written([](Writer& w) {
          write_tagged_error(w, "x", Error(ErrorKind::not_found, "No such mailbox"), ResponseCode::try_create());
        }) == "x NO [TRYCREATE] No such mailbox\r\n");
}

TEST_CASE("no text can end a line early, pass for a code or be empty") {
  const auto text = [](std::string_view t, Utf8 utf8 = Utf8::no) {
    return written([&](Writer& w) { write_tagged(w, "a", Condition::no, std::nullopt, t); }, utf8);
  };
  CHECK(text("evil\r\n* BYE") == "a NO evil??* BYE\r\n");
  CHECK(text("[ALERT] x") == "a NO (ALERT] x\r\n");
  CHECK(text("") == "a NO -\r\n");
  CHECK(text("caf\xC3\xA9") == "a NO caf??\r\n");
  CHECK(text("caf\xC3\xA9", Utf8::yes) == "a NO caf\xC3\xA9\r\n");
  CHECK(text(std::string_view("a\0b", 3)) == "a NO a?b\r\n");
}

TEST_CASE("a continuation request has its space, also when it is empty") {
  CHECK(written([](Writer& w) { write_continuation(w, "idling"); }) == "+ idling\r\n");
  CHECK(written([](Writer& w) { write_continuation(w, ""); }) == "+ \r\n");
}

TEST_CASE("capabilities, counts and flags are one line each") {
  CHECK(written([](Writer& w) {
          write_capability(w, {"IMAP4rev2", "IMAP4rev1"});
        }) == "* CAPABILITY IMAP4rev2 IMAP4rev1\r\n");
  CHECK(written([](Writer& w) { write_enabled(w, {}); }) == "* ENABLED\r\n");
  CHECK(written([](Writer& w) { write_enabled(w, {"CONDSTORE"}); }) == "* ENABLED CONDSTORE\r\n");
  CHECK(written([](Writer& w) { write_exists(w, 23); }) == "* 23 EXISTS\r\n");
  CHECK(written([](Writer& w) { write_recent(w, 0); }) == "* 0 RECENT\r\n");
  CHECK(written([](Writer& w) { write_expunge(w, SeqNum(4)); }) == "* 4 EXPUNGE\r\n");
  const UidSet uids{Uid(41), Uid(43), Uid(44)};
  CHECK(written([&](Writer& w) { write_vanished(w, uids, Earlier::yes); }) == "* VANISHED (EARLIER) 41,43:44\r\n");
  CHECK(written([&](Writer& w) { write_vanished(w, uids, Earlier::no); }) == "* VANISHED 41,43:44\r\n");
  CHECK(written([](Writer& w) { write_vanished(w, UidSet(), Earlier::no); }).empty());
  Flags flags;
  flags.set(SystemFlag::seen);
  flags.add_keyword("$Junk");
  CHECK(written([&](Writer& w) { write_flags(w, flags); }) == "* FLAGS (\\Seen $Junk)\r\n");
}

TEST_CASE("NAMESPACE shows what there is and NIL for the rest") {
  NamespaceData data;
  data.personal.push_back({"", '/'});
  CHECK(written([&](Writer& w) { write_namespace(w, data); }) == "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
  data.shared.push_back({"Public Folders/", '/'});
  data.shared.push_back({"#news.", '.'});
  CHECK(written([&](Writer& w) { write_namespace(w, data); }) ==
        "* NAMESPACE ((\"\" \"/\")) NIL ((\"Public Folders/\" \"/\")(\"#news.\" \".\"))\r\n");
}

TEST_CASE("ID shows fields or NIL") {
  CHECK(written([](Writer& w) { write_id(w, {}); }) == "* ID NIL\r\n");
  CHECK(written([](Writer& w) {
          write_id(w, {{"name", "Postkeep"}, {"os", std::nullopt}});
        }) == "* ID (\"name\" \"Postkeep\" \"os\" NIL)\r\n");
}

TEST_CASE("LIST shows attributes, separator, name and extended items") {
  ListData data;
  data.attributes = {"\\HasNoChildren", "\\Sent"};
  data.separator = '/';
  data.mailbox = "Sent Items";
  CHECK(written([&](Writer& w) { write_list(w, data); }) == "* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent Items\"\r\n");
  data.child_info = {"SUBSCRIBED"};
  data.old_name = "a";
  CHECK(written([&](Writer& w) { write_list(w, data); }) ==
        "* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent Items\" (\"CHILDINFO\" (\"SUBSCRIBED\") \"OLDNAME\" (a))\r\n");
  ListData lsub;
  lsub.verb = ListData::Verb::lsub;
  lsub.mailbox = "INBOX";
  CHECK(written([&](Writer& w) { write_list(w, lsub); }) == "* LSUB () NIL INBOX\r\n");
}

TEST_CASE("STATUS shows numbers and the mailbox id") {
  const std::vector<StatusValue> values = {{StatusItem::messages, std::uint64_t{231}},
                                           {StatusItem::size, std::uint64_t{9223372036854775807}},
                                           {StatusItem::mailbox_id, MailboxId(1)}};
  CHECK(written([&](Writer& w) { write_status(w, "a b", values); }) ==
        "* STATUS \"a b\" (MESSAGES 231 SIZE 9223372036854775807 MAILBOXID (F0000000000000001))\r\n");
  CHECK(written([&](Writer& w) { write_status(w, "x", {}); }) == "* STATUS x ()\r\n");
}

TEST_CASE("SEARCH lists numbers, and MODSEQ only if something was found") {
  CHECK(written([](Writer& w) {
          write_search(w, UidSet{Uid(2), Uid(3), Uid(6)}, std::nullopt);
        }) == "* SEARCH 2 3 6\r\n");
  CHECK(written([](Writer& w) { write_search(w, UidSet{Uid(2)}, ModSeq(917162500)); }) ==
        "* SEARCH 2 (MODSEQ 917162500)\r\n");
  CHECK(written([](Writer& w) { write_search(w, UidSet(), ModSeq(917162500)); }) == "* SEARCH\r\n");
}

TEST_CASE("ESEARCH shows what was asked for and found") {
  EsearchData data;
  data.tag = "A283";
  CHECK(written([&](Writer& w) { write_esearch(w, data); }) == "* ESEARCH (TAG \"A283\")\r\n");
  data.uid = UidForm::yes;
  data.min = 2;
  data.max = 47;
  data.all = UidSet::from_wire("2,10:15,21").value();
  data.count = 25;
  data.modseq = ModSeq(9);
  CHECK(written([&](Writer& w) { write_esearch(w, data); }) ==
        "* ESEARCH (TAG \"A283\") UID MIN 2 MAX 47 ALL 2,10:15,21 COUNT 25 MODSEQ 9\r\n");
  EsearchData nothing;
  nothing.tag = "x";
  nothing.all = UidSet();
  nothing.count = 0;
  CHECK(written([&](Writer& w) { write_esearch(w, nothing); }) == "* ESEARCH (TAG \"x\") COUNT 0\r\n");
}

TEST_CASE("a FETCH response is written item by item") {
  Flags flags;
  flags.set(SystemFlag::seen);
  CHECK(written([&](Writer& w) {
          FetchResponse fetch(w, SeqNum(12));
          fetch.uid(Uid(7));
          fetch.flags(flags, Recent::no);
          fetch.flags(Flags(), Recent::yes);
          fetch.flags(flags, Recent::yes);
          fetch.internal_date(UnixTime{837596665});
          fetch.rfc822_size(4286);
          fetch.modseq(ModSeq(624140003));
          fetch.finish();
        }) ==
        "* 12 FETCH (UID 7 FLAGS (\\Seen) FLAGS (\\Recent) FLAGS (\\Seen \\Recent) INTERNALDATE \"17-Jul-1996 09:44:25 "
        "+0000\""
        " RFC822.SIZE 4286 MODSEQ (624140003))\r\n");
}

TEST_CASE("a FETCH response shows object ids, save date and preview or NIL") {
  CHECK(
      written([&](Writer& w) {
        FetchResponse fetch(w, SeqNum(1));
        fetch.email_id(EmailId());
        fetch.thread_id(std::nullopt);
        fetch.thread_id(ThreadId());
        fetch.save_date(std::nullopt);
        fetch.save_date(UnixTime{0});
        fetch.preview(std::nullopt);
        fetch.preview("Hello");
        fetch.finish();
      }) ==
      "* 1 FETCH (EMAILID (M00000000000000000000000000000000) THREADID NIL THREADID (T00000000000000000000000000000000)"
      " SAVEDATE NIL SAVEDATE \"01-Jan-1970 00:00:00 +0000\" PREVIEW NIL PREVIEW \"Hello\")\r\n");
}

TEST_CASE("sections are NIL, bytes at hand or an announced literal") {
  FetchItem body = item_of(FetchItem::Kind::body_section);
  body.peek = FetchItem::Peek::yes;
  body.section.text = mime::Section::Text::header_fields;
  body.section.fields = {"From", "X Y", "NIL"};
  body.partial = mime::Partial{5, 100};
  FetchItem binary = item_of(FetchItem::Kind::binary_section);
  binary.section.part = {1, 2};
  CHECK(written([&](Writer& w) {
          FetchResponse fetch(w, SeqNum(1));
          fetch.section_bytes(response_name(body), "From: x\r\n");
          fetch.section_nil(response_name(binary));
          fetch.section_literal(response_name(binary), 3, LiteralKind::literal8);
          w.raw(std::string_view("a\0b", 3));
          fetch.section_literal(response_name(item_of(FetchItem::Kind::rfc822)), 2, LiteralKind::literal);
          w.raw("xy");
          fetch.binary_size(response_name(item_of(FetchItem::Kind::binary_size)), 9);
          fetch.ready(item_of(FetchItem::Kind::envelope), "(NIL)");
          fetch.finish();
        }) == std::string("* 1 FETCH (BODY[HEADER.FIELDS (From \"X Y\" \"NIL\")]<5> {9}\r\nFrom: x\r\n BINARY[1.2] NIL "
                          "BINARY[1.2] ~{3}\r\na") +
                  '\0' + "b RFC822 {2}\r\nxy BINARY.SIZE[] 9 ENVELOPE (NIL))\r\n");
}
