// DATA and BDAT. RFC 3030, RFC 2033 §4.2 and §4.3.
#include <doctest/doctest.h>

#include "tests/server/lmtp/lmtp_server.h"

using namespace postkeep;
using namespace postkeep::server;
using namespace postkeep::test;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

const std::string open_alice = "MAIL FROM:<ann@example.org>\r\nRCPT TO:<alice>\r\n";
const std::string binary_alice = "MAIL FROM:<ann@example.org> BODY=BINARYMIME\r\nRCPT TO:<alice>\r\n";

std::string bdat(const std::string& octets, const char* last = "") {
  return "BDAT " + std::to_string(octets.size()) + last + "\r\n" + octets;
}
bool has_bare_lf(const std::string& text) {
  for (std::size_t lf = text.find('\n'); lf != std::string::npos; lf = text.find('\n', lf + 1)) {
    if (lf == 0 || text[lf - 1] != '\r') return true;
  }
  return false;
}
std::string bdat_last(const std::string& octets) { return bdat(octets, " LAST"); }

}  // namespace

TEST_CASE("BDAT takes a message in chunks, one reply a chunk and one a recipient at the last") {
  LmtpServer server;
  const std::string replies = server.talk(
      hello + "MAIL FROM:<>\r\nRCPT TO:<alice>\r\nRCPT TO:<nobody>\r\nRCPT TO:<bob>\r\n" + bdat("Subject: chunks\r") +
      bdat("") + bdat("\n\r\n.\r\nQUIT\r\n") + bdat_last("..end, without a line end") + "NOOP\r\n" + quit);
  CHECK(codes(replies) == Codes{"250", "250", "250", "550", "250", "250", "250", "250", "250", "250", "250", "221"});
  CHECK(replies.find("250 2.0.0 16 octets received\r\n") != std::string::npos);
  for (const std::string user : {"alice", "bob"}) {
    const auto mail = server.mail_of(user);
    REQUIRE(mail.size() == 1);
    CHECK(mail.front().starts_with("Return-Path: <>\r\n"));
    CHECK(mail.front().ends_with("\r\nSubject: chunks\r\n\r\n.\r\nQUIT\r\n..end, without a line end"));
  }
}

TEST_CASE("the last chunk may be empty, or the only one") {
  LmtpServer server;
  const std::string text = "Subject: x\r\n\r\nx\r\n";
  CHECK(codes(server.talk(hello + open_alice + bdat(text) + bdat_last("") + open_alice + bdat_last(text) + quit)) ==
        Codes{"250", "250", "250", "250", "250", "250", "250", "250", "221"});
  const auto mail = server.mail_of("alice");
  REQUIRE(mail.size() == 2);
  for (const std::string& each : mail) CHECK(each.ends_with("\r\n" + text));
}

TEST_CASE("chunks come out the same wherever their octets are cut") {
  const std::string script = hello + open_alice + bdat("Subject: cut\r\n\r\na\r") + bdat("\nb\nc\r\n") +
                             bdat_last(".\r\n") + "BDAT 1\r\nx" + quit;
  LmtpServer server;
  std::size_t sent = 0;
  for (std::size_t cut = 1; cut < script.size(); cut += 2, ++sent) {
    const Socket client = server.connect();
    client.send(std::string_view(script).substr(0, cut));
    std::this_thread::sleep_for(200us);
    client.send(std::string_view(script).substr(cut));
    CHECK(codes(client.receive_to_end()) == Codes{"250", "250", "250", "250", "250", "250", "503", "221"});
  }
  const auto mail = server.mail_of("alice");
  CHECK(mail.size() == sent);
  for (const std::string& each : mail) CHECK(each.ends_with("\r\nSubject: cut\r\n\r\na\r\nb\r\nc\r\n.\r\n"));
}

