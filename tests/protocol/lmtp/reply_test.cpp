#include "protocol/lmtp/reply.h"

#include <doctest/doctest.h>

using namespace postkeep::lmtp;

namespace {
std::string written(const Reply& reply) {
  std::string out;
  write_reply(out, reply);
  return out;
}
}  // namespace

TEST_CASE("replies have their codes on every line") {
  CHECK(written(Reply(250, "2.1.0", "Sender ok")) == "250 2.1.0 Sender ok\r\n");
  Reply lhlo(250, "", "mail.example");
  lhlo.lines.push_back("PIPELINING");
  lhlo.lines.push_back("SIZE 1000");
  CHECK(written(lhlo) == "250-mail.example\r\n250-PIPELINING\r\n250 SIZE 1000\r\n");
  Reply two(550, "5.1.1", "No such user");
  two.lines.push_back("Try again never");
  CHECK(written(two) == "550-5.1.1 No such user\r\n550 5.1.1 Try again never\r\n");
}

TEST_CASE("a reply cannot be broken by what it quotes") {
  CHECK(written(Reply(550, "5.1.1", "x\r\n250 ok\xFF")) == "550 5.1.1 x??250 ok?\r\n");
  Reply empty;
  CHECK(written(empty) == "250 \r\n");
}
