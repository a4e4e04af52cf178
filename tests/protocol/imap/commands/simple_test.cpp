// The commands whose arguments are few: AUTHENTICATE, COPY, CREATE and its like, ENABLE, UID EXPUNGE, GETQUOTA, ID,
// LOGIN, SETQUOTA.
#include <doctest/doctest.h>

#include "protocol/imap/commands/authenticate.h"
#include "protocol/imap/commands/copy.h"
#include "protocol/imap/commands/enable.h"
#include "protocol/imap/commands/expunge.h"
#include "protocol/imap/commands/id.h"
#include "protocol/imap/commands/login.h"
#include "protocol/imap/commands/mailbox.h"
#include "protocol/imap/commands/quota.h"
#include "tests/protocol/imap/framing.h"

using namespace postkeep;
using namespace postkeep::imap;

TEST_CASE("AUTHENTICATE takes a mechanism and perhaps an initial response") {
  const auto plain = parsed("AUTHENTICATE plain", parse_authenticate).value();
  CHECK(plain.mechanism == "PLAIN");
  CHECK_FALSE(plain.initial_response);
  const auto with = parsed("AUTHENTICATE SCRAM-SHA-256 AGEAYg==", parse_authenticate).value();
  CHECK(with.mechanism == "SCRAM-SHA-256");
  CHECK(with.initial_response->reveal() == std::string_view("\0a\0b", 4));
  const auto empty = parsed("AUTHENTICATE EXTERNAL =", parse_authenticate).value();
  REQUIRE(empty.initial_response);
  CHECK(empty.initial_response->empty());
  check_bad({"AUTHENTICATE", "AUTHENTICATE ", "AUTHENTICATE PLAIN AGEAYg",
             "AUTHENTICATE PLAIN AGEA Yg==", "AUTHENTICATE PLAIN ==", "AUTHENTICATE PLAIN x", "AUTHENTICATE \"PLAIN\"",
             "AUTHENTICATE PLAIN {4+}\r\nAGEA"},
            parse_authenticate);
}

TEST_CASE("a line of an exchange is base64, or * to cancel") {
  CHECK(parse_authenticate_line("AGEAYg==").value()->reveal() == std::string_view("\0a\0b", 4));
  CHECK(parse_authenticate_line("").value()->empty());
  CHECK_FALSE(parse_authenticate_line("*").value());
  for (const char* line : {"**", " ", "=", "AGE", "* "}) CHECK_FALSE(parse_authenticate_line(line));
}

TEST_CASE("COPY and MOVE take a set and a mailbox") {
  const auto copy = parsed("COPY 2:4,* {3+}\r\na b", parse_copy).value();
  CHECK(copy.set == SequenceSet::parse("2:4,*").value());
  CHECK(copy.mailbox == "a b");
  CHECK(parsed("UID MOVE $ Archive", parse_copy)->set.saved_result);
  check_bad({"COPY", "COPY 1", "COPY 1 ", "COPY x Archive", "COPY 0 Archive", "COPY 1 a b", "COPY 1  a", "COPY 1,2, a"},
            parse_copy);
}

TEST_CASE("UID EXPUNGE takes a set") {
  CHECK(parsed("UID EXPUNGE 1:*", parse_uid_expunge)->set == SequenceSet::parse("1:*").value());
  check_bad({"UID EXPUNGE", "UID EXPUNGE a", "UID EXPUNGE 1 2"}, parse_uid_expunge);
}

TEST_CASE("ENABLE takes capabilities") {
  CHECK(parsed("ENABLE imap4rev2 CONDSTORE ", parse_enable)->capabilities ==
        std::vector<std::string>{"IMAP4REV2", "CONDSTORE"});
  check_bad({"ENABLE", "ENABLE ", "ENABLE (x)", "ENABLE a  b"}, parse_enable);
}

TEST_CASE("GETQUOTA takes the name of a root, which may be empty") {
  CHECK(parsed("GETQUOTA user/al.ice@example.org", parse_get_quota)->root == "user/al.ice@example.org");
  CHECK(parsed("GETQUOTA \"\"", parse_get_quota)->root.empty());
  check_bad({"GETQUOTA", "GETQUOTA ", "GETQUOTA a b", "GETQUOTA (a)"}, parse_get_quota);
}

TEST_CASE("SETQUOTA takes a root and limits of resources, perhaps none") {
  const auto two = parsed("SETQUOTA {4+}\r\nuser (storage 512 X-New 9223372036854775807)", parse_set_quota).value();
  CHECK(two.root == "user");
  REQUIRE(two.resources.size() == 2);
  CHECK(two.resources[0].resource == "STORAGE");
  CHECK(two.resources[0].limit == 512);
  CHECK(two.resources[1].resource == "X-NEW");
  CHECK(two.resources[1].limit == 9'223'372'036'854'775'807U);
  CHECK(parsed("SETQUOTA \"\" ()", parse_set_quota)->resources.empty());
  check_bad({"SETQUOTA", "SETQUOTA user", "SETQUOTA user ", "SETQUOTA (STORAGE 1)", "SETQUOTA user STORAGE 1",
             "SETQUOTA user (STORAGE)", "SETQUOTA user (STORAGE 1", "SETQUOTA user (STORAGE 1 )",
             "SETQUOTA user (STORAGE  1)", "SETQUOTA user (STORAGE 1 2)", "SETQUOTA user (\"STORAGE\" 1)",
             "SETQUOTA user (STORAGE -1)", "SETQUOTA user (STORAGE 9223372036854775808)", "SETQUOTA user (STORAGE 1) x",
             "SETQUOTA user ( )", "SETQUOTA user (STORAGE 1 storage 2)"},
            parse_set_quota);
}

