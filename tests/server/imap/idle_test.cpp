// Several sessions on one mailbox, and IDLE: who hears what, when, and that nothing is lost or interleaved.
#include <atomic>
#include <random>

#include "tests/server/imap/imap_fixture.h"

using namespace postkeep;
using namespace postkeep::test;

TEST_CASE("IDLE shows what other sessions do, at once") {
  ImapServer server;
  ImapClient watcher = server.select();
  ImapClient actor = server.select();
  watcher.send("i IDLE\r\n");
  CHECK(watcher.read() == "+ idling");
  actor.append("INBOX", small_message);
  CHECK(watcher.read() == "* 1 EXISTS");
  // One of the two sessions was told that it is recent.
  actor.run("STORE 1 +FLAGS (\\Seen \\Deleted)");
  std::string line = watcher.read();
  if (line == "* 1 RECENT") line = watcher.read();
  CHECK(line.starts_with("* 1 FETCH (UID 1 FLAGS (\\Deleted \\Seen"));
  actor.run("EXPUNGE");
  CHECK(watcher.read() == "* 1 EXPUNGE");
  watcher.send("DONE\r\n");
  CHECK(watcher.read_to("i ").back() == "i OK Idling ended");
}

TEST_CASE("what happened before IDLE is shown when it begins") {
  ImapServer server;
  ImapClient watcher = server.select();
  ImapClient actor = server.login();
  actor.append("INBOX", small_message);
  watcher.send("i IDLE\r\n");
  CHECK(watcher.read_to("* 1 EXISTS").back() == "* 1 EXISTS");
}

TEST_CASE("IDLE without a mailbox waits for DONE, and other lines are answered BAD") {
  ImapServer server;
  ImapClient client = server.login();
  client.send("i IDLE\r\n");
  CHECK(client.read() == "+ idling");
  CHECK(client.quiet_for(std::chrono::milliseconds(20)));
  client.send("done\r\n");
  CHECK(client.read() == "i OK Idling ended");
  client.send("j IDLE\r\n");
  CHECK(client.read() == "+ idling");
  client.send("x NOOP\r\n");
  CHECK(client.read().starts_with("j BAD"));
  CHECK(client.ok("NOOP").starts_with("OK"));
}

TEST_CASE("a mailbox that is deleted ends the IDLE sessions on it with BYE") {
  ImapServer server;
  ImapClient actor = server.login();
  actor.run("CREATE doomed");
  ImapClient watcher = server.select("doomed");
  watcher.send("i IDLE\r\n");
  CHECK(watcher.read() == "+ idling");
  actor.run("DELETE doomed");
  CHECK(watcher.read() == "* BYE The selected mailbox was deleted");
  CHECK(watcher.at_end());
}

TEST_CASE("EXPUNGE is held back during FETCH, STORE and SEARCH by number, and numbers stay") {
  ImapServer server;
  ImapClient one = server.select();
  for (int i = 0; i < 3; ++i) one.append("INBOX", small_message);
  ImapClient two = server.select();
  two.run("STORE 1 +FLAGS.SILENT (\\Deleted)");
  two.run("EXPUNGE");

  CHECK_FALSE(contains(one.run("SEARCH ALL"), "EXPUNGE"));
  const Lines fetched = one.run("FETCH 3 (UID)");
  CHECK_FALSE(contains(fetched, "EXPUNGE"));
  CHECK(fetched[0] == "* 3 FETCH (UID 3)");
  const Lines stored = one.run("STORE 2 +FLAGS (\\Flagged)");
  CHECK_FALSE(contains(stored, "EXPUNGE"));
  CHECK(stored[0].starts_with("* 2 FETCH (UID 2 FLAGS (\\Flagged"));
  CHECK(one.run("SEARCH ALL")[0] == "* SEARCH 2 3");
  CHECK(one.run("SEARCH SUBJECT Hello")[0] == "* SEARCH 2 3");
  CHECK(one.run("FETCH 1 BODY.PEEK[]") == Lines{"OK [EXPUNGEISSUED] Fetched, but some messages are gone"});
  CHECK(one.ok("STORE 1 +FLAGS (\\Seen)").starts_with("NO [EXPUNGEISSUED]"));
  CHECK(contains(one.run("NOOP"), "* 1 EXPUNGE"));
  CHECK(one.run("FETCH 2 (UID)")[0] == "* 2 FETCH (UID 3)");
}

TEST_CASE("a message that is read is seen, also if another session has just taken that flag away") {
  ImapServer server;
  ImapClient one = server.select();
  one.append("INBOX", small_message, "\\Seen");
  ImapClient two = server.select();
  two.run("STORE 1 -FLAGS (\\Seen)");
  one.run("FETCH 1 BODY[]");
  CHECK(contains(two.run("FETCH 1 FLAGS"), "\\Seen"));
}

TEST_CASE("a UID command may report EXPUNGE") {
  ImapServer server;
  ImapClient one = server.select();
  for (int i = 0; i < 2; ++i) one.append("INBOX", small_message);
  ImapClient two = server.select();
  two.run("STORE 1 +FLAGS.SILENT (\\Deleted)");
  two.run("EXPUNGE");
  const Lines lines = one.run("UID FETCH 2 (FLAGS)");
  CHECK(lines[0].starts_with("* 2 FETCH (UID 2 "));
  CHECK(lines[1] == "* 1 EXPUNGE");
}

TEST_CASE("two thousand rounds of IDLE, DONE cut at any byte, changes coming all the time: nothing is lost") {
  ImapServer server;
  ImapClient watcher = server.select();
  std::atomic<bool> stop{false};
  std::thread publisher([&] {
    ImapClient actor = server.select();
    actor.append("INBOX", small_message);
    for (unsigned i = 0; !stop; ++i) actor.run(i % 2 == 0 ? "STORE 1 +FLAGS (\\Seen)" : "STORE 1 -FLAGS (\\Seen)");
  });
  const unsigned seed = 20260302;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  unsigned rounds = 0;
  unsigned pushed = 0;
  for (; rounds < 2000; ++rounds) {
    const std::string tag = std::to_string(rounds);
    watcher.send("i" + tag + " IDLE\r\n");
    const std::string bytes = "DONE\r\nn" + tag + " NOOP\r\n";
    const std::size_t cut = random() % bytes.size();
    Lines lines = watcher.read_to("+ ");
    watcher.send(bytes.substr(0, cut));
    if (random() % 4 == 0) std::this_thread::yield();
    watcher.send(bytes.substr(cut));
    bool sound = lines.back() == "+ idling";
    const Lines ended = watcher.read_to("i" + tag + " ");
    sound = sound && ended.back() == "i" + tag + " OK Idling ended";
    const Lines nooped = watcher.read_to("n" + tag + " ");
    sound = sound && nooped.back() == "n" + tag + " OK Nothing done";
    pushed += static_cast<unsigned>(ended.size() + nooped.size() - 2);
    if (!sound) break;
  }
  stop = true;
  publisher.join();
  CHECK(rounds == 2000);
  CHECK(pushed > 0);
}

TEST_CASE("a client that hangs up while idling is let go") {
  ImapServer server;
  {
    ImapClient client = server.select();
    client.send("i IDLE\r\n");
    CHECK(client.read() == "+ idling");
    client.hang_up();
  }
  ImapClient actor = server.select();
  actor.append("INBOX", small_message);
  for (int i = 0; i < 500 && server.host().sessions() > 1; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(server.host().sessions() == 1);
}
