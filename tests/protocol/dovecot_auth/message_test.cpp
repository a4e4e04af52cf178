#include "protocol/dovecot_auth/message.h"

#include <doctest/doctest.h>

#include "tests/support/results.h"

using namespace postkeep;
using namespace postkeep::dovecot_auth;
using test::kind_of;
using test::must;

namespace {

Auth auth(std::string_view line) {
  Message message = must(parse_message(line));
  REQUIRE(std::holds_alternative<Auth>(message));
  return std::get<Auth>(std::move(message));
}

}  // namespace

TEST_CASE("AUTH as Postfix sends it") {
  const Auth plain =
      auth("AUTH\t7\tPLAIN\tservice=smtp\tnologin\tlip=192.0.2.1\trip=2001:db8::2\tsecured\tresp=AGEAYg==");
  CHECK(plain.id == 7);
  CHECK(plain.mechanism == "PLAIN");
  CHECK(plain.service == "smtp");
  CHECK(plain.remote_address == "2001:db8::2");
  CHECK(plain.local_address == "192.0.2.1");
  CHECK(plain.secured);
  CHECK_FALSE(plain.no_penalty);
  REQUIRE(plain.initial_response.has_value());
  CHECK(plain.initial_response->reveal() == "AGEAYg==");

  const Auth login = auth("AUTH\t4294967295\tLOGIN\tservice=smtp\tnologin");
  CHECK(login.id == 4294967295U);
  CHECK_FALSE(login.secured);
  CHECK(login.remote_address.empty());
  CHECK_FALSE(login.initial_response.has_value());
}

TEST_CASE("an empty resp= is none, as Exim means it, and = is an empty one") {
  CHECK_FALSE(auth("AUTH\t1\tLOGIN\tservice=smtp\tnologin\tresp=").initial_response.has_value());
  CHECK(auth("AUTH\t1\tEXTERNAL\tresp==").initial_response->reveal() == "=");
}

TEST_CASE("parameters of AUTH are unescaped, and unknown ones ignored") {
  const Auth odd =
      auth("AUTH\t1\tSCRAM-SHA-256\tservice=a\x01tb\tno-penalty\tsecured=tls\tsession=x\tdebug\t\t=\tclient_id");
  CHECK(odd.service == "a\tb");
  CHECK(odd.no_penalty);
  CHECK(odd.secured);
  CHECK(auth("AUTH\t1\tPLAIN\tsecurely\tservices=x\trip=").service.empty());
}

TEST_CASE("CONT has an answer, which may be empty") {
  Message message = must(parse_message("CONT\t3\tYWJj"));
  REQUIRE(std::holds_alternative<Continue>(message));
  CHECK(std::get<Continue>(message).id == 3);
  CHECK(std::get<Continue>(message).response.reveal() == "YWJj");
  message = must(parse_message("CONT\t3\t"));
  CHECK(std::get<Continue>(message).response.empty());
}

TEST_CASE("the other commands") {
  Message message = must(parse_message("VERSION\t1\t2"));
  CHECK(std::get<Version>(message).major_number == 1);
  CHECK(std::get<Version>(message).minor_number == 2);
  message = must(parse_message("CPID\t4711"));
  CHECK(std::get<ClientPid>(message).pid == 4711);
  message = must(parse_message("CANCEL\t5"));
  CHECK(std::get<Cancel>(message).id == 5);
  message = must(parse_message("SERVICE\tSMTP"));
  CHECK(std::get<Other>(message).command == "SERVICE");
}

TEST_CASE("what is malformed is refused") {
  std::string many = "AUTH\t1\tPLAIN";
  for (std::size_t i = 0; i < fields_max; ++i) many += "\tx";
  for (const std::string& line : {std::string(),
                                  std::string("\tAUTH"),
                                  std::string("AUTH"),
                                  std::string("AUTH\t1"),
                                  std::string("AUTH\t\tPLAIN"),
                                  std::string("AUTH\tx\tPLAIN"),
                                  std::string("AUTH\t-1\tPLAIN"),
                                  std::string("AUTH\t4294967296\tPLAIN"),
                                  std::string("AUTH\t1\t"),
                                  std::string("AUTH\t1\tPL AIN"),
                                  std::string("AUTH\t1\tABCDEFGHIJKLMNOPQRSTU"),
                                  std::string("AUTH\t1\tPLAIN\tservice=\x01z"),
                                  std::string("CONT\t1"),
                                  std::string("CONT\tx\tYQ=="),
                                  std::string("CONT\t1\tYQ==\tx"),
                                  std::string("VERSION\t1"),
                                  std::string("VERSION\t1\tx"),
                                  std::string("CPID"),
                                  std::string("CPID\t"),
                                  std::string("CANCEL"),
                                  std::string("CANCEL\t1x"),
                                  many}) {
    CAPTURE(line);
    CHECK(kind_of(parse_message(line)) == ErrorKind::bad_syntax);
  }
}
