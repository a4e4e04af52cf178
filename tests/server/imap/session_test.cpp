// A session from greeting to logout, command by command.
#include "protocol/base/base64.h"
#include "tests/server/imap/imap_fixture.h"
#include "tests/support/scram_client.h"

using namespace postkeep;
using namespace postkeep::test;
using namespace std::string_literals;

TEST_CASE("the greeting and the reply to LOGIN carry the capabilities") {
  ImapServer server;
  ImapClient client = server.connect();
  CHECK(server.greeting().starts_with("* OK [CAPABILITY IMAP4rev1 IMAP4rev2 "));
  CHECK(server.greeting().find("AUTH=PLAIN") != std::string::npos);
  CHECK(server.greeting().find("LOGINDISABLED") == std::string::npos);
  const std::string reply = client.ok("LOGIN alice secret");
  CHECK(reply.starts_with("OK [CAPABILITY IMAP4rev1 IMAP4rev2 "));
  CHECK(reply.find("AUTH=") == std::string::npos);
}

TEST_CASE("SELECT tells flags, counts, UIDs and access") {
  ImapServer server;
  ImapClient client = server.login();
  client.append("INBOX", small_message, "\\Seen");
  client.append("INBOX", small_message, "$Work");
  const Lines lines = client.run("SELECT inbox");
  CHECK(lines[0] == "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work)");
  CHECK(contains(lines, "[PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work \\*)]"));
  CHECK(contains(lines, "* 2 EXISTS"));
  CHECK(contains(lines, "* 2 RECENT"));
  CHECK(contains(lines, "* OK [UNSEEN 2]"));
  CHECK(contains(lines, "* OK [UIDVALIDITY "));
  CHECK(contains(lines, "* OK [UIDNEXT 3]"));
  CHECK(lines.back().starts_with("OK [READ-WRITE]"));
  const Lines again = client.run("EXAMINE INBOX");
  CHECK(again.front().starts_with("* OK [CLOSED]"));
  CHECK(contains(again, "* 0 RECENT"));
  CHECK(contains(again, "[PERMANENTFLAGS ()]"));
  CHECK(again.back().starts_with("OK [READ-ONLY]"));
  CHECK(client.ok("STORE 1 +FLAGS (\\Deleted)").starts_with("NO [NOPERM]"));
}

TEST_CASE("a failed SELECT leaves no mailbox selected") {
  ImapServer server;
  ImapClient client = server.select();
  CHECK(client.run("SELECT nowhere") ==
        Lines{"* OK [CLOSED] Previous mailbox closed", "NO [NONEXISTENT] No such mailbox"});
  CHECK(client.ok("FETCH 1 FLAGS").starts_with("BAD"));
}

TEST_CASE("STORE reports flags, SILENT does not, and FETCH sees both") {
  ImapServer server;
  ImapClient client = server.select();
  client.append("INBOX", small_message);
  CHECK(client.run("STORE 1 +FLAGS (\\Flagged)") ==
        Lines{"* 1 FETCH (UID 1 FLAGS (\\Flagged \\Recent))", "OK Flags stored"});
  CHECK(client.run("UID STORE 1 FLAGS.SILENT (\\Seen $Done)").size() == 3);  // FLAGS and PERMANENTFLAGS: a new keyword
  CHECK(client.run("FETCH 1 FLAGS") == Lines{"* 1 FETCH (FLAGS (\\Seen $Done \\Recent))", "OK Fetched"});
  CHECK(client.run("UID FETCH 1:* FLAGS") == Lines{"* 1 FETCH (UID 1 FLAGS (\\Seen $Done \\Recent))", "OK Fetched"});
}

