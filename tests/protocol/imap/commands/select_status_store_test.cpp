#include <doctest/doctest.h>

#include "protocol/imap/commands/select.h"
#include "protocol/imap/commands/status.h"
#include "protocol/imap/commands/store.h"
#include "tests/protocol/imap/framing.h"

using namespace postkeep;
using namespace postkeep::imap;

TEST_CASE("SELECT takes a mailbox and its parameters") {
  const auto plain = parsed("SELECT INBOX", parse_select).value();
  CHECK(plain.mailbox == "INBOX");
  CHECK_FALSE(plain.condstore);
  CHECK_FALSE(plain.qresync);
  CHECK(parsed("EXAMINE {3}\r\na b (condstore)", parse_select)->condstore);
  const auto short_form = parsed("SELECT x (QRESYNC (67890007 20050715194045000))", parse_select)->qresync.value();
  CHECK(short_form.uid_validity == UidValidity(67890007));
  CHECK(short_form.modseq == ModSeq(20050715194045000));
  CHECK_FALSE(short_form.known_uids);
  CHECK(short_form.known_sequence.empty());
  const auto with_uids = parsed("SELECT x (QRESYNC (1 2 41,43:211) CONDSTORE)", parse_select).value();
  CHECK(with_uids.condstore);
  CHECK(with_uids.qresync->known_uids->to_wire() == "41,43:211");
  const auto all =
      parsed("SELECT x (QRESYNC (1 2 1:29997 (5000,7500,9000 15000,22500,27000)))", parse_select)->qresync.value();
  CHECK(all.known_sequence.to_wire() == "5000,7500,9000");
  CHECK(all.known_sequence_uids.to_wire() == "15000,22500,27000");
  CHECK(parsed("SELECT x (QRESYNC (1 2 (1:3 4:6)))", parse_select)->qresync->known_sequence.size() == 3);
}

TEST_CASE("a malformed SELECT is refused") {
  check_bad(
      {"SELECT", "SELECT ", "SELECT a b", "SELECT a ()", "SELECT a (CONDSTORE", "SELECT a (NONSENSE)",
       "SELECT a (QRESYNC)", "SELECT a (QRESYNC (1))", "SELECT a (QRESYNC (0 1))", "SELECT a (QRESYNC (1 0))",
       "SELECT a (QRESYNC (1 2 ))", "SELECT a (QRESYNC (1 2 1:*))", "SELECT a (QRESYNC (1 2 1:2 3))",
       "SELECT a (QRESYNC (1 2 1:2 (1:2)))", "SELECT a (QRESYNC (1 2 1:2 (1:2 5)))", "SELECT a (QRESYNC (1 2 (1 2)) x",
       "SELECT a (QRESYNC (4294967296 1))", "SELECT a (CONDSTORE )", "SELECT a(CONDSTORE)"},
      parse_select);
}

TEST_CASE("STATUS takes a mailbox and items") {
  const auto status = parsed("STATUS blurdybloop (UIDNEXT messages UIDNEXT)", parse_status).value();
  CHECK(status.mailbox == "blurdybloop");
  CHECK(status.items == std::vector<StatusItem>{StatusItem::uid_next, StatusItem::messages});
  const char* all =
      "STATUS x (MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE RECENT HIGHESTMODSEQ MAILBOXID APPENDLIMIT "
      "DELETED-STORAGE)";
  std::string names;
  const auto everything = parsed(all, parse_status).value();
  for (const StatusItem item : everything.items) names += " " + std::string(to_wire(item));
  CHECK("STATUS x (" + names.substr(1) + ")" == std::string(all));
  check_bad({"STATUS", "STATUS x", "STATUS x ()", "STATUS x MESSAGES", "STATUS x (MESSAGES", "STATUS x (NONSENSE)",
             "STATUS x (MESSAGES )", "STATUS x (MESSAGES  UNSEEN)", "STATUS x (MESSAGES) y"},
            parse_status);
}

TEST_CASE("STORE takes flags in a list or bare") {
  const auto add = parsed("STORE 2:4 +FLAGS (\\Deleted)", parse_store).value();
  CHECK(add.set == SequenceSet::parse("2:4").value());
  CHECK(add.change == FlagChange::add);
  CHECK(add.silent == StoreArgs::Silent::no);
  CHECK(add.flags.to_wire() == "\\Deleted");
  const auto remove = parsed("UID STORE * -flags.silent \\Seen $Junk", parse_store).value();
  CHECK(remove.change == FlagChange::remove);
  CHECK(remove.silent == StoreArgs::Silent::yes);
  CHECK(remove.flags.to_wire() == "\\Seen $Junk");
  CHECK(parsed("STORE 1 FLAGS \\Seen  ", parse_store)->flags.to_wire() == "\\Seen");
  const auto replace = parsed("STORE 1 FLAGS ()", parse_store).value();
  CHECK(replace.change == FlagChange::replace);
  CHECK(replace.flags.empty());
}

TEST_CASE("STORE takes UNCHANGEDSINCE") {
  CHECK(parsed("STORE 7,5,9 (UNCHANGEDSINCE 320162338) +FLAGS.SILENT (\\Deleted)", parse_store)->unchanged_since ==
        320162338);
  CHECK(parsed("STORE 1 (unchangedsince 0) FLAGS (x)", parse_store)->unchanged_since == 0);
  CHECK_FALSE(parsed("STORE 1 FLAGS (x)", parse_store)->unchanged_since);
}

TEST_CASE("a malformed STORE is refused") {
  check_bad({"STORE", "STORE 1", "STORE 1 FLAGS", "STORE 1 FLAGS ", "STORE 1 FLAGS (", "STORE 1 FLAGS (\\Seen",
             "STORE 1 FLAGS (\\Nonsense)", "STORE 1 *FLAGS (\\Seen)", "STORE 1 + FLAGS (\\Seen)",
             "STORE 1 FLAGS.LOUD (\\Seen)", "STORE 1 FLAGS(\\Seen)", "STORE 1 FLAGS (\\Seen) \\Draft",
             "STORE 1 FLAGS \\Seen  \\Draft", "STORE 1 () FLAGS (\\Seen)", "STORE 1 (CHANGEDSINCE 1) FLAGS (\\Seen)",
             "STORE 1 (UNCHANGEDSINCE x) FLAGS (\\Seen)", "STORE x FLAGS (\\Seen)"},
            parse_store);
  CHECK(parsed("STORE 1 +FLAGS (\\Recent)", parse_store).error().kind == ErrorKind::client_bug);
}