TEST_CASE("BODY=BINARYMIME is stored octet for octet") {
  std::string octets = "Content-Transfer-Encoding: binary\r\n\r\n\n\r\r\n\0.\r\n"s;
  for (int c = 0; c < 256; ++c) octets += static_cast<char>(c);
  LmtpServer server;
  CHECK(codes(server.talk(hello + binary_alice + bdat(octets) + bdat_last("\n") + quit)) ==
        Codes{"250", "250", "250", "250", "250", "221"});
  const auto mail = server.mail_of("alice");
  REQUIRE(mail.size() == 1);
  CHECK(mail.front().ends_with("\r\n" + octets + "\n"));
}

TEST_CASE("DATA and BDAT do not mix, and BINARYMIME needs BDAT") {
  LmtpServer server;
  CHECK(codes(server.talk(hello + open_alice + bdat("Subject: x\r\n") + "DATA\r\nRCPT TO:<bob>\r\n" +
                          bdat_last("\r\n") + binary_alice + "DATA\r\nRSET\r\nDATA\r\n" + quit)) ==
        Codes{"250", "250", "250", "250", "503", "503", "250", "250", "250", "503", "250", "503", "221"});
  CHECK(server.mail_of("alice").size() == 1);
  CHECK(server.mail_of("bob").empty());
}

TEST_CASE("the octets of a chunk that cannot be used are no commands") {
  LmtpServer server;
  const std::string smuggled = "MAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\nx\r\n.\r\n";
  // Before LHLO, before MAIL, before RCPT; after the last chunk.
  const std::string replies = server.talk(
      bdat(smuggled) + hello + bdat_last(smuggled) + "MAIL FROM:<>\r\nRCPT TO:<nobody>\r\n" + bdat(smuggled) +
      "RCPT TO:<alice>\r\n" + bdat_last("Subject: x\r\n\r\n") + bdat_last(smuggled) + quit);
  CHECK(codes(replies) == Codes{"503", "250", "503", "250", "550", "503", "250", "250", "503", "221"});
  CHECK(server.mail_of("alice").size() == 1);
}

TEST_CASE("a last chunk gets no reply where there is no recipient") {
  LmtpServer server;
  CHECK(codes(server.talk(hello + "MAIL FROM:<>\r\nRCPT TO:<nobody>\r\n" + bdat_last("x\r\n") + "NOOP\r\n" + quit)) ==
        Codes{"250", "250", "550", "250", "221"});
}

TEST_CASE("RSET and LHLO in the middle drop the chunks") {
  LmtpServer server;
  const std::string replies = server.talk(hello + open_alice + bdat("Subject: dropped\r\n\r\n") + "RSET\r\n" +
                                          open_alice + bdat("Subject: dropped too\r\n\r\n") + hello + open_alice +
                                          bdat_last("Subject: kept\r\n\r\n") + quit);
  CHECK(codes(replies) ==
        Codes{"250", "250", "250", "250", "250", "250", "250", "250", "250", "250", "250", "250", "221"});
  const auto mail = server.mail_of("alice");
  REQUIRE(mail.size() == 1);
  CHECK(mail.front().ends_with("\r\nSubject: kept\r\n\r\n"));
}