TEST_CASE("EXPUNGE numbers what it removes from the end") {
  ImapServer server;
  ImapClient client = server.select();
  for (int i = 0; i < 5; ++i) client.append("INBOX", small_message);
  client.run("STORE 2,4,5 +FLAGS.SILENT (\\Deleted)");
  CHECK(client.run("UID EXPUNGE 4") == Lines{"* 4 EXPUNGE", "* 4 RECENT", "OK Expunged"});
  CHECK(client.run("EXPUNGE") == Lines{"* 4 EXPUNGE", "* 2 EXPUNGE", "* 2 RECENT", "OK Expunged"});
  CHECK(client.run("UID SEARCH ALL") == Lines{"* SEARCH 1 3", "OK Search finished"});
}

TEST_CASE("CLOSE expunges without a word, UNSELECT does not expunge") {
  ImapServer server;
  ImapClient client = server.select();
  client.append("INBOX", small_message, "\\Deleted");
  CHECK(client.run("UNSELECT").size() == 1);
  CHECK(contains(client.run("STATUS INBOX (MESSAGES DELETED)"), "* STATUS INBOX (MESSAGES 1 DELETED 1)"));
  client.run("EXAMINE INBOX");
  CHECK(client.run("CLOSE").size() == 1);
  CHECK(contains(client.run("STATUS INBOX (MESSAGES)"), "(MESSAGES 1)"));
  client.run("SELECT INBOX");
  CHECK(client.run("CLOSE").size() == 1);
  CHECK(contains(client.run("STATUS INBOX (MESSAGES)"), "(MESSAGES 0)"));
}

TEST_CASE("COPY and MOVE answer with COPYUID and say TRYCREATE where there is no target") {
  ImapServer server;
  ImapClient client = server.select();
  client.append("INBOX", small_message);
  client.append("INBOX", small_message);
  CHECK(client.ok("COPY 1 nowhere") == "NO [TRYCREATE] No such mailbox");
  CHECK(client.ok("COPY 1:2 Archive").starts_with("OK [COPYUID "));
  CHECK(client.ok("COPY 1:2 Archive").find(" 1:2 3:4]") != std::string::npos);
  const Lines moved = client.run("UID MOVE 1 Trash");
  CHECK(moved[0].starts_with("* OK [COPYUID "));
  CHECK(moved[1] == "* 1 EXPUNGE");
  CHECK(client.run("UID MOVE 99 Trash").back().starts_with("OK"));
  CHECK(client.ok("MOVE 7 Trash").starts_with("BAD"));
}

TEST_CASE("APPEND answers with APPENDUID, stores date and flags, and completes bare LF") {
  ImapServer server;
  ImapClient client = server.select();
  const Lines lines = client.run("APPEND INBOX (\\Seen) \" 1-Feb-2020 03:04:05 +0100\" {10+}\r\nA: b\n\nhi\r\n");
  CHECK(lines[0] == "* 1 EXISTS");
  CHECK(lines.back().starts_with("OK [APPENDUID "));
  CHECK(client.run("FETCH 1 (RFC822.SIZE INTERNALDATE FLAGS BODY.PEEK[])")[0] ==
        "* 1 FETCH (RFC822.SIZE 12 INTERNALDATE \"01-Feb-2020 02:04:05 +0000\" FLAGS (\\Seen \\Recent) "
        "BODY[] {12}\r\nA: b\r\n\r\nhi\r\n)");
  CHECK(client.ok("APPEND INBOX ~{8+}\r\nA: b\n\n\0\n"s).starts_with("OK [APPENDUID"));
  CHECK(client.run("FETCH 2 BODY[]")[0] == "* 2 FETCH (BODY[] {8}\r\nA: b\n\n\x80\n)");
  CHECK(client.run("FETCH 2 BINARY[]")[0] == "* 2 FETCH (BINARY[] ~{8}\r\nA: b\n\n\0\n)"s);
}

