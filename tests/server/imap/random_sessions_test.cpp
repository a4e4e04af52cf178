// Two to eight sessions take turns at random commands on two mailboxes; the same changes are made to the in-memory
// model of the store. After each command the session's view, as its client has it from the responses alone, must be the
// model's mailbox: message numbers, UIDs, flags; with the expunged messages still in it exactly where a command by
// numbers holds them back. So must results: SEARCH, STATUS, APPENDUID, COPYUID, MODIFIED, content.
// Some sessions use CONDSTORE, some QRESYNC too: these come back after they left or were cut off, with what they
// remember, and what they are told then must again make up the model's mailbox (RFC 7162). Some ask NOTIFY to be told
// at once, of all but expunges, of all but flags, or never (RFC 5465): what others did must then come, or not, without
// a command, and what was kept from them with the next NOTIFY or when they come back. A failure prints its seed:
// POSTKEEP_SEED=<n> runs that one alone, POSTKEEP_STEPS=<n> makes it longer.
#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/server/imap/client_mirror.h"
#include "tests/server/imap/imap_fixture.h"
#include "tests/support/random.h"
#include "tests/support/store_fixture.h"

namespace postkeep::test {
namespace {

const std::vector<std::string> box_names = {"INBOX", "Other"};
const std::vector<std::string> flag_names = {"\\Seen", "\\Seen", "\\Flagged", "\\Deleted", "\\Deleted", "k0", "k1"};

std::string joined(const FlagSet& flags) {
  std::string list;
  for (const std::string& flag : flags) list += (list.empty() ? "" : " ") + flag;
  return list;
}

std::string joined(const std::set<std::uint32_t>& numbers) {
  std::string list;
  for (const std::uint32_t number : numbers) list += (list.empty() ? "" : ",") + std::to_string(number);
  return list;
}

std::set<std::uint32_t> as_numbers(const UidSet& uids) {
  std::set<std::uint32_t> numbers;
  uids.for_each([&](Uid uid) { numbers.insert(uid.value()); });
  return numbers;
}

UidSet as_uids(const std::set<std::uint32_t>& numbers) {
  UidSet uids;
  for (const std::uint32_t number : numbers) uids.add(Uid(number));
  return uids;
}

// The truth: the in-memory store, told what the sessions did.
class Model {
 public:
  Model() : store_(storage::backends().front()) {
    for (const std::string& name : box_names) store_.mailbox(name);
  }
  storage::AccountStore& account() { return store_.account(); }
  StoreFixture& store() { return store_; }
  MailboxId id(const std::string& box) { return store_.mailbox(box); }
  std::set<std::uint32_t> uids(const std::string& box) { return as_numbers(store_.uids(id(box))); }
  FlagSet flags(const std::string& box, std::uint32_t uid) {
    return flag_words(store_.flags(id(box), Uid(uid)).to_wire());
  }

 private:
  StoreFixture store_;
};

// One session, its client's belief, and what it may do.
struct Player {
  explicit Player(ImapClient c) : client(std::move(c)) {}

  ImapClient client;
  ClientMirror mirror;
  ClientMirror::Wants wants = ClientMirror::Wants::nothing;
  std::map<std::string, ClientMirror::Memory> kept;  // by mailbox, of QRESYNC clients
  std::string box;                                   // "": none selected
  bool read_only = false;
  bool idling = false;
  // What it asked NOTIFY for, of the selected mailbox.
  enum class Told { by_commands, at_once, delayed, without_flags, never };
  Told told = Told::by_commands;

  bool knows_flags() const { return told != Told::without_flags; }
  bool uses_numbers() const { return told != Told::at_once && told != Told::without_flags; }
};

class Game {
 public:
  Game(std::string_view backend, std::uint64_t seed) : random_(seed), server_(test_settings(), backend) {
    const std::uint32_t sessions = 2 + random_.below(7);
    using Wants = ClientMirror::Wants;
    for (std::uint32_t i = 0; i < sessions; ++i) {
      players_.emplace_back(server_.login());
      players_.back().wants = std::array{Wants::nothing, Wants::modseq, Wants::vanished}[random_.below(3)];
      enable(players_.back());
    }
    players_.front().client.ok("CREATE Other");
  }

