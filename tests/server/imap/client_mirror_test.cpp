// The mirror itself: it believes what it is told, and notices what may not be told.
#include "tests/server/imap/client_mirror.h"

#include <doctest/doctest.h>

using namespace postkeep::test;

namespace {

ClientMirror three_messages() {
  ClientMirror mirror;
  mirror.take("* 3 EXISTS", During::other);
  mirror.take("* 1 FETCH (UID 4 FLAGS (\\Seen \\Recent k))", During::by_number);
  mirror.take("* 3 FETCH (FLAGS () UID 9)", During::by_number);
  return mirror;
}

// The number of faults after three_messages() and this line.
std::size_t faults_after(const std::string& line, During during = During::other) {
  ClientMirror mirror = three_messages();
  CHECK(mirror.faults().empty());
  mirror.take(line, during);
  return mirror.faults().size();
}

}  // namespace

TEST_CASE("A mirror believes what it is told") {
  ClientMirror mirror = three_messages();
  mirror.take("* 1 EXPUNGE", During::other);
  mirror.take("* 4 EXISTS", During::nothing);
  mirror.take("* 4 RECENT", During::nothing);
  mirror.take("* FLAGS (k)", During::other);
  mirror.work_out(1, '+', {"k", "\\Seen"});
  REQUIRE(mirror.messages().size() == 4);
  CHECK_FALSE(mirror.messages()[0].uid);
  CHECK(mirror.messages()[1].uid == 9);
  CHECK(mirror.messages()[1].flags == FlagSet{"k", "\\Seen"});
  mirror.take("* SEARCH 2 4", During::by_number);
  CHECK(mirror.take_found() == std::set<std::uint32_t>{2, 4});
  mirror.take("* ESEARCH (TAG \"t1\") UID ALL 2:4,9", During::other);
  CHECK(mirror.take_found() == std::set<std::uint32_t>{2, 3, 4, 9});
  mirror.take("* 2 FETCH (UID 9 BODY[] {7}\r\nUID 5\r\n FLAGS (\\Draft))", During::by_number);
  CHECK(mirror.take_bodies() == std::map<std::uint32_t, std::string>{{9, "UID 5\r\n"}});
  CHECK(mirror.messages()[1].flags == FlagSet{"\\Draft"});
  CHECK(mirror.faults().empty());
}

TEST_CASE("A mirror notices each breach of the rules") {
  CHECK(faults_after("* 2 EXISTS") == 1);
  CHECK(faults_after("* 4 RECENT") == 1);
  CHECK(faults_after("* 4 EXPUNGE") == 1);
  CHECK(faults_after("* 1 EXPUNGE") == 0);
  CHECK(faults_after("* 1 EXPUNGE", During::by_number) == 1);
  CHECK(faults_after("* 1 EXPUNGE", During::nothing) == 1);
  CHECK(faults_after("* 4 FETCH (FLAGS ())") == 1);
  CHECK(faults_after("* 0 FETCH (FLAGS ())") == 1);
  CHECK(faults_after("* 1 FETCH (UID 5)") == 1);
  CHECK(faults_after("* 2 FETCH (UID 5)") == 0);
  CHECK(faults_after("* 2 FETCH (UID 4)") == 1);
  CHECK(faults_after("* 2 FETCH (UID 10)") == 1);
}