TEST_CASE("a synchronising literal of APPEND gets its continuation, or its refusal before it is sent") {
  ImapServer server;
  ImapClient client = server.login();
  client.send("a APPEND INBOX {6}\r\n");
  CHECK(client.read() == "+ OK");
  client.send("A: b\r\n\r\n");
  CHECK(client.read().starts_with("a OK [APPENDUID "));
  client.send("b APPEND nowhere {6}\r\n");
  CHECK(client.read() == "b NO [TRYCREATE] No such mailbox");
  client.send("c APPEND INBOX {999999999}\r\n");
  CHECK(client.read().starts_with("c NO [TOOBIG]"));
  client.send("d APPEND nowhere {6+}\r\nA: b\r\n\r\n");
  CHECK(client.read() == "d NO [TRYCREATE] No such mailbox");
  client.send("e APPEND INBOX (\\Bogus) {6}\r\n");
  CHECK(client.read().starts_with("e BAD"));
  client.send("f APPEND {5}\r\n");
  CHECK(client.read() == "+ OK");
  client.send("INBOX {6}\r\n");
  CHECK(client.read() == "+ OK");
  client.send("A: b\r\n\r\n");
  CHECK(client.read().starts_with("f OK [APPENDUID "));
  CHECK(contains(client.run("STATUS INBOX (MESSAGES)"), "(MESSAGES 2)"));
}

TEST_CASE("MULTIAPPEND is all or nothing") {
  ImapServer server;
  ImapClient client = server.login();
  const Lines both = client.run("APPEND INBOX (\\Seen) {8+}\r\nA: b\r\n\r\n (\\Flagged) {8+}\r\nA: c\r\n\r\n");
  CHECK(both.back().find(" 1:2]") != std::string::npos);
  CHECK(client.ok("APPEND INBOX {8+}\r\nA: b\r\n\r\n (\\Bogus) {8+}\r\nA: c\r\n\r\n").starts_with("BAD"));
  CHECK(client.ok("APPEND INBOX {8+}\r\nA: b\r\n\r\n trailing").starts_with("BAD"));
  CHECK(contains(client.run("STATUS INBOX (MESSAGES UNSEEN)"), "(MESSAGES 2 UNSEEN 1)"));
}