  // One command by one of the sessions.
  void step() {
    Player& player = players_[random_.below(static_cast<std::uint32_t>(players_.size()))];
    if (player.wants == ClientMirror::Wants::vanished && random_.one_in(20)) return come_back(player);
    if (player.idling) return end_idle(player);
    hear(player);
    if (player.told == Player::Told::never && !random_.one_in(3)) return stay_silent(player);
    if (player.told == Player::Told::never) return notify(player);
    if (player.box.empty() || random_.one_in(25)) return select(player);
    static const std::vector<void (Game::*)(Player&)> moves = {&Game::append,
                                                               &Game::append,
                                                               &Game::append,
                                                               &Game::store,
                                                               &Game::store,
                                                               &Game::store,
                                                               &Game::store,
                                                               &Game::fetch,
                                                               &Game::fetch,
                                                               &Game::body,
                                                               &Game::search,
                                                               &Game::expunge,
                                                               &Game::copy,
                                                               &Game::move,
                                                               &Game::noop,
                                                               &Game::idle,
                                                               &Game::status,
                                                               &Game::leave,
                                                               &Game::mark,
                                                               &Game::store_unchanged,
                                                               &Game::store_unchanged,
                                                               &Game::fetch_changed,
                                                               &Game::search_changed,
                                                               &Game::notify};
    (this->*moves[random_.below(static_cast<std::uint32_t>(moves.size()))])(player);
  }

 private:
  struct Chosen {
    std::set<std::uint32_t> indexes;  // in the mirror
    std::set<std::uint32_t> uids;
    std::string set;     // as it stands in the command
    std::string prefix;  // "UID " or nothing
    bool by_uid() const { return !prefix.empty(); }
    During during() const { return by_uid() ? During::other : During::by_number; }
  };

  // Some messages that the client knows, by number or by UID. Every UID is known after a command (see compare()).
  Chosen choose(const Player& player) {
    Chosen chosen;
    const std::vector<ClientMirror::Message>& messages = player.mirror.messages();
    for (std::uint32_t i = 1 + random_.below(4); i > 0; --i) {
      chosen.indexes.insert(random_.below(static_cast<std::uint32_t>(messages.size())));
    }
    for (const std::uint32_t index : chosen.indexes) chosen.uids.insert(*messages[index].uid);
    // Whoever is told of expunges at any time cannot use numbers (RFC 5465 §5.3).
    if (random_.one_in(2) || !player.uses_numbers()) {
      chosen.prefix = "UID ";
      chosen.set = joined(chosen.uids);
    } else {
      std::set<std::uint32_t> numbers;
      for (const std::uint32_t index : chosen.indexes) numbers.insert(index + 1);
      chosen.set = joined(numbers);
    }
    return chosen;
  }
  std::string any_box() { return box_names[random_.below(2)]; }
  FlagSet any_flag_names() {
    FlagSet flags;
    // Mostly one, so that two sessions often do the same to a message.
    for (std::uint32_t i = random_.one_in(3) ? random_.below(3) + 1 : 1; i > 0; --i) {
      flags.insert(flag_names[random_.below(static_cast<std::uint32_t>(flag_names.size()))]);
    }
    return flags;
  }

