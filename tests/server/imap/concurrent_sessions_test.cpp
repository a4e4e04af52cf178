// Two to eight sessions at once, each client in a thread of its own, on one mailbox. What each is told must keep the
// rules at every moment (ClientMirror), and what all believe when it is quiet again must be the mailbox as a fresh
// session reads it. In between, each checks what it alone decides: the keyword that only it sets and removes, and that
// nobody but its owner takes away a message that no one may mark as deleted.
// A failure prints its seed: POSTKEEP_SEED=<n> runs that one alone (the order of events is the machine's), and
// POSTKEEP_STEPS=<n> makes it longer. Under ThreadSanitizer this is the test where sessions meet.
#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "storage/backends.h"
#include "tests/server/imap/client_mirror.h"
#include "tests/server/imap/imap_fixture.h"
#include "tests/support/random.h"

namespace postkeep::test {
namespace {

// A session and its client, used by one thread at a time. Faults are gathered, not checked: doctest's checks are for
// the main thread.
class Actor {
 public:
  Actor(ImapClient client, std::uint64_t seed, std::uint32_t number)
      : client_(std::move(client)), random_(seed), keyword_("own" + std::to_string(number)) {
    if (random_.one_in(3)) run("ENABLE IMAP4rev2", During::other);
    run("SELECT INBOX", During::other);
  }

  void act(std::uint32_t commands) {
    for (std::uint32_t i = 0; i < commands && faults_.empty(); ++i) {
      static const std::vector<void (Actor::*)()> moves = {
          &Actor::append,  &Actor::append,  &Actor::mark,  &Actor::mark,   &Actor::mark,
          &Actor::flag,    &Actor::discard, &Actor::fetch, &Actor::fetch,  &Actor::fetch_by_number,
          &Actor::expunge, &Actor::copy,    &Actor::move,  &Actor::search, &Actor::idle,
          &Actor::noop};
      (this->*moves[random_.below(static_cast<std::uint32_t>(moves.size()))])();
    }
  }
  // Brings the belief up to date; its end is what compare() looks at.
  void settle() {
    run("NOOP", During::other);
    if (!mirror_.messages().empty()) run("FETCH 1:* (UID)", During::by_number);
  }
  // Against the truth, from a session that has just read it.
  void compare(const ClientMirror& truth) {
    if (mirror_.messages().size() != truth.messages().size()) {
      fault("believes in " + std::to_string(mirror_.messages().size()) + " messages, there are " +
            std::to_string(truth.messages().size()));
      return;
    }
    for (std::size_t i = 0; i < truth.messages().size(); ++i) {
      const ClientMirror::Message& believed = mirror_.messages()[i];
      const ClientMirror::Message& is = truth.messages()[i];
      const std::string name = "message " + std::to_string(i + 1);
      if (believed.uid != is.uid) fault(name + " has another UID");
      if (believed.flags && believed.flags != is.flags) fault(name + " has other flags");
      const auto own = own_.find(*is.uid);
      if (own != own_.end() && own->second != (is.flags->count(keyword_) == 1)) fault(name + " has lost a STORE");
    }
  }
  const std::vector<std::string>& faults() const { return faults_; }
  std::uint32_t responses() const { return responses_; }

 private:
  std::optional<std::uint32_t> any_uid() {
    if (mirror_.messages().empty()) return std::nullopt;
    return mirror_.messages()[random_.below(static_cast<std::uint32_t>(mirror_.messages().size()))].uid;
  }
  std::string any_number() {
    return std::to_string(1 + random_.below(static_cast<std::uint32_t>(mirror_.messages().size())));
  }

  void append() {
    const std::string flags = random_.one_in(2) ? " (\\Flagged)" : "";
    run("APPEND INBOX" + flags + " {" + std::to_string(small_message.size()) + "+}\r\n" + small_message, During::other);
  }
  // Nobody else touches this keyword, so whatever is told of it from now on must be this.
  void mark() {
    const std::optional<std::uint32_t> uid = any_uid();
    if (!uid) return;
    const bool add = random_.one_in(2);
    own_[*uid] = add;
    const std::string item = std::string(add ? "+" : "-") + "FLAGS" + (random_.one_in(2) ? ".SILENT" : "");
    // What a silent STORE leaves in the dark is asked for: the client's own reckoning is the turn-taking test's.
    run("UID STORE " + std::to_string(*uid) + " " + item + " (" + keyword_ + ")", During::other);
    run("UID FETCH " + std::to_string(*uid) + " (UID FLAGS)", During::other);
  }
  void flag() {
    const std::optional<std::uint32_t> uid = any_uid();
    if (uid) run("UID STORE " + std::to_string(*uid) + " +FLAGS (\\Answered shared)", During::other);
  }
  void discard() {
    if (!mirror_.messages().empty()) run("STORE " + any_number() + " +FLAGS (\\Deleted)", During::by_number);
  }
  void fetch() {
    const std::optional<std::uint32_t> uid = any_uid();
    if (uid) run("UID FETCH " + std::to_string(*uid) + ":* (UID FLAGS)", During::other);
  }
  void fetch_by_number() {
    if (mirror_.messages().empty()) return;
    run("FETCH " + any_number() + ":* (UID FLAGS BODY[])", During::by_number);
    for (const auto& [uid, body] : mirror_.take_bodies()) {
      if (body != small_message) fault("UID " + std::to_string(uid) + " has another content");
    }
  }
  void expunge() {
    if (random_.one_in(2)) run("EXPUNGE", During::other);
  }
  void copy() {
    const std::optional<std::uint32_t> uid = any_uid();
    if (uid && mirror_.messages().size() < 60) run("UID COPY " + std::to_string(*uid) + " INBOX", During::other);
  }
  // To itself: the message gets a new UID, and goes under its old.
  void move() {
    const std::optional<std::uint32_t> uid = any_uid();
    if (uid) run("UID MOVE " + std::to_string(*uid) + " INBOX", During::other);
  }
  void search() {
    run("SEARCH KEYWORD " + keyword_, During::by_number);
    for (const std::uint32_t number : mirror_.take_found()) {
      if (number > mirror_.messages().size()) fault("SEARCH found a number that is not there");
    }
  }
  void noop() { run("NOOP", During::other); }
  void idle() {
    client_.send("idle IDLE\r\n");
    take(client_.read_to("+ "), During::other);
    std::this_thread::sleep_for(std::chrono::milliseconds(random_.below(3)));
    client_.send("DONE\r\n");
    const Lines lines = client_.read_to("idle ");
    take(lines, During::other);
    if (!lines.back().starts_with("idle OK")) fault(lines.back());
  }

