// See read_ahead.h.
#include "server/pop3/read_ahead.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "protocol/line/dot_stuffing.h"
#include "server/metrics/metrics.h"

namespace postkeep::pop3 {

namespace {

constexpr std::uint64_t stuffed_octets_max = 64 * 1024;  // of a message that is read whole
constexpr std::size_t ahead_octets = 128 * 1024;         // read together
constexpr std::uint32_t ahead_messages = 100;            // whose files are looked up together

// False: it is too large.
Result<bool> add_message(storage::MessageReader& reader, Uid uid, StuffedMessages& to) {
  if (reader.size() > stuffed_octets_max) return false;
  std::string content;
  TRY(reader.read(0, static_cast<std::size_t>(reader.size()), content));
  server::metrics().fetched_octets.add(content.size());
  if (content.size() != reader.size()) {
    return failure(ErrorKind::corruption, "The message cannot be read", "message file shorter than its size");
  }
  StuffedMessages::Entry entry;
  entry.uid = uid;
  entry.begin = to.text.size();
  line::DotStuffer stuffer;
  stuffer.feed(content, to.text);
  stuffer.finish(to.text);
  entry.end = to.text.size();
  to.entries.push_back(entry);
  return true;
}

// The first of them, and where the files of all are.
struct Located {
  StuffedMessages read;
  std::shared_ptr<storage::MessageReader> large;
  std::shared_ptr<storage::MessageFiles> files;
};

class LocateJob {
 public:
  LocateJob(MailboxId mailbox, std::vector<Uid> uids) : mailbox_(mailbox), uids_(std::move(uids)) {}

  Result<Located> operator()(storage::AccountStore& store) const {
    Located located;
    UidSet wanted;
    for (const Uid uid : uids_) wanted.add(uid);
    located.files = TRY(store.find_files(mailbox_, wanted));
    Result<std::unique_ptr<storage::MessageReader>> reader = located.files->open(uids_.front());
    if (!reader && reader.error().kind == ErrorKind::not_found) reader = store.open_message(mailbox_, uids_.front());
    if (!reader) return tl::unexpected<Error>(std::move(reader).error());
    const bool is_read = TRY(add_message(**reader, uids_.front(), located.read));
    if (!is_read) located.large = std::move(*reader);
    return located;
  }

 private:
  MailboxId mailbox_;
  std::vector<Uid> uids_;
};

// As many as fit, up to the first that is too large or not where it was.
class ReadAheadJob {
 public:
  ReadAheadJob(std::shared_ptr<storage::MessageFiles> files, std::vector<Uid> uids)
      : files_(std::move(files)), uids_(std::move(uids)) {}

  Result<StuffedMessages> operator()() const {
    StuffedMessages read;
    for (const Uid uid : uids_) {
      if (read.text.size() >= ahead_octets) break;
      const Result<std::unique_ptr<storage::MessageReader>> reader = files_->open(uid);
      if (!reader) break;
      const Result<bool> added = add_message(**reader, uid, read);
      if (!added || !*added) break;
    }
    return read;
  }

 private:
  std::shared_ptr<storage::MessageFiles> files_;
  std::vector<Uid> uids_;
};

}  // namespace

void ReadAhead::forget() {
  read_ = StuffedMessages();
  located_ = std::vector<Uid>();
  files_.reset();
  reading_.reset();
}

bool ReadAhead::find_read(Uid uid, Found& found) const {
  const auto entry = std::find_if(read_.entries.begin(), read_.entries.end(),
                                  [uid](const StuffedMessages::Entry& one) { return one.uid == uid; });
  if (entry == read_.entries.end()) return false;
  found.text = std::string_view(read_.text).substr(entry->begin, entry->end - entry->begin);
  return true;
}

// Those of the located messages that stand behind what was read.
void ReadAhead::start_reading(server::Gateway& gateway) {
  const Uid last = read_.entries.empty() ? located_.front() : read_.entries.back().uid;
  std::vector<Uid> next(std::upper_bound(located_.begin(), located_.end(), last), located_.end());
  if (next.empty()) return;
  reading_ = gateway.start_beside(watch_->executor(), ReadAheadJob(files_, std::move(next)));
}

// What stands behind has been read meanwhile. It may begin elsewhere: after a message that was too large, or changed.
server::Awaitable<bool> ReadAhead::take_reading(server::Gateway& gateway, Uid uid, Found& found) {
  auto read = co_await reading_->get();
  reading_.reset();
  if (!read || watch_->marked()) co_return false;
  read_ = std::move(*read);
  if (!find_read(uid, found)) co_return false;
  start_reading(gateway);
  co_return true;
}

server::Awaitable<Result<ReadAhead::Found>> ReadAhead::get(server::Gateway& gateway, const server::AccountPtr& account,
                                                           const Maildrop& maildrop, std::uint32_t number) {
  const bool in_order = number == std::exchange(last_number_, number) + 1;
  if (watch_->take()) forget();
  const Uid uid = maildrop.at(number).uid;
  Found found;
  if (find_read(uid, found)) co_return found;
  if (in_order && reading_) {
    const bool taken = co_await take_reading(gateway, uid, found);
    if (taken) co_return found;
  }
  forget();
  std::vector<Uid> uids(1, uid);
  for (std::uint32_t next = number + 1; in_order && next <= maildrop.highest() && next - number < ahead_messages;
       ++next) {
    if (!maildrop.is_marked(next)) uids.push_back(maildrop.at(next).uid);
  }
  LocateJob job(maildrop.mailbox(), uids);
  auto located = co_await gateway.run(account, std::move(job));
  if (!located && located.error().kind == ErrorKind::expunge_issued) {
    co_return failure(ErrorKind::not_found, "The message was deleted by another session");
  }
  if (!located) co_return tl::unexpected<Error>(std::move(located).error());
  read_ = std::move(located->read);
  files_ = std::move(located->files);
  located_ = std::move(uids);
  found.reader = std::move(located->large);
  find_read(uid, found);
  start_reading(gateway);
  co_return found;
}

}  // namespace postkeep::pop3