  // Sends it, has the mirror take what comes, and returns the tagged reply.
  std::string run(Player& player, const std::string& command, During during) {
    INFO(command);
    Lines lines = player.client.run(command);
    const std::string reply = lines.back();
    lines.pop_back();
    for (const std::string& line : lines) player.mirror.take(line, during);
    work_out(player);
    player.mirror.take_reply(reply);
    return reply;
  }
  // A STORE that was answered without FETCH: notices of earlier changes may have been on their way meanwhile.
  void work_out(Player& player) {
    const std::vector<ClientMirror::Message>& messages = player.mirror.messages();
    for (std::size_t index = 0; index < messages.size(); ++index) {
      if (messages[index].uid && silent_.uids.count(*messages[index].uid) == 1) {
        player.mirror.work_out(index, silent_.sign, silent_.flags);
      }
    }
    silent_ = Silent();
  }
  // The same, and the view must be right afterwards.
  std::string run_and_compare(Player& player, const std::string& command, During during) {
    std::set<std::uint32_t> held = known_uids(player);
    const std::string reply = run(player, command, during);
    // A notice of a message that was already gone may have been on its way.
    if (player.told == Player::Told::delayed) held.merge(known_uids(player));
    INFO(command);
    INFO(reply);
    REQUIRE_FALSE(reply.starts_with("BAD"));
    compare(player, during == During::by_number ? held : std::set<std::uint32_t>());
    return reply;
  }
  static std::set<std::uint32_t> known_uids(const Player& player) {
    std::set<std::uint32_t> uids;
    for (const ClientMirror::Message& message : player.mirror.messages()) uids.insert(message.uid.value_or(0));
    return uids;
  }
  // `held`: the messages that keep their numbers although they may be gone.
  void compare(Player& player, const std::set<std::uint32_t>& held) {
    REQUIRE(first_of(player.mirror.faults()) == "");
    std::set<std::uint32_t> expected = model_.uids(player.box);
    const std::set<std::uint32_t> there = expected;
    expected.insert(held.begin(), held.end());
    REQUIRE(player.mirror.messages().size() == expected.size());
    std::size_t index = 0;
    for (const std::uint32_t uid : expected) {
      const ClientMirror::Message& message = player.mirror.messages()[index];
      REQUIRE(message.uid.value_or(uid) == uid);
      if (message.flags && there.count(uid) == 1 && player.knows_flags()) {
        CAPTURE(uid);
        REQUIRE(joined(*message.flags) == joined(model_.flags(player.box, uid)));
      }
      player.mirror.know_uid(index++, uid);
    }
  }

  void enable(Player& player) {
    if (random_.one_in(3)) player.client.ok("ENABLE IMAP4rev2");
    if (player.wants == ClientMirror::Wants::modseq) player.client.ok("ENABLE CONDSTORE");
    if (player.wants == ClientMirror::Wants::vanished) player.client.ok("ENABLE QRESYNC");
    player.mirror.want(player.wants);
  }
  // The connection breaks; the client opens another.
  void come_back(Player& player) {
    keep(player);
    player.client = server_.login();
    player.mirror.reset();
    player.box.clear();
    player.idling = false;
    player.told = Player::Told::by_commands;
    enable(player);
    select(player);
  }
  static void keep(Player& player) {
    if (player.wants != ClientMirror::Wants::vanished || player.box.empty()) return;
    ClientMirror::Memory memory = player.mirror.memory();
    if (memory.modseq != 0) player.kept[player.box] = std::move(memory);
  }
  void select(Player& player) {
    keep(player);
    // Notices of the mailbox that is left may come until it is closed.
    if (!player.box.empty() && player.told != Player::Told::by_commands) {
      REQUIRE(run(player, "UNSELECT", During::other).starts_with("OK"));
    }
    player.mirror.reset();
    player.box = any_box();
    player.read_only = random_.one_in(4);
    const std::string command = (player.read_only ? "EXAMINE " : "SELECT ") + player.box;
    const auto kept = player.kept.find(player.box);
    if (kept == player.kept.end() || random_.one_in(5)) {
      REQUIRE(run_and_compare(player, command, During::other).starts_with("OK"));
    } else {
      REQUIRE(run(player, command + qresync_parameter(kept->second), During::other).starts_with("OK"));
      player.mirror.resume(kept->second);
      compare(player, {});
    }
  }
  // With or without what a client may leave out.
  std::string qresync_parameter(const ClientMirror::Memory& kept) {
    std::string text = " (QRESYNC (" + std::to_string(kept.uid_validity) + " " + std::to_string(kept.modseq);
    std::set<std::uint32_t> uids;
    std::set<std::uint32_t> sample;  // of message numbers
    std::set<std::uint32_t> sample_uids;
    for (const auto& [uid, flags] : kept.messages) {
      uids.insert(uid);
      if (!random_.one_in(3)) continue;
      sample.insert(static_cast<std::uint32_t>(uids.size()));
      sample_uids.insert(uid);
    }
    if (!uids.empty() && random_.one_in(2)) text += " " + joined(uids);
    if (!sample.empty() && random_.one_in(2)) text += " (" + joined(sample) + " " + joined(sample_uids) + ")";
    return text + "))";
  }
  // CLOSE expunges, and says nothing of it; UNSELECT does not.
  void leave(Player& player) {
    if (!random_.one_in(3)) return;
    keep(player);
    const bool close = random_.one_in(2);
    REQUIRE(run(player, close ? "CLOSE" : "UNSELECT", During::other).starts_with("OK"));
    if (close && !player.read_only) {
      must(model_.account().expunge(model_.id(player.box), as_uids(model_.uids(player.box))));
    }
    player.mirror.reset();
    player.box.clear();
  }
  void noop(Player& player) { run_and_compare(player, random_.one_in(2) ? "NOOP" : "CHECK", During::other); }