TEST_CASE(
    "chunks over the limit are refused, each of them and at the last each recipient, and the next message is taken") {
  Settings settings = test_settings();
  settings.limits.message_size = 100'000;
  LmtpServer server(settings);
  const std::string chunk(60'000, 'x');
  const std::string replies =
      server.talk(hello + "MAIL FROM:<>\r\nRCPT TO:<alice>\r\nRCPT TO:<bob>\r\n" + bdat(chunk) + bdat(chunk) +
                  bdat("") + bdat_last("\r\n") + open_alice + bdat_last("Subject: small\r\n\r\n") + quit);
  CHECK(codes(replies) ==
        Codes{"250", "250", "250", "250", "250", "552", "552", "552", "552", "250", "250", "250", "221"});
  CHECK(server.mail_of("alice").size() == 1);
  CHECK(server.mail_of("bob").empty());
}

TEST_CASE("a size that is no number is refused, and nothing is taken for it") {
  LmtpServer server;
  CHECK(codes(server.talk(hello + open_alice +
                          "BDAT\r\nBDAT x\r\nBDAT -1\r\nBDAT 1 FIRST\r\nBDAT 99999999999999999999\r\n" +
                          bdat_last("Subject: x\r\n\r\n") + quit)) ==
        Codes{"250", "250", "250", "501", "501", "501", "501", "501", "250", "221"});
}

TEST_CASE("a peer that leaves inside a chunk or between chunks has delivered nothing") {
  const std::string script = hello + open_alice + bdat("Subject: half\r\n\r\n") + bdat_last("half a message\r\n");
  LmtpServer server;
  for (std::size_t cut = 1; cut < script.size(); cut += 5) {
    const Socket client = server.connect();
    client.send(std::string_view(script).substr(0, cut));
    ::shutdown(client.fd(), SHUT_WR);
    client.receive_to_end();
  }
  CHECK(server.mail_of("alice").empty());
}

TEST_CASE("bare LF is repaired or, where that is set, refused; in BINARYMIME it is content") {
  for (const BareLf bare_lf : {BareLf::repair, BareLf::reject}) {
    Settings settings = test_settings();
    settings.lmtp.bare_lf = bare_lf;
    LmtpServer server(settings);
    const char* answer = bare_lf == BareLf::repair ? "250" : "554";
    const std::string text = "Subject: x\r\n\r\na\nb\r\n";
    CHECK(codes(server.talk(hello + to_alice + text + ".\r\n" + open_alice + bdat("Subject: x\r\n\r\na") +
                            bdat_last("\nb\r\n") + binary_alice + bdat_last(text) + to_alice +
                            "S: x\r\n\r\n\r.\r\n.\r\n" + quit)) == Codes{"250", "250", "250", "354", answer, "250",
                                                                         "250", "250", answer, "250", "250", "250",
                                                                         "250", "250", "354", "250", "221"});
    const auto mail = server.mail_of("alice");
    REQUIRE(mail.size() == (bare_lf == BareLf::repair ? 4 : 2));
    CHECK(mail[mail.size() - 2].ends_with("\r\n\r\na\nb\r\n"));
    if (bare_lf == BareLf::repair) {
      CHECK(mail[0].ends_with("\r\n\r\na\r\nb\r\n"));
      CHECK(mail[1].ends_with("\r\n\r\na\r\nb\r\n"));
    }
  }
}

// What ends DATA elsewhere must not end it here, else a part of a message is the next command (SMTP smuggling).
TEST_CASE("no other sequence than CR LF dot CR LF ends DATA, wherever it is cut, repaired or refused") {
  const std::string smuggled = "MAIL FROM:<evil@example.org>\r\nRCPT TO:<bob>\r\nDATA\r\nevil\r\n";
  const std::vector<std::string> ends = {"\n.\n",         "\n.\r\n",     "\r\n.\n",    "\r.\r",        "\r.\r\n",
                                         "\r\n.\r",       "\n.\r",       "\r.\n",      "\r\n\0.\r\n"s, "\r\n.\0\r\n"s,
                                         "\r\r\n.\r\r\n", "\r\n.\r\r\n", "\r\n. \r\n", "\r\n..\r\n"};
  for (const BareLf bare_lf : {BareLf::repair, BareLf::reject}) {
    Settings settings = test_settings();
    settings.lmtp.bare_lf = bare_lf;
    LmtpServer server(settings);
    for (const std::string& end : ends) {
      CAPTURE(end);
      const std::string script = hello + to_alice + "Subject: x\r\n\r\na" + end + smuggled + ".\r\n" + quit;
      const std::size_t around = script.find(smuggled);
      for (std::size_t cut = around - end.size() - 1; cut <= around + 1; ++cut) {
        const Socket client = server.connect();
        client.send(std::string_view(script).substr(0, cut));
        std::this_thread::sleep_for(200us);
        client.send(std::string_view(script).substr(cut));
        const Codes got = codes(client.receive_to_end());
        REQUIRE(got.size() == 6);
        CHECK(got[4] == (bare_lf == BareLf::repair || !has_bare_lf(end) ? "250" : "554"));
        CHECK(got[5] == "221");
      }
    }
    CHECK(server.mail_of("bob").empty());
  }
}
