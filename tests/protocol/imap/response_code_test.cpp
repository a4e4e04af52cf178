#include "protocol/imap/response_code.h"

#include <doctest/doctest.h>

#include "protocol/base/ensure.h"

using namespace postkeep;
using namespace postkeep::imap;

namespace {

std::vector<Uid> uids(std::initializer_list<std::uint32_t> values) {
  std::vector<Uid> out;
  for (const auto value : values) out.emplace_back(value);
  return out;
}

Flags flags_of(std::initializer_list<const char*> names) {
  Flags flags;
  for (const char* name : names) REQUIRE(flags.add_from_wire(name));
  return flags;
}

}  // namespace

TEST_CASE("response codes print as RFC 9051 §7.1 has them") {
  CHECK(ResponseCode::read_write().text() == "READ-WRITE");
  CHECK(ResponseCode::capability({"IMAP4rev2", "IDLE"}).text() == "CAPABILITY IMAP4rev2 IDLE");
  CHECK(ResponseCode::uid_next(Uid(4392)).text() == "UIDNEXT 4392");
  CHECK(ResponseCode::uid_validity(UidValidity(3857529045)).text() == "UIDVALIDITY 3857529045");
  CHECK(ResponseCode::unseen(SeqNum(12)).text() == "UNSEEN 12");
  CHECK(ResponseCode::highest_modseq(ModSeq(715194045007)).text() == "HIGHESTMODSEQ 715194045007");
  CHECK(ResponseCode::mailbox_id(MailboxId(255)).text() == "MAILBOXID (F00000000000000ff)");
  CHECK(ResponseCode::modified(UidSet{Uid(7), Uid(9)}).text() == "MODIFIED 7,9");
  CHECK(ResponseCode::append_uid(UidValidity(38505), UidSet{Uid(3955)}).text() == "APPENDUID 38505 3955");
  CHECK(ResponseCode::bad_charset({"US-ASCII", "UTF-8"}).text() == "BADCHARSET (US-ASCII UTF-8)");
  CHECK(ResponseCode::bad_charset({}).text() == "BADCHARSET");
  CHECK(ResponseCode::bad_event({"MessageNew", "FlagChange"}).text() == "BADEVENT (MessageNew FlagChange)");
  CHECK(ResponseCode::notification_overflow().text() == "NOTIFICATIONOVERFLOW");
}

TEST_CASE("PERMANENTFLAGS shows whether new keywords are possible") {
  using New = ResponseCode::NewKeywords;
  CHECK(ResponseCode::permanent_flags(flags_of({"\\Seen", "$Junk"}), New::yes).text() ==
        "PERMANENTFLAGS (\\Seen $Junk \\*)");
  CHECK(ResponseCode::permanent_flags(flags_of({"\\Seen"}), New::no).text() == "PERMANENTFLAGS (\\Seen)");
  CHECK(ResponseCode::permanent_flags(Flags(), New::no).text() == "PERMANENTFLAGS ()");
  CHECK(ResponseCode::permanent_flags(Flags(), New::yes).text() == "PERMANENTFLAGS (\\*)");
}

TEST_CASE("COPYUID keeps the n-th with the n-th") {
  const auto code = [](std::vector<Uid> from, std::vector<Uid> to) {
    return ResponseCode::copy_uid(UidValidity(1), from, to).text();
  };
  CHECK(code(uids({304, 319, 320}), uids({3956, 3957, 3958})) == "COPYUID 1 304,319:320 3956,3957:3958");
  CHECK(code(uids({1, 2, 3}), uids({7, 8, 9})) == "COPYUID 1 1:3 7:9");
  CHECK(code(uids({1, 2, 3}), uids({7, 9, 10})) == "COPYUID 1 1,2:3 7,9:10");
  CHECK(code(uids({5}), uids({6})) == "COPYUID 1 5 6");
  CHECK_THROWS_AS(code(uids({5}), uids({})), BugError);
  CHECK_THROWS_AS(code(uids({}), uids({})), BugError);
}

TEST_CASE("each kind of error has its condition and its code") {
  CHECK(condition_of(ErrorKind::bad_syntax) == Condition::bad);
  CHECK(condition_of(ErrorKind::client_bug) == Condition::bad);
  CHECK(condition_of(ErrorKind::over_quota) == Condition::no);
  CHECK_FALSE(ResponseCode::of(ErrorKind::bad_syntax));
  const std::pair<ErrorKind, const char*> codes[] = {
      {ErrorKind::not_found, "NONEXISTENT"},
      {ErrorKind::already_exists, "ALREADYEXISTS"},
      {ErrorKind::no_permission, "NOPERM"},
      {ErrorKind::cannot, "CANNOT"},
      {ErrorKind::limit, "LIMIT"},
      {ErrorKind::too_big, "TOOBIG"},
      {ErrorKind::over_quota, "OVERQUOTA"},
      {ErrorKind::quota_reached, "OVERQUOTA"},
      {ErrorKind::has_children, "HASCHILDREN"},
      {ErrorKind::use_attribute, "USEATTR"},
      {ErrorKind::bad_charset, "BADCHARSET (US-ASCII UTF-8)"},
      {ErrorKind::unknown_cte, "UNKNOWN-CTE"},
      {ErrorKind::expunge_issued, "EXPUNGEISSUED"},
      {ErrorKind::authentication_failed, "AUTHENTICATIONFAILED"},
      {ErrorKind::authorization_failed, "AUTHORIZATIONFAILED"},
      {ErrorKind::privacy_required, "PRIVACYREQUIRED"},
      {ErrorKind::in_use, "INUSE"},
      {ErrorKind::unavailable, "UNAVAILABLE"},
      {ErrorKind::corruption, "CORRUPTION"},
      {ErrorKind::client_bug, "CLIENTBUG"},
      {ErrorKind::server_bug, "SERVERBUG"},
  };
  for (const auto& [kind, text] : codes) CHECK(ResponseCode::of(kind)->text() == text);
}