  void append(Player& player) {
    const std::string box = any_box();
    const FlagSet flags = any_flag_names();
    const std::string message = sample_message(++messages_);
    const Uid uid = model_.store().append(model_.id(box), message, make_flags(joined(flags)));
    const std::string reply = run_and_compare(
        player, "APPEND " + box + " (" + joined(flags) + ") {" + std::to_string(message.size()) + "+}\r\n" + message,
        During::other);
    REQUIRE(reply.find(" " + std::to_string(uid.value()) + "] ") != std::string::npos);
  }

  void store(Player& player) {
    if (player.mirror.messages().empty()) return;
    const Chosen chosen = choose(player);
    const FlagSet flags = any_flag_names();
    const char sign = "+-="[random_.below(3)];
    const bool silent = random_.one_in(3);
    const std::set<std::uint32_t> there = model_.uids(player.box);
    bool all_there = true;
    for (const std::uint32_t uid : chosen.uids) all_there = all_there && there.count(uid) == 1;
    if (!player.read_only) {
      const FlagChange change = sign == '+' ? FlagChange::add : sign == '-' ? FlagChange::remove : FlagChange::replace;
      must(
          model_.account().store_flags(model_.id(player.box), as_uids(chosen.uids), change, make_flags(joined(flags))));
      if (silent) {
        silent_ = {chosen.uids, sign, flags};
      }
    }
    const std::string item = std::string(sign == '=' ? "" : std::string(1, sign)) + "FLAGS" + (silent ? ".SILENT" : "");
    const std::string reply = run_and_compare(
        player, chosen.prefix + "STORE " + chosen.set + " " + item + " (" + joined(flags) + ")", chosen.during());
    const bool good = !player.read_only && (all_there || chosen.by_uid());
    REQUIRE(reply.starts_with(good ? "OK" : "NO"));
    if (!good || silent) return;
    for (const ClientMirror::Message& message : player.mirror.messages()) {
      if (chosen.uids.count(*message.uid) == 1 && there.count(*message.uid) == 1) REQUIRE(message.flags);
    }
  }

