#include "tests/support/store_fixture.h"

#include <filesystem>

#include "storage/posix_file_system.h"

namespace postkeep::test {
namespace {

constexpr const char* user = "tess";
constexpr std::uint64_t size_limit = 64 * 1024 * 1024;

}  // namespace

StoreFixture::StoreFixture(const storage::Backend& backend, storage::StoreOptions options)
    : backend_(backend), options_(std::move(options)), files_(storage::posix_file_system()) {
  options_.data_dir = directory_.path();
  open();
}

StoreFixture::~StoreFixture() = default;

void StoreFixture::open() {
  if (!store_) store_ = must(storage::open_mail_store(backend_.name, options_, *files_, clock_));
  account_ = must(store_->open(user, [changes = changes_] { ++*changes; }));
}

void StoreFixture::close() {
  must(account_->close());
  account_.reset();
  if (persistent()) store_.reset();
}

void StoreFixture::reopen() {
  close();
  open();
}

void StoreFixture::reopen_without_index() {
  close();
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    std::filesystem::remove(directory_ / (std::string("mail/") + user + "/index.sqlite" + suffix));
  }
  open();
}

void StoreFixture::run_background() {
  constexpr int steps_max = 10'000;
  for (int i = 0; i < steps_max; ++i) {
    const storage::BackgroundState state = must(account_->background_step());
    if (!state.due_in) return;
    clock_.advance(*state.due_in);
  }
  must(Outcome(failure(ErrorKind::server_bug, "Background work does not end")));
}

MailboxId StoreFixture::mailbox(std::string_view utf8) {
  Result<storage::Mailbox> found = account_->find_mailbox(name(utf8));
  if (!found) found = account_->create_mailbox(name(utf8));
  return must(std::move(found)).id;
}

std::shared_ptr<storage::Incoming> StoreFixture::incoming(std::string_view content) {
  std::shared_ptr<storage::Incoming> message = must(account_->begin_incoming(size_limit));
  must(message->write(content));
  must(message->finish());
  return message;
}

Uid StoreFixture::append(MailboxId mailbox, std::string_view content, const Flags& flags,
                         std::optional<UnixTime> internal_date) {
  const std::vector<storage::AppendItem> items = {{incoming(content), flags, internal_date}};
  return must(account_->append(mailbox, items)).uids.min();
}

UidSet StoreFixture::append_many(MailboxId mailbox, std::uint32_t count) {
  std::vector<storage::AppendItem> items;
  for (std::uint32_t i = 0; i < count; ++i) items.push_back({incoming(sample_message(i)), {}, std::nullopt});
  return must(account_->append(mailbox, items)).uids;
}

std::string StoreFixture::content(MailboxId mailbox, Uid uid) {
  const std::unique_ptr<storage::MessageReader> reader = must(account_->open_message(mailbox, uid));
  std::string bytes;
  must(reader->read(0, static_cast<std::size_t>(reader->size()), bytes));
  return bytes;
}

storage::MessageRow StoreFixture::row(MailboxId mailbox, Uid uid) {
  const storage::FetchWants wants{true, true, true, true, true, true, true};
  const std::vector<storage::MessageRow> rows = must(account_->fetch(mailbox, UidSet{uid}, wants));
  REQUIRE(rows.size() == 1);
  return rows.front();
}

Flags StoreFixture::flags(MailboxId mailbox, Uid uid) {
  const storage::MailboxVersionPtr now = version(mailbox);
  const std::optional<storage::MessageState> message = now->find(uid);
  REQUIRE(message);
  return now->flags_of(*message);
}

storage::StoreResult StoreFixture::add_flags(MailboxId mailbox, const UidSet& uids, const Flags& flags) {
  return must(account_->store_flags(mailbox, uids, FlagChange::add, flags));
}

void over_each_backend(const std::function<void(StoreFixture&)>& body, const storage::StoreOptions& options) {
  for (const storage::Backend& backend : storage::backends()) {
    const std::string backend_name(backend.name);
    CAPTURE(backend_name);
    StoreFixture fixture(backend, options);
    body(fixture);
  }
}

Flags make_flags(std::string_view wire) {
  Flags flags;
  while (!wire.empty()) {
    const std::size_t space = wire.find(' ');
    must(flags.add_from_wire(wire.substr(0, space)));
    wire.remove_prefix(space == std::string_view::npos ? wire.size() : space + 1);
  }
  return flags;
}

std::string sample_message(std::uint32_t number) {
  const std::string text = std::to_string(number);
  return "From: Ada <ada@example.org>\r\nTo: tess@example.org\r\nSubject: Number " + text +
         "\r\nDate: Sun, 01 Mar 2026 10:00:00 +0000\r\nMessage-ID: <" + text + "@example.org>\r\n\r\nThis is message " +
         text + ".\r\n";
}

UidSet uid_set(std::initializer_list<std::uint32_t> numbers) {
  UidSet set;
  for (const std::uint32_t number : numbers) set.add(Uid(number));
  return set;
}

}  // namespace postkeep::test