TEST_CASE("SETQUOTA takes so many resources and no more") {
  std::string resources = "R0 0";
  for (std::size_t i = 1; i < limits::quota_resources_max; ++i) resources += " R" + std::to_string(i) + " 0";
  CHECK(parsed("SETQUOTA user (" + resources + ")", parse_set_quota));
  CHECK_FALSE(parsed("SETQUOTA user (" + resources + " X 0)", parse_set_quota));
}

TEST_CASE("ID takes NIL or pairs") {
  CHECK(parsed("ID NIL", parse_id)->fields.empty());
  CHECK(parsed("ID ()", parse_id)->fields.empty());
  const auto id = parsed("ID (\"name\" \"mutt\" \"os\" nil \"x\" {1+}\r\ny)", parse_id).value();
  REQUIRE(id.fields.size() == 3);
  CHECK(id.fields[0].first == "name");
  CHECK(id.fields[0].second == "mutt");
  CHECK_FALSE(id.fields[1].second);
  CHECK(id.fields[2].second == "y");
  check_bad(
      {"ID", "ID x", "ID (name mutt)", "ID (\"name\")", "ID (\"name\" \"x\" )", "ID (\"name\" \"x\"", "ID NIL NIL"},
      parse_id);
}

TEST_CASE("ID cuts long values and refuses too many") {
  const auto id = parsed("ID (\"" + std::string(40, 'n') + "\" \"" + std::string(2000, 'v') + "\")", parse_id).value();
  CHECK(id.fields[0].first.size() == limits::id_name_bytes_max);
  CHECK(id.fields[0].second->size() == limits::id_value_bytes_max);
  std::string pairs = "ID (\"a\" NIL";
  for (std::size_t i = 1; i < limits::id_pairs_max; ++i) pairs += " \"a\" NIL";
  CHECK(parsed(pairs + ")", parse_id));
  CHECK_FALSE(parsed(pairs + " \"a\" NIL)", parse_id));
}

TEST_CASE("LOGIN takes user and password in any form of string") {
  const auto login = parsed("LOGIN fred {6}\r\np\"w\\ x", parse_login).value();
  CHECK(login.user == "fred");
  CHECK(login.password.reveal() == "p\"w\\ x");
  const auto quoted = parsed("LOGIN \"SMITH\" \"ses\\\"ame\"", parse_login).value();
  CHECK(quoted.user == "SMITH");
  CHECK(quoted.password.reveal() == "ses\"ame");
  check_bad({"LOGIN", "LOGIN fred", "LOGIN fred ", "LOGIN fred pw extra", "LOGIN (fred) pw", "LOGIN fred \"pw",
             "LOGIN \"a\\b\" pw"},
            parse_login);
}

TEST_CASE("CREATE takes a name and perhaps special uses") {
  CHECK(parsed("CREATE owatagusiam/", parse_create)->mailbox == "owatagusiam/");
  CHECK(parsed("CREATE \"a b\" ", parse_create)->uses.empty());
  const auto create = parsed("CREATE x (USE (\\Drafts \\sent))", parse_create).value();
  CHECK(create.uses == std::vector<SpecialUse>{SpecialUse::drafts, SpecialUse::sent});
  CHECK(parsed("CREATE x (USE ())", parse_create)->uses.empty());
  CHECK(parsed("CREATE x (USE (\\Strange))", parse_create).error().kind == ErrorKind::use_attribute);
  check_bad({"CREATE", "CREATE ", "CREATE a b", "CREATE a ()", "CREATE a (USE)", "CREATE a (USE \\Sent)",
             "CREATE a (USE (\\Sent)", "CREATE a (USE (Sent))", "CREATE a (COLOUR red)", "CREATE a (USE (\\Sent)) b",
             "CREATE a%"},
            parse_create);
}

TEST_CASE("DELETE, SUBSCRIBE and UNSUBSCRIBE take a name") {
  CHECK(parsed("DELETE \"\"", parse_mailbox_only)->mailbox == "");
  CHECK(parsed("SUBSCRIBE #news.comp.mail.mime", parse_mailbox_only)->mailbox == "#news.comp.mail.mime");
  CHECK(parsed("SUBSCRIBE \"caf\xC3\xA9\"", parse_mailbox_only)->mailbox == "caf\xC3\xA9");
  check_bad({"DELETE", "DELETE a b", "DELETE caf\xC3\xA9", "DELETE *", "DELETE (a)"}, parse_mailbox_only);
}

TEST_CASE("RENAME takes two names") {
  const auto rename = parsed("RENAME blurdybloop {7+}\r\nsar asm", parse_rename).value();
  CHECK(rename.from == "blurdybloop");
  CHECK(rename.to == "sar asm");
  check_bad({"RENAME", "RENAME a", "RENAME a b c", "RENAME a  b"}, parse_rename);
}