  void fetch(Player& player) {
    if (player.mirror.messages().empty()) return;
    const Chosen chosen = choose(player);
    const std::string modseq = player.wants == ClientMirror::Wants::nothing ? "" : " MODSEQ";
    run_and_compare(player, chosen.prefix + "FETCH " + chosen.set + " (UID FLAGS" + modseq + ")", chosen.during());
    for (const ClientMirror::Message& message : player.mirror.messages()) {
      const bool there = model_.uids(player.box).count(*message.uid) == 1;
      if (chosen.uids.count(*message.uid) == 1 && there) REQUIRE(message.flags);
    }
  }
  // Reading a message marks it as seen, where it may be written (RFC 9051 §6.4.5).
  void body(Player& player) {
    if (player.mirror.messages().empty()) return;
    const Chosen chosen = choose(player);
    const bool peek = random_.one_in(2);
    if (!peek && !player.read_only) {
      must(model_.account().store_flags(model_.id(player.box), as_uids(chosen.uids), FlagChange::add,
                                        make_flags("\\Seen")));
    }
    run_and_compare(player, chosen.prefix + "FETCH " + chosen.set + (peek ? " (UID BODY.PEEK[])" : " (UID BODY[])"),
                    chosen.during());
    std::map<std::uint32_t, std::string> expected;
    for (const std::uint32_t uid : chosen.uids) {
      if (model_.uids(player.box).count(uid) == 1) {
        expected[uid] = model_.store().content(model_.id(player.box), Uid(uid));
      }
    }
    REQUIRE(player.mirror.take_bodies() == expected);
  }

  void search(Player& player) {
    const std::string flag = flag_names[random_.below(static_cast<std::uint32_t>(flag_names.size()))];
    const std::string key = flag[0] == '\\' ? flag.substr(1) : "KEYWORD " + flag;
    const bool by_uid = random_.one_in(2) || !player.uses_numbers();
    player.mirror.take_found();
    run_and_compare(player, (by_uid ? "UID SEARCH " : "SEARCH ") + key, by_uid ? During::other : During::by_number);
    // The mailbox as it is now, but for its numbers: those that are gone keep theirs.
    const std::set<std::uint32_t> there = model_.uids(player.box);
    std::set<std::uint32_t> expected;
    std::uint32_t number = 0;
    for (const ClientMirror::Message& message : player.mirror.messages()) {
      ++number;
      const bool found = there.count(*message.uid) == 1 && model_.flags(player.box, *message.uid).count(flag) == 1;
      if (found) expected.insert(by_uid ? *message.uid : number);
    }
    REQUIRE(joined(player.mirror.take_found()) == joined(expected));
  }

  void expunge(Player& player) {
    std::string command = "EXPUNGE";
    std::set<std::uint32_t> among = model_.uids(player.box);
    if (!player.mirror.messages().empty() && random_.one_in(3)) {
      among = choose(player).uids;
      command = "UID EXPUNGE " + joined(among);
    }
    UidSet gone;
    if (!player.read_only) gone = must(model_.account().expunge(model_.id(player.box), as_uids(among)));
    const std::string reply = run_and_compare(player, command, During::other);
    REQUIRE(reply.starts_with(player.read_only ? "NO" : "OK"));
    const bool tells = player.wants == ClientMirror::Wants::vanished && !gone.empty();
    REQUIRE(reply.starts_with("OK [HIGHESTMODSEQ ") == tells);
  }