TEST_CASE("messages of a MULTIAPPEND are in its order, though small ones are stored together and large ones alone") {
  ImapServer server;
  ImapClient client = server.login();
  std::string command = "APPEND INBOX";
  std::string sizes;
  for (int i = 1; i <= 140; ++i) {
    const std::string message = "A: b\r\n\r\n" + std::string(i % 50 == 0 ? 100'000 + i : i, 'x');
    command += " {" + std::to_string(message.size()) + "+}\r\n" + message;
    sizes += std::to_string(message.size()) + " ";
  }
  CHECK(client.run(command).back().find(" 1:140]") != std::string::npos);
  client.ok("SELECT INBOX");
  std::string found;
  for (const std::string& line : client.run("FETCH 1:* (RFC822.SIZE)")) {
    const std::size_t at = line.find("RFC822.SIZE ");
    if (at != std::string::npos) found += line.substr(at + 12, line.find(')') - at - 12) + " ";
  }
  CHECK(found == sizes);
}

// What arrives in one piece is done together, which must not show but in the order of what is told.
TEST_CASE("APPEND commands in one piece are answered each for itself, in order") {
  ImapServer server;
  ImapClient client = server.login();
  client.ok("SELECT INBOX");
  std::string piece;
  for (int i = 0; i < 100; ++i) {
    const std::string subject = "Subject: " + std::to_string(i) + "\r\n\r\n";
    piece += "a" + std::to_string(i) + " APPEND INBOX (\\Seen) {" + std::to_string(subject.size()) + "+}\r\n" +
             subject + "\r\n";
  }
  client.send(piece + "n NOOP\r\n");
  std::vector<std::string> uids;
  for (const std::string& line : client.read_to("n ")) {
    if (!line.starts_with("a")) continue;
    CHECK(line.starts_with("a" + std::to_string(uids.size()) + " OK [APPENDUID "));
    const std::size_t end = line.find(']');
    uids.push_back(line.substr(line.rfind(' ', end) + 1, end - line.rfind(' ', end) - 1));
  }
  REQUIRE(uids.size() == 100);
  for (const int i : {0, 1, 57, 99}) {
    const Lines lines = client.run("UID FETCH " + uids[static_cast<std::size_t>(i)] + " BODY.PEEK[HEADER]");
    CHECK(lines.front().find("Subject: " + std::to_string(i) + "\r\n") != std::string::npos);
  }
  CHECK(client.run("STATUS INBOX (MESSAGES UNSEEN)").front() == "* STATUS INBOX (MESSAGES 100 UNSEEN 0)");
}

TEST_CASE(
    "APPEND commands in one piece: one that is refused takes no other with it, and others stand where they stood") {
  ImapServer server;
  ImapClient client = server.login();
  const std::string one = " APPEND INBOX {8+}\r\nA: b\r\n\r\n";
  client.send("a" + one + "\r\nb" + one + " trailing\r\nc" + one + "\r\nd" + one + " {8+}\r\nA: c\r\n\r\n\r\ne" + one +
              "\r\nf APPEND nowhere {8+}\r\nA: b\r\n\r\n\r\ng APPEND INBOX {0+}\r\n\r\nh" + one + "\r\ni" + one +
              "\r\nj NOOP\r\nk" + one + "\r\nl" + one);
  Lines heads;
  for (const std::string& line : client.read_to("k ")) heads.push_back(line.substr(0, line.find_first_of(" ", 2)));
  CHECK(heads == Lines{"a OK", "b BAD", "c OK", "d OK", "e OK", "f NO", "g NO", "h OK", "i OK", "j OK", "k OK"});
  CHECK(client.quiet_for(std::chrono::milliseconds(50)));
  client.send("\r\n");
  CHECK(client.read().starts_with("l OK"));
  CHECK(client.run("STATUS INBOX (MESSAGES)").front() == "* STATUS INBOX (MESSAGES 9)");
}

TEST_CASE("a client that leaves in the middle of an APPEND leaves nothing") {
  ImapServer server;
  {
    ImapClient client = server.login();
    client.send("a APPEND INBOX {1000}\r\n");
    CHECK(client.read() == "+ OK");
    client.send("From: me\r\n");
    client.hang_up();
  }
  ImapClient other = server.login();
  CHECK(contains(other.run("STATUS INBOX (MESSAGES)"), "(MESSAGES 0)"));
}

TEST_CASE("LIST, LSUB and NAMESPACE show the mailboxes that a first login makes") {
  ImapServer server;
  ImapClient client = server.login();
  CHECK(client.run("LIST \"\" \"\"") == Lines{"* LIST (\\Noselect) \"/\" \"\"", "OK Separator told"});
  const Lines all = client.run("LIST \"\" *");
  CHECK(contains(all, "* LIST (\\HasNoChildren) \"/\" INBOX"));
  CHECK(contains(all, "* LIST (\\HasNoChildren \\Drafts) \"/\" Drafts"));
  CHECK(client.run("LSUB \"\" %").size() == 6);
  CHECK(client.run("NAMESPACE")[0] == "* NAMESPACE ((\"\" \"/\")) NIL NIL");
  CHECK(contains(client.run("LIST (SPECIAL-USE) \"\" * RETURN (SUBSCRIBED)"),
                 "* LIST (\\Subscribed \\HasNoChildren \\Trash) \"/\" Trash"));
  const Lines status = client.run("LIST \"\" INBOX RETURN (STATUS (MESSAGES UIDNEXT SIZE))");
  CHECK(status[1] == "* STATUS INBOX (MESSAGES 0 UIDNEXT 1 SIZE 0)");
}

TEST_CASE("mailboxes are made, renamed, subscribed and deleted, with names in the session's encoding") {
  ImapServer server;
  ImapClient client = server.login();
  CHECK(client.ok("CREATE \"Entw&APw-rfe/2026/\"").starts_with("OK [MAILBOXID ("));
  CHECK(client.ok("CREATE \"Entw&APw-rfe/2026\"").starts_with("NO [ALREADYEXISTS]"));
  CHECK(contains(client.run("LIST \"\" Entw*"), "* LIST (\\HasChildren) \"/\" Entw&APw-rfe"));
  CHECK(client.ok("ENABLE IMAP4rev2").starts_with("OK"));
  CHECK(contains(client.run("LIST \"\" Entw*"), "* LIST (\\HasChildren) \"/\" \"Entw\u00fcrfe\""));
  CHECK(client.ok("RENAME \"Entw\u00fcrfe\" Plans").starts_with("OK"));
  CHECK(client.ok("SUBSCRIBE Plans/2026").starts_with("OK"));
  CHECK(client.ok("DELETE Plans/2026").starts_with("OK"));
  CHECK(contains(client.run("LIST (SUBSCRIBED) \"\" Plans/*"), "\\NonExistent"));
  CHECK(client.ok("UNSUBSCRIBE Plans/2026").starts_with("OK"));
  CHECK(client.ok("DELETE INBOX").starts_with("NO [CANNOT]"));
  CHECK(client.ok("DELETE nowhere").starts_with("NO [NONEXISTENT]"));
}

TEST_CASE("deleting the selected mailbox closes it, and ends other sessions that have it selected") {
  ImapServer server;
  ImapClient client = server.login();
  client.run("CREATE doomed");
  client.run("SELECT doomed");
  ImapClient other = server.select("doomed");
  CHECK(client.run("DELETE doomed").front().starts_with("* OK [CLOSED]"));
  CHECK(client.ok("SELECT INBOX").starts_with("OK"));
  other.send("a NOOP\r\n");
  const Lines last = other.read_to("* BYE");
  CHECK(last.back() == "* BYE The selected mailbox was deleted");
  CHECK(other.at_end());
}

TEST_CASE("SEARCH answers as the session's version prescribes") {
  ImapServer server;
  ImapClient client = server.select();
  client.append("INBOX", small_message, "\\Seen");
  client.append("INBOX", "Subject: other\r\n\r\nText\r\n");
  CHECK(client.run("SEARCH UNSEEN")[0] == "* SEARCH 2");
  CHECK(client.run("SEARCH SUBJECT hello")[0] == "* SEARCH 1");
  CHECK(client.run("SEARCH NOT SUBJECT hello SEEN")[0] == "* SEARCH");
  CHECK(client.run("UID SEARCH OR SUBJECT other RECENT")[0] == "* SEARCH 1 2");
  CHECK(client.run("SEARCH 5:9").front() == "* SEARCH");
  client.send("x SEARCH RETURN (MIN MAX COUNT) ALL\r\n");
  CHECK(client.read_to("x ")[0] == "* ESEARCH (TAG \"x\") MIN 1 MAX 2 COUNT 2");
  CHECK(client.run("SEARCH RETURN (SAVE) SUBJECT other") == Lines{"OK Search finished"});
  CHECK(client.run("FETCH $ UID")[0] == "* 2 FETCH (UID 2)");
  CHECK(client.run("SEARCH NOT $")[0] == "* SEARCH 1");
  CHECK(client.ok("SEARCH CHARSET KLINGON ALL").starts_with("NO [BADCHARSET"));
  client.run("ENABLE IMAP4rev2");
  client.send("y UID SEARCH ALL\r\n");
  CHECK(client.read_to("y ")[0] == "* ESEARCH (TAG \"y\") UID ALL 1:2");
}

TEST_CASE("an IMAP4rev2 session hears nothing of \\Recent") {
  ImapServer server;
  ImapClient client = server.login();
  CHECK(client.run("ENABLE IMAP4rev2 X-NONE") == Lines{"* ENABLED IMAP4rev2", "OK Enabled what is known"});
  CHECK(client.run("ENABLE IMAP4rev2")[0].starts_with("* ENABLED"));
  client.append("INBOX", small_message);
  const Lines lines = client.run("SELECT INBOX");
  CHECK_FALSE(contains(lines, "RECENT"));
  CHECK_FALSE(contains(lines, "[UNSEEN"));
  CHECK(contains(lines, "* LIST () \"/\" INBOX"));
  CHECK(client.run("FETCH 1 FLAGS")[0] == "* 1 FETCH (FLAGS ())");
}

TEST_CASE("the messages that one session was told are recent are not recent to the next") {
  ImapServer server;
  ImapClient first = server.select();
  ImapClient second = server.select();
  first.append("INBOX", small_message);
  CHECK(contains(first.run("NOOP"), "OK"));
  CHECK(second.run("NOOP") == Lines{"* 1 EXISTS", "OK Nothing done"});
  CHECK(first.run("FETCH 1 FLAGS")[0] == "* 1 FETCH (FLAGS (\\Recent))");
  CHECK(second.run("FETCH 1 FLAGS")[0] == "* 1 FETCH (FLAGS ())");
}

TEST_CASE("AUTHENTICATE works with and without an initial response, and can be cancelled") {
  ImapServer server;
  ImapClient client = server.connect();
  client.send("a AUTHENTICATE PLAIN\r\n");
  CHECK(client.read() == "+ ");
  client.send("*\r\n");
  CHECK(client.read().starts_with("a BAD"));
  client.send("b AUTHENTICATE PLAIN\r\n");
  CHECK(client.read() == "+ ");
  client.send("AGFsaWNlAHdyb25n\r\n");
  CHECK(client.read().starts_with("b NO [AUTHENTICATIONFAILED]"));
  CHECK(client.ok("AUTHENTICATE FANCY").starts_with("NO"));
  CHECK(client.ok("AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==").starts_with("OK [CAPABILITY "));
  CHECK(client.ok("LOGIN alice secret").starts_with("BAD"));
}

TEST_CASE("AUTHENTICATE SCRAM-SHA-256 looks keys up, proves and is proved to, and wrong proofs count") {
  ImapServer server;
  ImapClient client = server.connect();
  const Secret password("secret");
  const auto answer = [&](const Secret& with, std::string_view first) {  // to "+ <server-first>"
    const std::string challenge = base64_decode(std::string_view(client.read()).substr(2)).value();
    auth::ScramKeys keys;
    keys.iterations = 4096;
    const std::size_t salt = challenge.find(",s=") + 3;
    keys.salt = base64_decode(challenge.substr(salt, challenge.find(',', salt) - salt)).value();
    const std::string without_proof = "c=biws," + challenge.substr(0, challenge.find(','));
    const std::string message = std::string(first) + "," + challenge + "," + without_proof;
    client.send(base64_encode(without_proof + ",p=" + base64_encode(scram_proof(with, keys, message))) + "\r\n");
  };
  const std::string first = base64_encode("n,,n=alice,r=abc");
  for (const char* tag : {"a", "b"}) {
    client.send(std::string(tag) + " AUTHENTICATE SCRAM-SHA-256 " + first + "\r\n");
    answer(Secret("wrong"), "n=alice,r=abc");
    CHECK(base64_decode(std::string_view(client.read()).substr(2)).value() == "e=invalid-proof");
    client.send(tag == std::string_view("a") ? "\r\n" : "*\r\n");
    CHECK(client.read().starts_with(std::string(tag) + " NO [AUTHENTICATIONFAILED]"));
  }
  client.send("c AUTHENTICATE SCRAM-SHA-256\r\n");
  CHECK(client.read() == "+ ");
  client.send(first + "\r\n");
  answer(password, "n=alice,r=abc");
  CHECK(base64_decode(std::string_view(client.read()).substr(2)).value().starts_with("v="));
  client.send("\r\n");
  CHECK(client.read().starts_with("c OK [CAPABILITY "));
}

TEST_CASE("passwords are not taken over a connection that others can read") {
  ImapServer server;
  ImapClient client = server.connect(ImapServer::From::elsewhere);
  CHECK(server.greeting().find("LOGINDISABLED") != std::string::npos);
  CHECK(server.greeting().find("AUTH=PLAIN") == std::string::npos);
  CHECK(server.greeting().find("AUTH=LOGIN") == std::string::npos);
  CHECK(server.greeting().find("AUTH=SCRAM-SHA-256") != std::string::npos);  // which sends none
  CHECK(client.ok("LOGIN alice secret").starts_with("NO [PRIVACYREQUIRED]"));
  CHECK(client.ok("AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==").starts_with("NO [PRIVACYREQUIRED]"));
}

TEST_CASE("LOGOUT says BYE, answers and closes") {
  ImapServer server;
  ImapClient client = server.select();
  const Lines lines = client.run("LOGOUT");
  CHECK(lines[0].starts_with("* BYE"));
  CHECK(lines[1].starts_with("OK"));
  CHECK(client.at_end());
}

TEST_CASE("PARTIAL shows a window on what SEARCH and UID FETCH find") {
  ImapServer server;
  ImapClient client = server.select();
  for (int i = 0; i < 5; ++i) client.append("INBOX", small_message);
  CHECK(contains(client.run("UID SEARCH RETURN (PARTIAL 2:3) ALL"), "UID PARTIAL (2:3 2:3)"));
  CHECK(contains(client.run("SEARCH RETURN (PARTIAL -1:-2 COUNT) ALL"), " PARTIAL (-1:-2 4:5) COUNT 5"));
  CHECK(contains(client.run("SEARCH RETURN (PARTIAL 9:12) ALL"), " PARTIAL (9:12 NIL)"));
  CHECK(client.ok("SEARCH RETURN (PARTIAL 1:2 ALL) ALL").starts_with("BAD"));
  CHECK(client.ok("SEARCH RETURN (PARTIAL 1:2 PARTIAL 3:4) ALL").starts_with("BAD"));
  client.ok("SEARCH RETURN (SAVE PARTIAL 2:3 MAX) ALL");
  CHECK(contains(client.run("SEARCH RETURN (ALL) $"), "ALL 2:3,5"));
  client.ok("SEARCH RETURN (SAVE PARTIAL 2:3 COUNT) ALL");
  CHECK(contains(client.run("SEARCH RETURN (ALL) $"), "ALL 1:5"));
  const Lines lines = client.run("UID FETCH 2:* (FLAGS) (PARTIAL -1:-2)");
  CHECK(lines.size() == 3);
  CHECK(lines[0].starts_with("* 4 FETCH"));
  CHECK(client.ok("FETCH 1:* (FLAGS) (PARTIAL 1:2)").starts_with("BAD"));
}

TEST_CASE("a SEARCH or SORT that was to be saved and is answered NO leaves nothing saved") {
  ImapServer server;
  ImapClient client = server.select();
  client.append("INBOX", small_message);
  for (const char* failing : {"SEARCH RETURN (SAVE) CHARSET KLINGON ALL", "SORT RETURN (SAVE) (DATE) KLINGON ALL"}) {
    CAPTURE(failing);
    client.ok("SEARCH RETURN (SAVE) ALL");
    CHECK(contains(client.run("SEARCH RETURN (COUNT) $"), "COUNT 1"));
    CHECK(client.ok(failing).starts_with("NO [BADCHARSET"));
    CHECK(contains(client.run("SEARCH RETURN (COUNT) $"), "COUNT 0"));
  }
}

TEST_CASE("when the limit of keywords is reached PERMANENTFLAGS says that no more can be made") {
  ImapServer server;
  ImapClient client = server.select();
  client.append("INBOX", small_message);
  const std::uint64_t limit = test_settings().limits.keywords;
  for (std::uint64_t i = 1; i < limit; ++i) client.ok("STORE 1 +FLAGS.SILENT (k" + std::to_string(i) + ")");
  CHECK(contains(client.run("SELECT INBOX"), " \\*)]"));
  const Lines last = client.run("STORE 1 +FLAGS.SILENT (last)");
  CHECK(contains(last, "last)]"));
  CHECK_FALSE(contains(last, " \\*)]"));
  CHECK(client.ok("STORE 1 +FLAGS.SILENT (more)").starts_with("NO [LIMIT]"));
  CHECK_FALSE(contains(client.run("SELECT INBOX"), " \\*)]"));
}
