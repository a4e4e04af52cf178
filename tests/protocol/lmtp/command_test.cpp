#include "protocol/lmtp/command.h"

#include <doctest/doctest.h>

using namespace postkeep;
using namespace postkeep::lmtp;

namespace {
Path path(std::string local, std::string domain) {
  Path out;
  out.local_part = std::move(local);
  out.domain = std::move(domain);
  return out;
}
int code_of(const Command& command) {
  const Bad* bad = std::get_if<Bad>(&command);
  return bad == nullptr ? 0 : bad->code;
}
}  // namespace

TEST_CASE("each LMTP command is read into its value") {
  CHECK(parse_command("LHLO client.example") == Command(Lhlo{"client.example"}));
  CHECK(parse_command("lhlo [192.0.2.1]") == Command(Lhlo{"[192.0.2.1]"}));
  CHECK(parse_command("RCPT TO:<user@example.org>") == Command(Rcpt{path("user", "example.org")}));
  CHECK(parse_command("rcpt to: <user>") == Command(Rcpt{path("user", "")}));
  CHECK(parse_command("DATA") == Command(Data()));
  CHECK(parse_command("data ") == Command(Data()));
  CHECK(parse_command("RSET") == Command(Rset()));
  CHECK(parse_command("NOOP whatever") == Command(Noop()));
  CHECK(parse_command("VRFY user") == Command(Vrfy{"user"}));
  CHECK(parse_command("QUIT") == Command(Quit()));
  CHECK(parse_command("STARTTLS") == Command(StartTls()));
  CHECK(parse_command("BDAT 86 LAST") == Command(Bdat{86, true}));
  CHECK(parse_command("AUTH PLAIN =") == Command(Auth{"PLAIN", "="}));
  CHECK(parse_command("auth scram-sha-256") == Command(Auth{"scram-sha-256"}));
  CHECK(parse_command("BDAT 0") == Command(Bdat{0, false}));
}

TEST_CASE("MAIL carries its parameters") {
  Mail mail;
  CHECK(parse_command("MAIL FROM:<>") == Command(mail));
  mail.from = path("a", "b.example");
  mail.parameters.size = 1234;
  mail.parameters.body = BodyType::eight_bit_mime;
  CHECK(parse_command("MAIL FROM:<a@b.example> SIZE=1234 BODY=8BITMIME") == Command(mail));
  CHECK(parse_command("mail from: <a@b.example>  body=8bitmime  size=1234 ") == Command(mail));
  Mail utf8;
  utf8.from = path("ü", "b.example");
  utf8.parameters.smtputf8 = true;
  CHECK(parse_command("MAIL FROM:<ü@b.example> SMTPUTF8") == Command(utf8));
}

TEST_CASE("what cannot be done is answered with its code") {
  CHECK(code_of(parse_command("")) == 500);
  CHECK(code_of(parse_command("FOO bar")) == 500);
  CHECK(code_of(parse_command("EHLO client.example")) == 500);
  CHECK(code_of(parse_command("EXPN list")) == 502);
  CHECK(code_of(parse_command("LHLO")) == 501);
  CHECK(code_of(parse_command("LHLO two words")) == 501);
  CHECK(code_of(parse_command("MAIL <a@b>")) == 501);
  CHECK(code_of(parse_command("MAIL FROM:")) == 501);
  CHECK(code_of(parse_command("MAIL FROM:<a@b> SIZE=x")) == 501);
  CHECK(code_of(parse_command("MAIL FROM:<a@b> SIZE=123456789012345678901")) == 501);
  CHECK(code_of(parse_command("MAIL FROM:<a@b> SIZE=99999999999999999999")) == 501);
  CHECK(code_of(parse_command("MAIL FROM:<a@b> BODY=9BIT")) == 501);
  CHECK(code_of(parse_command("MAIL FROM:<a@b> SMTPUTF8=yes")) == 501);
  CHECK(code_of(parse_command("MAIL FROM:<a@b> AUTH=a+")) == 501);
  CHECK(code_of(parse_command("MAIL FROM:<a@b> NOSUCH=<>")) == 555);
  CHECK(code_of(parse_command("AUTH")) == 501);
  CHECK(code_of(parse_command("AUTH PLAIN x y")) == 501);
  CHECK(code_of(parse_command("AUTH PL@IN")) == 501);
  CHECK(code_of(parse_command("MAIL FROM:<ü@b>")) == 553);
  CHECK(code_of(parse_command("RCPT TO:<>")) == 501);
  CHECK(code_of(parse_command("RCPT TO:<ü@b>")) == 501);
  CHECK(code_of(parse_command("RCPT TO:<ü@b>", Utf8Path::allowed)) == 0);
  CHECK(code_of(parse_command("RCPT TO:<a@b> NOTIFY=NEVER")) == 0);
  CHECK(code_of(parse_command("RCPT TO:<a@b> NOTIFY=NO")) == 501);
  CHECK(code_of(parse_command("RCPT TO:<a@b> SIZE=1")) == 555);
  CHECK(code_of(parse_command("DATA now")) == 501);
  CHECK(code_of(parse_command("VRFY")) == 501);
  CHECK(code_of(parse_command("BDAT")) == 501);
  CHECK(code_of(parse_command("BDAT 1 MORE")) == 501);
}