  void copy(Player& player) { transfer(player, "COPY"); }
  void move(Player& player) { transfer(player, "MOVE"); }
  void transfer(Player& player, const std::string& command) {
    if (player.mirror.messages().empty()) return;
    const Chosen chosen = choose(player);
    const std::string target = any_box();
    const bool refused = command == "MOVE" && player.read_only;
    storage::CopyResult done;
    if (!refused) {
      const MailboxId from = model_.id(player.box);
      done = must(command == "MOVE" ? model_.account().move(from, as_uids(chosen.uids), model_.id(target))
                                    : model_.account().copy(from, as_uids(chosen.uids), model_.id(target)));
    }
    Lines lines = player.client.run(chosen.prefix + command + " " + chosen.set + " " + target);
    const std::string reply = lines.back();
    lines.pop_back();
    std::string copied = reply;
    for (const std::string& line : lines) {
      if (line.starts_with("* OK [COPYUID ")) copied = line;  // MOVE tells it before its EXPUNGEs
      player.mirror.take(line, During::other);
    }
    player.mirror.take_reply(reply);
    INFO(command);
    INFO(reply);
    compare(player, {});
    if (done.source.empty()) {
      REQUIRE(reply.starts_with("NO"));
      return;
    }
    REQUIRE(reply.starts_with("OK"));
    std::istringstream words(copied.substr(copied.find("COPYUID ") + 8));
    std::string validity, source, destination;
    words >> validity >> source >> destination;
    REQUIRE(set_numbers(source) == as_numbers(done.source));
    REQUIRE(set_numbers(destination) == as_numbers(done.target));
  }

  void status(Player& player) {
    const std::string box = any_box();
    const std::string line = status_line(player, "STATUS " + box + " (MESSAGES UIDNEXT UNSEEN)");
    const storage::MailboxStatus known = model_.store().status(model_.id(box));
    const auto has = [&](const std::string& name, std::uint32_t value) {
      const std::size_t at = line.find(name + " ");
      REQUIRE(at != std::string::npos);
      REQUIRE(leading_number(line.substr(at + name.size() + 1)) == value);
    };
    has("MESSAGES", known.messages);
    has("UIDNEXT", known.uid_next.value());
    has("UNSEEN", known.unseen);
    compare(player, {});
  }
  // The STATUS response; the mirror takes the others.
  static std::string status_line(Player& player, const std::string& command) {
    Lines lines = player.client.run(command);
    const auto status =
        std::find_if(lines.begin(), lines.end(), [](const std::string& line) { return line.starts_with("* STATUS "); });
    REQUIRE(status != lines.end());
    std::string found = *status;
    lines.erase(status);
    for (std::size_t i = 0; i + 1 < lines.size(); ++i) player.mirror.take(lines[i], During::other);
    player.mirror.take_reply(lines.back());
    return found;
  }

  // Remembers a moment: as the server numbers it, and as the model does.
  struct Mark {
    std::uint64_t server = 0;
    ModSeq model;
  };
  void mark(Player& player) {
    if (player.wants == ClientMirror::Wants::nothing) return;  // it would turn CONDSTORE on
    const std::string box = any_box();
    Mark mark;
    mark.server =
        number_behind(status_line(player, "STATUS " + box + " (HIGHESTMODSEQ)"), "HIGHESTMODSEQ ").value_or(0);
    mark.model = model_.store().status(model_.id(box)).highest_modseq;
    REQUIRE(mark.server != 0);
    for (const Mark& earlier : marks_[box]) REQUIRE((earlier.model < mark.model) == (earlier.server < mark.server));
    marks_[box].push_back(mark);
    compare(player, {});
  }
  const Mark* any_mark(const Player& player) {
    const std::vector<Mark>& marks = marks_[player.box];
    if (player.wants == ClientMirror::Wants::nothing || marks.empty()) return nullptr;
    // Mostly a late one: since then not everything has changed.
    const std::size_t back = random_.below(static_cast<std::uint32_t>(random_.one_in(4) ? marks.size() : 1));
    return &marks[marks.size() - 1 - back];
  }
  std::set<std::uint32_t> changed_in_model(const std::string& box, ModSeq since) {
    return as_numbers(must(model_.account().version(model_.id(box)))->changed_since(since));
  }

