#include "protocol/lmtp/parameters.h"

#include <doctest/doctest.h>

using namespace postkeep;
using namespace postkeep::lmtp;

namespace {

// "" where it is read, else the kind of the error.
std::string mail_says(std::string_view parameter, MailParameters& into) {
  const Outcome read = read_mail_parameter(parameter, into);
  return read ? std::string() : std::string(to_string(read.error().kind));
}
std::string mail_says(std::string_view parameter) {
  MailParameters fresh;
  return mail_says(parameter, fresh);
}
std::string rcpt_says(std::string_view parameter, RcptParameters& into) {
  const Outcome read = read_rcpt_parameter(parameter, into);
  return read ? std::string() : std::string(to_string(read.error().kind));
}
std::string rcpt_says(std::string_view parameter) {
  RcptParameters fresh;
  return rcpt_says(parameter, fresh);
}

}  // namespace

TEST_CASE("parameters of MAIL are read, names and keywords in any case") {
  MailParameters mail;
  CHECK(mail_says("size=18446744073709551615", mail) == "");
  CHECK(mail_says("Body=binarymime", mail) == "");
  CHECK(mail_says("smtputf8", mail) == "");
  CHECK(mail_says("ret=hdrs", mail) == "");
  CHECK(mail_says("ENVID=QQ314159+2B+3D+20x", mail) == "");
  CHECK(mail.size == 18446744073709551615ULL);
  CHECK(mail.body == BodyType::binary_mime);
  CHECK(mail.smtputf8);
  CHECK(mail.ret == ReturnWhat::headers);
  CHECK(mail.envid == "QQ314159+= x");
}

TEST_CASE("parameters of MAIL that are malformed, twice there or unknown are told apart") {
  for (const char* wrong : {"SIZE",          "SIZE=",     "SIZE=1x",    "SIZE=-1",   "SIZE=18446744073709551616",
                            "BODY=",         "BODY=9BIT", "SMTPUTF8=1", "RET",       "RET=",
                            "RET=BOTH",      "ENVID",     "ENVID=",     "ENVID=a=b", "ENVID=a+2b",
                            "ENVID=a+2",     "ENVID=a+",  "ENVID=+0A",  "ENVID=+7F", "ENVID=+FF",
                            "ENVID=\xC3\xBC"}) {
    CHECK_MESSAGE(mail_says(wrong) == "bad_syntax", wrong);
  }
  for (const char* unknown : {"", "=", "X=1", "NOTIFY=NEVER", "ORCPT=rfc822;a", "SIZES=1"}) {
    CHECK_MESSAGE(mail_says(unknown) == "cannot", unknown);
  }
  MailParameters twice;
  CHECK(mail_says("RET=FULL", twice) == "");
  CHECK(mail_says("RET=FULL", twice) == "bad_syntax");
  CHECK(mail_says("ENVID=a", twice) == "");
  CHECK(mail_says("ENVID=a", twice) == "bad_syntax");
}

TEST_CASE("parameters of RCPT are read") {
  RcptParameters rcpt;
  CHECK(rcpt_says("notify=Success,FAILURE,delay", rcpt) == "");
  CHECK(rcpt_says("ORCPT=rfc822;Bob+2Bx@Example.ORG", rcpt) == "");
  NotifyWhen when;
  when.success = when.failure = when.delay = true;
  CHECK(rcpt.notify == when);
  CHECK(rcpt.original->type == "rfc822");
  CHECK(rcpt.original->address == "Bob+x@Example.ORG");
  RcptParameters never;
  CHECK(rcpt_says("NOTIFY=NEVER", never) == "");
  CHECK(never.notify->never);
  CHECK(rcpt_says("ORCPT=utf-8;j\xC3\xB6rg@example.org", never) == "");
  CHECK(never.original->address == "j\xC3\xB6rg@example.org");
  CHECK(rcpt_says("ORCPT=x400;") == "");
}

TEST_CASE("parameters of RCPT that are malformed, twice there or unknown are told apart") {
  for (const char* wrong : {"NOTIFY", "NOTIFY=", "NOTIFY=,", "NOTIFY=SUCCESS,", "NOTIFY=NEVER,SUCCESS", "NOTIFY=ALWAYS",
                            "ORCPT", "ORCPT=", "ORCPT=a@b", "ORCPT=;a", "ORCPT=rfc 822;a", "ORCPT=rfc822;a=b",
                            "ORCPT=rfc822;+0D", "ORCPT=rfc822;\xC3\xBC", "ORCPT=utf-8;\xFF"}) {
    CHECK_MESSAGE(rcpt_says(wrong) == "bad_syntax", wrong);
  }
  for (const char* unknown : {"", "SIZE=1", "RET=FULL", "ENVID=a", "X"}) {
    CHECK_MESSAGE(rcpt_says(unknown) == "cannot", unknown);
  }
  RcptParameters twice;
  CHECK(rcpt_says("NOTIFY=DELAY", twice) == "");
  CHECK(rcpt_says("NOTIFY=DELAY", twice) == "bad_syntax");
  CHECK(rcpt_says("ORCPT=rfc822;a", twice) == "");
  CHECK(rcpt_says("ORCPT=rfc822;a", twice) == "bad_syntax");
}

TEST_CASE("xtext is decoded, and nothing else is taken for it") {
  CHECK(decode_xtext("a+2Bb+3D+00").value() == std::string("a+b=\0", 5));
  CHECK(decode_xtext("").value().empty());
  for (const char* wrong : {"+", "+2", "+2b", "+G0", "a b", "a=b", "\x7F", "\xC3", "a\tb"}) {
    CHECK_MESSAGE(!decode_xtext(wrong), wrong);
  }
}
