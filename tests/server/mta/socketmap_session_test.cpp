// Socketmap sessions over socket pairs, and the maps.
#include "server/mta/socketmap_session.h"

#include <doctest/doctest.h>

#include "protocol/socketmap/netstring.h"
#include "tests/server/mta/mta_fixture.h"

using namespace postkeep;

namespace {

std::string netstring(std::string_view text) {
  std::string out;
  socketmap::write_netstring(out, text);
  return out;
}

class MapServer : public test::MtaServer {
 public:
  explicit MapServer(const Settings& settings = test::test_settings())
      : MtaServer(server::run_socketmap_session, settings) {}
  // Asks everything in one piece; returns the answers one after another.
  std::string ask_all(const std::vector<std::string>& queries) {
    std::string all;
    for (const std::string& query : queries) all += netstring(query);
    const test::Socket mta = connect();
    mta.send(all);
    ::shutdown(mta.fd(), SHUT_WR);
    return mta.receive_to_end();
  }
  std::string answer(const std::string& query) { return ask_all({query}); }
};

}  // namespace

TEST_CASE("users tells whose an address is") {
  MapServer server;
  CHECK(server.answer("users alice@test.example") == netstring("OK alice"));
  CHECK(server.answer("users alice") == netstring("OK alice"));
  CHECK(server.answer("users bob+lists@localhost") == netstring("OK bob"));
  for (const char* nobody : {"nobody@test.example", "alice@elsewhere.example", "@test.example", "alice@",
                             "test.example", "", "a b", "+x@test.example"}) {
    CAPTURE(nobody);
    CHECK(server.answer("users " + std::string(nobody)) == netstring("NOTFOUND "));
  }
}

TEST_CASE("quota has a reply for those who have no room left, and for nobody else") {
  Settings settings = test::test_settings();
  MapServer server(settings);
  CHECK(server.answer("quota alice@test.example") == netstring("NOTFOUND "));
  CHECK(server.answer("quota nobody@test.example") == netstring("NOTFOUND "));
  CHECK(server.answer("quota test.example") == netstring("NOTFOUND "));
  server.limit_messages("alice", 2);
  server.append_message("alice");
  CHECK(server.answer("quota alice@test.example") == netstring("NOTFOUND "));
  server.append_message("alice");
  CHECK(server.answer("quota alice+x@test.example") == netstring("OK 452 4.2.2 The mailbox is full"));
  CHECK(server.answer("quota bob@test.example") == netstring("NOTFOUND "));

  settings.quota.on_delivery = OverQuota::reject;
  MapServer strict(settings);
  strict.limit_messages("alice", 1);
  strict.append_message("alice");
  CHECK(strict.answer("quota alice@test.example") == netstring("OK 552 5.2.2 The mailbox is full"));
}

TEST_CASE("questions are answered in order, and those that make no sense for good") {
  MapServer server;
  CHECK(server.ask_all({"users alice", "none alice", "users", "users bob", ""}) ==
        netstring("OK alice") + netstring("PERM There is no such map") +
            netstring("PERM Not the name of a map and a key") + netstring("OK bob") +
            netstring("PERM Not the name of a map and a key"));
}

TEST_CASE("what is no netstring ends the connection, what came before it is answered") {
  MapServer server;
  const test::Socket mta = server.connect();
  mta.send(netstring("users alice") + "users bob\n");
  CHECK(mta.receive_to_end() == netstring("OK alice"));
  const test::Socket other = server.connect();
  other.send("99999:");
  CHECK(other.receive_to_end().empty());
}

TEST_CASE("an MTA from which nothing is heard is let go") {
  Settings settings = test::test_settings();
  settings.limits.mta_timeout = std::chrono::seconds(1);
  MapServer server(settings);
  CHECK(server.connect().receive_to_end().empty());
}