  void store_unchanged(Player& player) {
    const Mark* since = any_mark(player);
    if (since == nullptr || player.read_only || player.mirror.messages().empty()) return;
    const Chosen chosen = choose(player);
    const FlagSet flags = any_flag_names();
    const bool silent = random_.one_in(2);
    const std::set<std::uint32_t> there = model_.uids(player.box);
    const storage::StoreResult done = must(model_.account().store_flags(
        model_.id(player.box), as_uids(chosen.uids), FlagChange::add, make_flags(joined(flags)), since->model));
    std::set<std::uint32_t> refused;  // as the client counts
    for (const std::uint32_t index : chosen.indexes) {
      const std::uint32_t uid = *player.mirror.messages()[index].uid;
      if (done.modified.contains(Uid(uid))) {
        refused.insert(chosen.by_uid() ? uid : index + 1);
      } else if (silent && there.count(uid) == 1) {
        silent_.uids.insert(uid);
      }
    }
    silent_.sign = '+';
    silent_.flags = flags;
    const std::string reply =
        run_and_compare(player,
                        chosen.prefix + "STORE " + chosen.set + " (UNCHANGEDSINCE " + std::to_string(since->server) +
                            (silent ? ") +FLAGS.SILENT (" : ") +FLAGS (") + joined(flags) + ")",
                        chosen.during());
    const std::size_t code = reply.find("[MODIFIED ");
    REQUIRE((code != std::string::npos) == !refused.empty());
    if (!refused.empty()) REQUIRE(set_numbers(reply.substr(code + 10)) == refused);
  }
  void fetch_changed(Player& player) {
    const Mark* since = any_mark(player);
    if (since == nullptr) return;
    noop(player);
    player.mirror.take_changed();
    player.mirror.take_vanished_earlier();
    const bool vanished = player.wants == ClientMirror::Wants::vanished && random_.one_in(2);
    run_and_compare(
        player,
        "UID FETCH 1:* (FLAGS) (CHANGEDSINCE " + std::to_string(since->server) + (vanished ? " VANISHED)" : ")"),
        During::other);
    REQUIRE(joined(player.mirror.take_changed()) == joined(changed_in_model(player.box, since->model)));
    const std::set<std::uint32_t> told = player.mirror.take_vanished_earlier();
    if (!vanished) return;
    // More may be told than is known, but nothing that is there.
    const UidSet gone = must(model_.account().expunged_since(model_.id(player.box), since->model));
    gone.for_each([&](Uid uid) { REQUIRE(told.count(uid.value()) == 1); });
    for (const std::uint32_t uid : model_.uids(player.box)) REQUIRE(told.count(uid) == 0);
  }
  void search_changed(Player& player) {
    const Mark* since = any_mark(player);
    if (since == nullptr) return;
    noop(player);
    player.mirror.take_found();
    run_and_compare(player, "UID SEARCH MODSEQ " + std::to_string(since->server + 1), During::other);
    REQUIRE(joined(player.mirror.take_found()) == joined(changed_in_model(player.box, since->model)));
  }

  // Asks to be told otherwise than before; what happened until now is told with it.
  void notify(Player& player) {
    using Told = Player::Told;
    const std::string events = " (MessageNew (UID FLAGS) MessageExpunge";
    const std::map<Told, std::string> commands = {{Told::at_once, "SET (SELECTED" + events + " FlagChange))"},
                                                  {Told::delayed, "SET (SELECTED-DELAYED" + events + " FlagChange))"},
                                                  {Told::without_flags, "SET (SELECTED" + events + "))"},
                                                  {Told::never, "NONE"}};
    const Told wanted = std::array{Told::at_once, Told::delayed, Told::without_flags, Told::never}[random_.below(4)];
    player.told = Told::by_commands;
    REQUIRE(run_and_compare(player, "NOTIFY " + commands.at(wanted), During::other).starts_with("OK"));
    player.told = wanted;
  }
  // What others did must come by itself: all of it, or all but expunges. The client fails the test when nothing comes
  // for ten seconds.
  void hear(Player& player) {
    using Told = Player::Told;
    if (player.box.empty() || player.told == Told::by_commands || player.told == Told::never) return;
    const bool delayed = player.told == Told::delayed;
    while (!has_heard(player, delayed))
      player.mirror.take(player.client.read(), delayed ? During::nothing : During::other);
    REQUIRE(first_of(player.mirror.faults()) == "");
  }
  bool has_heard(Player& player, bool delayed) {
    std::set<std::uint32_t> missing = model_.uids(player.box);
    for (const ClientMirror::Message& message : player.mirror.messages()) {
      if (!message.uid) return false;  // its FETCH is still to come
      const bool there = missing.erase(*message.uid) == 1;
      if (!there && !delayed) return false;
      const bool wrong = there && message.flags && *message.flags != model_.flags(player.box, *message.uid);
      if (wrong && player.knows_flags()) return false;
    }
    return missing.empty();
  }
  // NOTIFY NONE: whatever happened, nothing is said of it.
  static void stay_silent(Player& player) {
    const Lines lines = player.client.run("NOOP");
    REQUIRE(lines.size() == 1);
    player.mirror.take_reply(lines.back());
  }

