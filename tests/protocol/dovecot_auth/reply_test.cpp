#include "protocol/dovecot_auth/reply.h"

#include <doctest/doctest.h>

using namespace postkeep::dovecot_auth;

TEST_CASE("the handshake tells version, mechanisms with what they are, and who we are") {
  Handshake handshake;
  handshake.mechanisms.resize(3);
  handshake.mechanisms[0].name = "SCRAM-SHA-256";
  handshake.mechanisms[0].mutual_auth = true;
  handshake.mechanisms[1].name = "PLAIN";
  handshake.mechanisms[1].plaintext = true;
  handshake.mechanisms[2].name = "EXTERNAL";
  handshake.server_pid = 12;
  handshake.connection = 34;
  handshake.cookie = "00112233445566778899aabbccddeeff";
  std::string out = "before\n";
  write_handshake(out, handshake);
  CHECK(out ==
        "before\nVERSION\t1\t2\nMECH\tSCRAM-SHA-256\tmutual-auth\nMECH\tPLAIN\tplaintext\nMECH\tEXTERNAL\nSPID\t12\n"
        "CUID\t34\nCOOKIE\t00112233445566778899aabbccddeeff\nDONE\n");
}

TEST_CASE("replies carry the client's id") {
  std::string out;
  write_ok(out, 4294967295, "alice@example.org");
  write_continue(out, 2, "");
  write_continue(out, 3, "VXNlcm5hbWU6");
  write_fail(out, 4, Failing::for_good, "", "");
  write_fail(out, 5, Failing::for_good, "bob", "Wrong user name or password");
  write_fail(out, 6, Failing::for_a_while, "", "Try again later");
  CHECK(out ==
        "OK\t4294967295\tuser=alice@example.org\nCONT\t2\t\nCONT\t3\tVXNlcm5hbWU6\nFAIL\t4\n"
        "FAIL\t5\tuser=bob\treason=Wrong user name or password\nFAIL\t6\ttemp\treason=Try again later\n");
}

TEST_CASE("a name cannot end a line or begin another parameter") {
  std::string out;
  write_fail(out, 1, Failing::for_good, "a\tuser=root\nOK\t1", "");
  CHECK(out == "FAIL\t1\tuser=a\x01tuser=root\x01nOK\x01t1\n");
}