  void run(const std::string& command, During during) {
    const Lines lines = client_.run(command);
    take(lines, during);
    // A message may be gone already, which is no fault: NO [EXPUNGEISSUED].
    if (!lines.back().starts_with("OK") && lines.back().find("[EXPUNGEISSUED]") == std::string::npos) {
      fault(command + ": " + lines.back());
    }
  }
  // All but the last, which is the tagged reply or a continuation.
  void take(const Lines& lines, During during) {
    responses_ += static_cast<std::uint32_t>(lines.size());
    for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
      mirror_.take(lines[i], during);
      check_own(lines[i]);
    }
    for (; seen_faults_ < mirror_.faults().size(); ++seen_faults_) fault(mirror_.faults()[seen_faults_]);
  }
  void check_own(const std::string& line) {
    if (line.find(" FETCH (") == std::string::npos) return;
    const FetchedItems items = fetched_items(line);
    if (!items.uid || !items.flags) return;
    const bool is_set = items.flags->count(keyword_) == 1;
    const auto [known, fresh] = own_.emplace(*items.uid, is_set);
    if (!fresh && known->second != is_set) fault("tells of " + keyword_ + " what is not so: " + line);
  }
  void fault(const std::string& what) { faults_.push_back(keyword_ + " " + what); }

  ImapClient client_;
  Random random_;
  std::string keyword_;
  ClientMirror mirror_;
  std::map<std::uint32_t, bool> own_;  // by UID: is keyword_ set?
  std::size_t seen_faults_ = 0;
  std::vector<std::string> faults_;
  std::uint32_t responses_ = 0;
};

// The mailbox, as a session sees it that comes when all is quiet.
ClientMirror read_truth(ImapServer& server) {
  ImapClient client = server.login();
  ClientMirror truth;
  for (const std::string command : {"EXAMINE INBOX", "UID FETCH 1:* (UID FLAGS)"}) {
    Lines lines = client.run(command);
    REQUIRE(lines.back().starts_with("OK"));
    lines.pop_back();
    for (const std::string& line : lines) truth.take(line, During::other);
  }
  REQUIRE(first_of(truth.faults()) == "");
  return truth;
}

void play(std::string_view backend, std::uint64_t seed, std::uint32_t commands) {
  Random random(seed);
  ImapServer server(test_settings(), backend);
  std::vector<Actor> actors;
  const std::uint32_t count = 2 + random.below(7);
  for (std::uint32_t i = 0; i < count; ++i) actors.emplace_back(server.login(), seed * 100 + i, i);
  for (int round = 0; round < 5; ++round) {
    CAPTURE(round);
    std::vector<std::thread> threads;
    for (Actor& actor : actors) threads.emplace_back([&actor, commands] { actor.act(commands); });
    for (std::thread& thread : threads) thread.join();
    for (Actor& actor : actors) actor.settle();
    const ClientMirror truth = read_truth(server);
    for (Actor& actor : actors) {
      actor.compare(truth);
      REQUIRE(first_of(actor.faults()) == "");
      CHECK(actor.responses() > commands / 2);
    }
  }
}

TEST_CASE("Sessions at once are told nothing wrong, and believe what is so when it is quiet") {
  std::vector<std::uint64_t> seeds = {1, 2};
  if (const char* text = std::getenv("POSTKEEP_SEED")) seeds = {std::strtoull(text, nullptr, 10)};
  std::uint32_t commands = 40;
  if (const char* text = std::getenv("POSTKEEP_STEPS")) {
    commands = static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10));
  }
  for (const storage::Backend& backend : storage::backends()) {
    const std::string backend_name(backend.name);
    CAPTURE(backend_name);
    for (const std::uint64_t seed : seeds) {
      CAPTURE(seed);
      play(backend.name, seed, commands);
    }
  }
}

}  // namespace
}  // namespace postkeep::test