  void idle(Player& player) {
    player.client.send("idle IDLE\r\n");
    const Lines lines = player.client.read_to("+ ");
    REQUIRE(lines.back() == "+ idling");
    for (std::size_t i = 0; i + 1 < lines.size(); ++i) player.mirror.take(lines[i], During::other);
    player.idling = true;
  }
  void end_idle(Player& player) {
    // Notices must come by themselves, not for DONE only. The client fails the test when none comes for ten seconds.
    const bool waits = random_.one_in(2) && player.knows_flags();
    while (waits && !is_up_to_date(player)) player.mirror.take(player.client.read(), During::other);
    player.client.send("DONE\r\n");
    Lines lines = player.client.read_to("idle ");
    REQUIRE(lines.back().starts_with("idle OK"));
    const std::string reply = lines.back();
    lines.pop_back();
    for (const std::string& line : lines) player.mirror.take(line, During::other);
    player.mirror.take_reply(reply);
    player.idling = false;
    compare(player, {});
  }
  bool is_up_to_date(Player& player) {
    const std::set<std::uint32_t> expected = model_.uids(player.box);
    if (player.mirror.messages().size() != expected.size()) return false;
    std::size_t index = 0;
    for (const std::uint32_t uid : expected) {
      const ClientMirror::Message& message = player.mirror.messages()[index++];
      if (message.uid && message.uid != uid) return false;
      if (message.flags && *message.flags != model_.flags(player.box, uid)) return false;
    }
    return true;
  }

  // What the running STORE.SILENT does.
  struct Silent {
    std::set<std::uint32_t> uids;
    char sign = '+';
    FlagSet flags;
  };

  Random random_;
  ImapServer server_;
  Silent silent_;
  Model model_;
  std::vector<Player> players_;
  std::map<std::string, std::vector<Mark>> marks_;  // by mailbox
  std::uint32_t messages_ = 0;
};

std::uint32_t turns() {
  const char* text = std::getenv("POSTKEEP_STEPS");
  return text == nullptr ? 200 : static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10));
}

TEST_CASE("Sessions that take turns each see the model's mailbox, after every command") {
  std::vector<std::uint64_t> seeds = {1, 2, 3};
  if (const char* text = std::getenv("POSTKEEP_SEED")) seeds = {std::strtoull(text, nullptr, 10)};
  for (const storage::Backend& backend : storage::backends()) {
    const std::string backend_name(backend.name);
    CAPTURE(backend_name);
    for (const std::uint64_t seed : seeds) {
      CAPTURE(seed);
      Game game(backend.name, seed);
      const std::uint32_t count = turns();
      for (std::uint32_t turn = 0; turn < count; ++turn) {
        CAPTURE(turn);
        game.step();
      }
    }
  }
}

}  // namespace
}  // namespace postkeep::test
