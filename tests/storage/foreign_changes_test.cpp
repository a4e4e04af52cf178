// What other programs do to a Maildir while we have it open: deliver, rename, flag, move, copy and remove files; make
// and remove folders. Design promise 7. First case by case, then at random against a list of what must be there.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "tests/support/random.h"
#include "tests/support/store_fixture.h"

namespace postkeep::test {
namespace {

namespace fs = std::filesystem;

const storage::Backend& maildir() {
  const auto& table = storage::backends();
  return *std::find_if(table.begin(), table.end(), [](const auto& row) { return row.name == "maildir"; });
}

// The other programs. They see files only.
class Others {
 public:
  explicit Others(StoreFixture& store) : root_(store.mail_directory()) {}

  fs::path folder(const std::string& directory) const { return directory.empty() ? root_ : root_ / directory; }

  // By way of tmp/, as Maildir wants it.
  fs::path deliver(const std::string& directory, const std::string& place, const std::string& name,
                   const std::string& content) const {
    const fs::path from = folder(directory) / "tmp" / name;
    std::ofstream(from, std::ios::binary) << content;
    const fs::path to = folder(directory) / place / name;
    fs::rename(from, to);
    return to;
  }
  std::vector<fs::path> files(const std::string& directory) const {
    std::vector<fs::path> found;
    for (const char* place : {"cur", "new"}) {
      for (const auto& entry : fs::directory_iterator(folder(directory) / place)) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  fs::path only_file(const std::string& directory) const {
    const std::vector<fs::path> found = files(directory);
    REQUIRE(found.size() == 1);
    return found.front();
  }
  // Renames into cur/ with these letters, as a mail program does that reads the folder itself.
  fs::path set_letters(const fs::path& file, const std::string& letters) const {
    const std::string name = file.filename().string();
    const fs::path to = file.parent_path().parent_path() / "cur" / (name.substr(0, name.find(":2,")) + ":2," + letters);
    fs::rename(file, to);
    return to;
  }

 private:
  fs::path root_;
};

// Later, so that the look at the folder is not spared.
UidSet refreshed(StoreFixture& store, MailboxId box) {
  store.clock().advance(std::chrono::seconds(10));
  must(store.account().refresh(box));
  return store.uids(box);
}

TEST_CASE("A message that another program delivers appears with a new UID, is recent and not seen") {
  StoreFixture store(maildir());
  const Others others(store);
  const MailboxId inbox = store.mailbox("INBOX");
  const Uid ours = store.append(inbox, sample_message(1));
  must(store.account().claim_recent(inbox));
  const int told = store.changes();
  others.deliver("", "new", "1700000000.1.host", "Subject: theirs\n\nline one\nline two\r\n");
  const UidSet now = refreshed(store, inbox);
  CHECK(store.changes() > told);
  REQUIRE(now.size() == 2);
  CHECK(now.max() > ours);
  CHECK(store.flags(inbox, now.max()).empty());
  CHECK(store.status(inbox).recent == 1);
  // Served with line ends as mail has them; the size is that of what is served.
  const std::string served = "Subject: theirs\r\n\r\nline one\r\nline two\r\n";
  CHECK(store.content(inbox, now.max()) == served);
  CHECK(store.row(inbox, now.max()).size == served.size());
  store.reopen_without_index();
  CHECK(store.uids(inbox) == now);
  CHECK(store.content(inbox, now.max()) == served);
}

TEST_CASE("Of a message that another program wrote it is known how its last line ends, read before or not") {
  StoreFixture store(maildir());
  const Others others(store);
  const MailboxId inbox = store.mailbox("INBOX");
  others.deliver("", "new", "1700000001.1.host", "Subject: a\n\nlf\n");
  others.deliver("", "new", "1700000001.2.host", "Subject: b\r\n\r\ncrlf\r\n");
  others.deliver("", "new", "1700000001.3.host", "Subject: c\n\nnothing");
  others.deliver("", "new", "1700000001.4.host", "");
  const std::vector<Uid> uids = refreshed(store, inbox).to_vector();
  REQUIRE(uids.size() == 4);
  for (int round = 0; round < 2; ++round) {
    std::vector<bool> ends;
    for (const Uid uid : uids) {
      storage::FetchWants wants;
      wants.line_end = true;
      wants.envelope = round == 1;
      ends.push_back(must(store.account().fetch(inbox, UidSet{uid}, wants)).at(0).ends_in_crlf);
    }
    CHECK(std::count(ends.begin(), ends.end(), true) == 3);
  }
}

TEST_CASE(
    "A watched folder is not listed again for what we do to it; what others do is seen once the kernel tells it") {
  storage::StoreOptions options;
  options.watch_folders = true;
  StoreFixture store(maildir(), options);
  const Others others(store);
  const MailboxId inbox = store.mailbox("INBOX");
  REQUIRE(store.account().watch(inbox));
  CHECK(refreshed(store, inbox).empty());
  store.append(inbox, "ours\r\n");
  store.store().take_foreign_changes();
  others.deliver("", "new", "1700000000.theirs", "theirs\n");
  // Nobody has read the watch since: if their message is seen, the folder was listed.
  CHECK(refreshed(store, inbox).size() == 1);
  REQUIRE(store.store().take_foreign_changes().size() == 1);
  CHECK(refreshed(store, inbox).size() == 2);
  // Once the watch has ended its word holds no more.
  store.store().unwatch("tess", inbox);
  others.deliver("", "new", "1700000001.theirs", "theirs too\n");
  CHECK(refreshed(store, inbox).size() == 3);
}

TEST_CASE("Another file in the place of one that is gone is noticed, though there are as many") {
  StoreFixture store(maildir());
  const Others others(store);
  const MailboxId inbox = store.mailbox("INBOX");
  const Uid ours = store.append(inbox, "ours\r\n");
  CHECK(refreshed(store, inbox).size() == 1);
  fs::remove(others.only_file(""));
  others.deliver("", "cur", "1700000000.theirs:2,S", "theirs\n");
  const UidSet found = refreshed(store, inbox);
  CHECK(found.size() == 1);
  CHECK_FALSE(found.contains(ours));
}

TEST_CASE("Flags in the name of a delivered file count, and unknown letters stay") {
  StoreFixture store(maildir());
  const Others others(store);
  const MailboxId inbox = store.mailbox("INBOX");
  others.deliver("", "cur", "1700000000.2.host,U=5,W=99:2,FSX", sample_message(2));
  const Uid uid = refreshed(store, inbox).min();
  CHECK(store.flags(inbox, uid) == make_flags("\\Flagged \\Seen"));
  store.add_flags(inbox, UidSet{uid}, make_flags("\\Answered"));
  store.reopen();
  const std::string name = others.only_file("").filename().string();
  CHECK(name == "1700000000.2.host,U=5,W=99:2,FRSX");
  CHECK(store.uids(inbox) == UidSet{uid});
}

TEST_CASE("A renamed file is the same message with other flags; our own change at the same time holds too") {
  StoreFixture store(maildir());
  const Others others(store);
  const MailboxId inbox = store.mailbox("INBOX");
  const Uid uid = store.append(inbox, sample_message(1), make_flags("\\Draft"));
  const auto before = store.version(inbox);
  store.add_flags(inbox, UidSet{uid}, make_flags("\\Answered"));  // not in the name yet
  others.set_letters(others.only_file(""), "FS");                 // takes \Draft away, adds two
  CHECK(refreshed(store, inbox) == UidSet{uid});
  CHECK(store.flags(inbox, uid) == make_flags("\\Answered \\Flagged \\Seen"));
  CHECK(diff(*before, *store.version(inbox)).changed == UidSet{uid});
  store.reopen_without_index();
  CHECK(store.flags(inbox, uid) == make_flags("\\Answered \\Flagged \\Seen"));
}

TEST_CASE("A removed file is an expunged message") {
  StoreFixture store(maildir());
  const Others others(store);
  const MailboxId inbox = store.mailbox("INBOX");
  const UidSet uids = store.append_many(inbox, 3);
  const auto before = store.version(inbox);
  fs::remove(others.files("").at(1));
  const UidSet now = refreshed(store, inbox);
  CHECK(now.size() == 2);
  const UidSet gone = uids.subtract(now);
  CHECK(diff(*before, *store.version(inbox)).expunged == gone);
  CHECK(must(store.account().expunged_since(inbox, before->facts().highest_modseq)) == gone);
  store.reopen_without_index();
  CHECK(store.uids(inbox) == now);
}

TEST_CASE("A file that vanishes and comes back later is a new message") {
  StoreFixture store(maildir());
  const Others others(store);
  const MailboxId inbox = store.mailbox("INBOX");
  const Uid uid = store.append(inbox, sample_message(1));
  const fs::path file = others.only_file("");
  const fs::path away = fs::path(store.mail_directory()) / "tmp" / "away";
  fs::rename(file, away);
  CHECK(refreshed(store, inbox).empty());
  fs::rename(away, file);
  const UidSet now = refreshed(store, inbox);
  REQUIRE(now.size() == 1);
  CHECK(now.min() > uid);
  CHECK(store.content(inbox, now.min()) == sample_message(1));
  store.reopen_without_index();
  CHECK(store.uids(inbox) == now);
}

TEST_CASE("A file that another program moves to another folder is expunged here and new there") {
  StoreFixture store(maildir());
  const Others others(store);
  const MailboxId inbox = store.mailbox("INBOX");
  const MailboxId box = store.mailbox("Box");
  store.append_many(box, 4);
  store.append(inbox, sample_message(9), make_flags("\\Seen"));
  const fs::path file = others.only_file("");
  fs::rename(file, others.folder(".Box") / "cur" / file.filename());
  CHECK(refreshed(store, inbox).empty());
  const UidSet now = refreshed(store, box);
  REQUIRE(now.size() == 5);
  CHECK(store.content(box, now.max()) == sample_message(9));
  CHECK(store.flags(box, now.max()) == make_flags("\\Seen"));
  store.reopen_without_index();
  CHECK(store.uids(box) == now);
}

TEST_CASE("A copy that keeps our tag does not get the original's UID") {
  StoreFixture store(maildir());
  const Others others(store);
  const MailboxId inbox = store.mailbox("INBOX");
  const Uid uid = store.append(inbox, sample_message(1));
  const fs::path file = others.only_file("");
  std::string name = file.filename().string();
  fs::copy_file(file, file.parent_path() / ("copy" + name));
  const UidSet now = refreshed(store, inbox);
  REQUIRE(now.size() == 2);
  CHECK(now.contains(uid));
  store.reopen_without_index();
  CHECK(store.uids(inbox) == now);
  CHECK(store.content(inbox, now.min()) == sample_message(1));
  CHECK(store.content(inbox, now.max()) == sample_message(1));
}

TEST_CASE("A message whose file was renamed since we looked can be read, changed, copied and expunged") {
  StoreFixture store(maildir());
  const Others others(store);
  const MailboxId inbox = store.mailbox("INBOX");
  const MailboxId other = store.mailbox("other");
  const Uid uid = store.append(inbox, sample_message(1));
  others.set_letters(others.only_file(""), "F");
  CHECK(store.content(inbox, uid) == sample_message(1));
  others.set_letters(others.only_file(""), "S");
  const UidSet copied = must(store.account().copy(inbox, UidSet{uid}, other)).target;
  REQUIRE(copied.size() == 1);
  CHECK(store.content(other, copied.min()) == sample_message(1));
  others.set_letters(others.only_file(""), "T");
  refreshed(store, inbox);
  CHECK(must(store.account().expunge(inbox, UidSet{uid})) == UidSet{uid});
  for (int i = 0; i < 10; ++i) must(store.account().background_step());
  CHECK(others.files("").empty());
}

TEST_CASE("Of a message whose file is gone, the reader says so and a copy leaves nothing behind") {
  StoreFixture store(maildir());
  const Others others(store);
  const MailboxId inbox = store.mailbox("INBOX");
  const MailboxId other = store.mailbox("other");
  const UidSet uids = store.append_many(inbox, 3);
  fs::remove(others.files("").front());
  const auto copied = store.account().copy(inbox, uids, other);
  if (copied) {  // the two that are there, or an error and none
    CHECK(copied->source.size() == 2);
    CHECK(store.status(other).messages == 2);
  } else {
    CHECK(store.status(other).messages == 0);
  }
  const UidSet now = refreshed(store, inbox);
  const Uid gone = uids.subtract(now).min();
  CHECK(kind_of(store.account().open_message(inbox, gone)) == ErrorKind::expunge_issued);
}

TEST_CASE("Folders that other programs make and remove are mailboxes that come and go") {
  StoreFixture store(maildir());
  const Others others(store);
  for (const char* place : {"cur", "new", "tmp"}) fs::create_directories(others.folder(".Made.Below") / place);
  others.deliver(".Made.Below", "new", "1700000000.3.host", sample_message(3));
  store.clock().advance(std::chrono::seconds(10));
  std::vector<std::string> names;
  for (const auto& mailbox : must(store.account().list_mailboxes())) names.push_back(mailbox.name.utf8());
  CHECK(names == std::vector<std::string>{"INBOX", "Made", "Made/Below"});
  const MailboxId below = must(store.account().find_mailbox(StoreFixture::name("Made/Below"))).id;
  const UidSet uids = refreshed(store, below);
  REQUIRE(uids.size() == 1);
  CHECK(store.content(below, uids.min()) == sample_message(3));
  store.reopen_without_index();
  CHECK(must(store.account().find_mailbox(StoreFixture::name("Made/Below"))).id == below);
  CHECK(store.uids(below) == uids);
  fs::remove_all(others.folder(".Made.Below"));
  store.clock().advance(std::chrono::seconds(10));
  names.clear();
  for (const auto& mailbox : must(store.account().list_mailboxes())) names.push_back(mailbox.name.utf8());
  CHECK(names == std::vector<std::string>{"INBOX"});
}

TEST_CASE("What is no message is left alone: dot files, directories, files of other programs in the folder") {
  StoreFixture store(maildir());
  const Others others(store);
  const MailboxId inbox = store.mailbox("INBOX");
  std::ofstream(others.folder("") / "cur" / ".hidden") << "x";
  fs::create_directory(others.folder("") / "cur" / "directory");
  std::ofstream(others.folder("") / "dovecot-uidlist") << "3 V1 N1";
  CHECK(refreshed(store, inbox).empty());
  const Uid uid = store.append(inbox, sample_message(1));
  for (int i = 0; i < 5; ++i) refreshed(store, inbox);
  CHECK(store.status(inbox).uid_next.value() < uid.value() + 10);  // nor does looking at it again use up UIDs
  store.reopen_without_index();
  CHECK(store.uids(inbox).size() == 1);
  CHECK(fs::exists(others.folder("") / "cur" / ".hidden"));
  CHECK(fs::exists(others.folder("") / "cur" / "directory"));
}

// --- At random -----------------------------------------------------------------------------------------

// What one folder must have: bodies and the flags that were last set on each, by whomever.
using Wanted = std::map<std::string, Flags>;

Wanted found_in(StoreFixture& store, MailboxId box) {
  Wanted found;
  const auto version = store.version(box);
  version->for_each([&](SeqNum, const storage::MessageState& message) {
    found[store.content(box, message.uid)] = version->flags_of(message);
  });
  CHECK(found.size() == version->count());
  return found;
}

std::string to_text(const Wanted& wanted) {
  std::string text;
  for (const auto& [content, flags] : wanted) {
    const std::size_t number = content.find("This is message ");
    text += content.substr(number + 16, content.size() - number - 19) + "(" + flags.to_wire() + ") ";
  }
  return text;
}

// One folder, changed by us and by others in turn.
class Game {
 public:
  explicit Game(std::uint64_t seed) : random_(seed), store_(maildir()), others_(store_), box_(store_.mailbox("Box")) {}

  void step() {
    switch (random_.below(9)) {
      case 0:
      case 1:
        return we_append();
      case 2:
        return they_deliver();
      case 3:
        return we_flag();
      case 4:
        return they_flag();
      case 5:
        return we_expunge();
      case 6:
        return they_remove();
      case 7:
        return random_.one_in(6) ? store_.reopen_without_index() : random_.one_in(3) ? store_.reopen() : background();
      default:
        return background();
    }
  }

  void check() {
    const UidSet now = refreshed(store_, box_);
    REQUIRE(to_text(found_in(store_, box_)) == to_text(wanted_));
    // No UID comes back, and none means another message than before.
    now.for_each([&](Uid uid) {
      const std::string content = store_.content(box_, uid);
      const auto [known, is_new] = content_of_uid_.emplace(uid, content);
      CHECK(known->second == content);
      if (is_new) CHECK(uid > highest_);
    });
    CHECK(now.intersect(gone_).empty());
    for (const auto& [uid, content] : content_of_uid_) {
      if (!now.contains(uid)) gone_.add(uid);
      highest_ = std::max(highest_, uid);
    }
  }

 private:
  std::string new_message() { return sample_message(next_++); }

  Uid any_uid() {
    const std::vector<Uid> uids = store_.uids(box_).to_vector();
    return uids.empty() ? Uid(1) : uids[random_.below(static_cast<std::uint32_t>(uids.size()))];
  }

  void we_append() {
    const std::string content = new_message();
    Flags flags;
    flags.set_system_bits(static_cast<std::uint8_t>(random_.below(32)));
    if (random_.one_in(2)) flags.add_keyword("Ours");
    store_.append(box_, content, flags);
    wanted_[content] = flags;
  }

  void they_deliver() {
    const std::string content = new_message();
    const std::string name = "17000000" + std::to_string(10 + next_ % 80) + ".n" + std::to_string(next_) + ".host";
    if (random_.one_in(2)) {
      others_.deliver(".Box", "new", name, content);
      wanted_[content] = Flags();
    } else {
      others_.deliver(".Box", "cur", name + ":2,RS", content);
      wanted_[content] = make_flags("\\Answered \\Seen");
    }
  }

  // We see what they did before we act, as a session does that was told of it.
  void we_flag() {
    refreshed(store_, box_);
    const Uid uid = any_uid();
    if (store_.uids(box_).empty()) return;
    Flags flags;
    flags.set_system_bits(static_cast<std::uint8_t>(1U << random_.below(5)));
    if (random_.one_in(3)) flags.add_keyword("Ours");
    const FlagChange change = random_.one_in(2) ? FlagChange::add : FlagChange::remove;
    must(store_.account().store_flags(box_, UidSet{uid}, change, flags));
    Flags& wanted = wanted_.at(store_.content(box_, uid));
    wanted = apply(wanted, change, flags);
  }

  // Toggles one letter in a name; what it means changes for that message, whatever we have pending on it.
  void they_flag() {
    const std::vector<fs::path> files = others_.files(".Box");
    if (files.empty()) return;
    const fs::path file = files[random_.below(static_cast<std::uint32_t>(files.size()))];
    const std::string content = content_of(file);
    if (wanted_.count(content) == 0) return;  // expunged by us, not unlinked yet
    const std::string name = file.filename().string();
    const std::size_t info = name.find(":2,");
    std::string letters = info == std::string::npos ? "" : name.substr(info + 3);
    const bool was_there = letters.find('F') != std::string::npos;
    if (was_there) {
      letters.erase(letters.find('F'), 1);
    } else {
      letters += 'F';
      std::sort(letters.begin(), letters.end());
    }
    others_.set_letters(file, letters);
    Flags& wanted = wanted_.at(content);
    was_there ? wanted.clear(SystemFlag::flagged) : wanted.set(SystemFlag::flagged);
  }

  void we_expunge() {
    refreshed(store_, box_);
    const UidSet uids = store_.uids(box_);
    for (const Uid uid : uids.to_vector()) {
      if (random_.one_in(3) && store_.flags(box_, uid).has(SystemFlag::deleted)) {
        const std::string content = store_.content(box_, uid);
        CHECK(must(store_.account().expunge(box_, UidSet{uid})) == UidSet{uid});
        wanted_.erase(content);
      }
    }
  }

  void they_remove() {
    const std::vector<fs::path> files = others_.files(".Box");
    if (files.size() < 5) return;
    const fs::path file = files[random_.below(static_cast<std::uint32_t>(files.size()))];
    wanted_.erase(content_of(file));
    fs::remove(file);
  }

  void background() {
    store_.clock().advance(std::chrono::seconds(2));
    for (int i = 0; i < 3; ++i) must(store_.account().background_step());
  }

  static std::string content_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  Random random_;
  StoreFixture store_;
  Others others_;
  MailboxId box_;
  std::uint32_t next_ = 0;
  Wanted wanted_;
  std::map<Uid, std::string> content_of_uid_;
  UidSet gone_;
  Uid highest_;
};

TEST_CASE(
    "Whatever we and others do to a folder in turn, every message is there once, with its flags and its own UID") {
  std::vector<std::uint64_t> seeds = {1, 2};
  if (const char* text = std::getenv("POSTKEEP_SEED")) seeds = {std::strtoull(text, nullptr, 10)};
  const char* steps_text = std::getenv("POSTKEEP_STEPS");
  const int steps = steps_text == nullptr ? 80 : std::atoi(steps_text);
  for (const std::uint64_t seed : seeds) {
    CAPTURE(seed);
    Game game(seed);
    for (int number = 0; number < steps; ++number) {
      CAPTURE(number);
      game.step();
      game.check();
    }
  }
}

}  // namespace
}  // namespace postkeep::test
