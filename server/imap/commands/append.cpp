// APPEND and MULTIAPPEND, REPLACE and UID REPLACE. RFC 9051 §6.3.12, RFC 3502, RFC 4315 (APPENDUID), RFC 7889
// (APPENDLIMIT), RFC 8508, RFC 9755 §4, RFC 3516 §6 (literal8). Messages go from the connection into storage's spool as
// they come; memory does not grow with them. All or nothing: until the last message has come nothing is in the mailbox,
// and a client that leaves in the middle leaves nothing behind.
#include "protocol/imap/commands/append.h"

#include <memory>
#include <optional>
#include <utility>

#include "protocol/base/seeded_fault.h"
#include "protocol/imap/responses/state.h"
#include "protocol/line/line_ends.h"
#include "protocol/mime/header_octets.h"
#include "server/imap/changed_name.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/notify_push.h"
#include "server/imap/updates.h"
#include "server/runtime/task_group.h"

namespace postkeep::imap {

namespace {

constexpr std::size_t messages_max = 1'000;           // of one MULTIAPPEND; each holds a file in the spool
constexpr std::size_t spool_slice_bytes = 64 * 1024;  // handed to storage at once
// Small messages wait for each other, and are then written and synced side by side, so that the disk can do it in one.
// Not more than the storage pool has threads.
constexpr std::size_t together_max = 32;
constexpr std::size_t together_octets_max = 256 * 1024;

// One APPEND command on its way.
class Append {
 public:
  explicit Append(Context& context) : context_(context) {}

  // Runs to the end of the command, whatever happens to it.
  Answer run();

 private:
  // A small message that came as a whole and is not in the spool yet.
  struct Waiting {
    std::size_t item = 0;
    std::string bytes;
    bool has_nul = false;
    Outcome stored;
  };

  server::Awaitable<void> begin_message();
  server::Awaitable<Outcome> find_target();
  server::Awaitable<Outcome> open_message();
  server::Awaitable<void> take_bytes();
  server::Awaitable<Outcome> write_slice(std::size_t keep_below);
  server::Awaitable<Outcome> end_message();
  server::Awaitable<Outcome> end_streamed();
  server::Awaitable<Outcome> store_waiting();
  server::Awaitable<void> store_one(Waiting& waiting);
  std::uint64_t octets_max() const;
  Outcome find_replaced();
  Answer commit();
  Answer commit_replacement();
  Answer refused();
  bool refuses_eight_bit_headers() const {
    return context_.settings().imap.eight_bit_headers == EightBitHeaders::refuse && !context_.speaks_utf8();
  }
  void refuse(Error error) { context_.framer.refuse_literal(std::move(error)); }
  Result<bool> parse_piece();
  Outcome check_utf8_item() const;

  Context& context_;
  std::optional<std::string> mailbox_;  // as the client wrote it, once read
  MailboxId target_;
  std::optional<MailboxName> target_name_;
  bool try_create_ = false;
  std::optional<SequenceSet> replaced_set_;  // none: APPEND
  Uid replaced_;                             // once the target was found
  AppendMessage message_;                    // whose literal is due or running
  std::shared_ptr<storage::Incoming> incoming_;
  std::optional<line::LineEndConverter> converter_;  // none for a literal8, whose line ends stay
  bool has_nul_ = false;                             // of a literal8
  std::optional<mime::HeaderOctets> header_;         // where a header in 8 bits is refused
  std::string slice_;
  std::vector<storage::AppendItem> items_;  // without message: it is among those that wait
  std::vector<Waiting> waiting_;
  std::size_t waiting_octets_ = 0;
};

Answer Append::run() {
  Framer& framer = context_.framer;
  for (;;) {
    switch (framer.next()) {
      case Framer::Event::need_more:
        co_await context_.read_more();
        break;
      case Framer::Event::literal_due:
        co_await begin_message();
        break;
      case Framer::Event::streaming:
        co_await take_bytes();
        break;
      case Framer::Event::command:
        co_return co_await commit();
      case Framer::Event::refused:
        co_return co_await refused();
    }
  }
}

// What stands before a literal. False: the literal is the mailbox's name, and is to be kept in memory.
Result<bool> Append::parse_piece() {
  Cursor cursor(context_.framer.partial(), context_.quoted_octets());
  if (!mailbox_) {
    std::optional<AppendHead> head = TRY(parse_append_head(cursor));
    if (!head) return false;
    replaced_set_ = std::move(head->replaced);
    mailbox_ = std::move(head->mailbox);
    message_ = std::move(head->first);
  } else {
    std::optional<AppendMessage> next = TRY(parse_append_next(cursor, message_));
    if (!next || replaced_set_) return failure(ErrorKind::bad_syntax, "Unexpected literal");
    message_ = std::move(*next);
  }
  TRY(check_utf8_item());
  return true;
}

// RFC 9755 has no "UTF8 (~{n}" any more, a plain literal does; clients of RFC 6855 send it.
Outcome Append::check_utf8_item() const {
  if (message_.utf8 == Utf8Literal::no) return {};
  if (!context_.enabled.utf8) return failure(ErrorKind::bad_syntax, "UTF8=ACCEPT is not enabled");
  if (context_.framer.literal().kind == LiteralKind::literal8) return {};
  return failure(ErrorKind::bad_syntax, "UTF8 goes with a literal8");
}

server::Awaitable<void> Append::begin_message() {
  auto parsed = parse_piece();
  if (!parsed) {
    refuse(std::move(parsed).error());
    co_return;
  }
  if (!*parsed) {
    context_.framer.buffer_literal();
    send_continuation(context_);
    co_return;
  }
  Outcome ready;
  if (items_.empty()) ready = find_replaced();
  if (ready && items_.empty()) ready = co_await find_target();
  if (ready) ready = co_await open_message();
  if (!ready) {
    refuse(std::move(ready).error());
    co_return;
  }
  context_.framer.stream_literal();
  send_continuation(context_);
}

// Numbers cannot move until the command is done: the view changes in dispatch alone.
Outcome Append::find_replaced() {
  if (!replaced_set_) return {};
  TRY(context_.require_write());
  const UidSet uids = TRY(context_.resolve(*replaced_set_));
  if (uids.empty()) return failure(ErrorKind::cannot, "There is no such message to replace");
  replaced_ = uids.min();
  return {};
}

server::Awaitable<Outcome> Append::find_target() {
  auto name = context_.mailbox_name(*mailbox_);
  if (!name) co_return tl::unexpected<Error>(std::move(name).error());
  auto found = co_await context_.gateway().find_mailbox(context_.account, std::move(*name));
  if (!found) {
    try_create_ = found.error().kind == ErrorKind::not_found;
    co_return tl::unexpected<Error>(std::move(found).error());
  }
  target_ = found->id;
  target_name_ = std::move(found->name);
  co_return Outcome();
}

server::Awaitable<Outcome> Append::open_message() {
  const LiteralAnnouncement& literal = context_.framer.literal();
  const std::uint64_t limit = context_.settings().limits.message_size;
  if (literal.size > limit) co_return failure(ErrorKind::too_big, "The message is too large");
  if (literal.size == 0) co_return failure(ErrorKind::cannot, "A message cannot be empty");
  if (items_.size() >= messages_max) co_return failure(ErrorKind::limit, "Too many messages in one command");
  converter_.reset();
  if (literal.kind == LiteralKind::literal) converter_.emplace();
  has_nul_ = false;
  header_.reset();
  if (refuses_eight_bit_headers()) header_.emplace();
  slice_.clear();
  co_return Outcome();
}

// Line ends are completed on the way: what was within the limit may not fail for that.
std::uint64_t Append::octets_max() const { return 2 * context_.settings().limits.message_size; }

server::Awaitable<void> Append::take_bytes() {
  Framer& framer = context_.framer;
  const std::string bytes = framer.take_literal(spool_slice_bytes);
  if (bytes.empty() && framer.literal_left() > 0) {
    co_await context_.read_more();
    co_return;
  }
  const std::size_t looked_at = slice_.size();
  if (converter_) {
    converter_->feed(bytes, slice_);
  } else {
    slice_ += bytes;
    has_nul_ = has_nul_ || bytes.find('\0') != std::string::npos;
  }
  if (header_) header_->feed(std::string_view(slice_).substr(looked_at));
  const bool last = framer.literal_left() == 0;
  Outcome written;
  if (incoming_ || !last) written = co_await write_slice(last ? 0 : spool_slice_bytes);
  if (written && last) written = co_await end_message();
  if (!written) refuse(std::move(written).error());
}

// Hands the slice to storage when it is at least `keep_below` octets.
server::Awaitable<Outcome> Append::write_slice(std::size_t keep_below) {
  if (slice_.empty() || slice_.size() < keep_below) co_return Outcome();
  if (!incoming_) {
    auto opened = co_await context_.gateway().begin_incoming(octets_max());
    if (!opened) co_return tl::unexpected<Error>(std::move(opened).error());
    incoming_ = std::move(*opened);
  }
  std::string bytes;
  bytes.swap(slice_);
  co_return co_await context_.gateway().write(incoming_, std::move(bytes));
}

server::Awaitable<Outcome> Append::end_message() {
  if (header_ && header_->has_eight_bit()) {
    co_return failure(ErrorKind::cannot, "A header in 8 bits needs UTF8=ACCEPT enabled");
  }
  if (incoming_) {
    Outcome finished = co_await end_streamed();
    if (!finished) co_return finished;
  }
  storage::AppendItem item;
  item.message = std::move(incoming_);
  incoming_.reset();
  if (!seeded(Fault::append_without_flags)) item.flags = message_.flags;
  if (!seeded(Fault::append_without_date)) item.internal_date = message_.internal_date;
  if (!item.message) {
    waiting_octets_ += slice_.size();
    waiting_.push_back(Waiting{items_.size(), std::exchange(slice_, std::string()), has_nul_, {}});
  }
  items_.push_back(std::move(item));
  if (waiting_.size() < together_max && waiting_octets_ < together_octets_max) co_return Outcome();
  co_return co_await store_waiting();
}

server::Awaitable<Outcome> Append::end_streamed() {
  if (has_nul_) {
    Outcome encoded = co_await context_.gateway().encode_binary_parts(incoming_);
    if (!encoded) co_return encoded;
  }
  co_return co_await context_.gateway().finish(incoming_);
}

// The first error is the one to tell; nothing of the command is kept then.
server::Awaitable<Outcome> Append::store_waiting() {
  waiting_octets_ = 0;
  std::vector<Waiting> together;
  together.swap(waiting_);
  if (together.size() == 1) {
    co_await store_one(together.front());
  } else {
    server::TaskGroup group(context_.connection.executor());
    for (Waiting& waiting : together) group.spawn(store_one(waiting));
    co_await group.join();
  }
  for (const Waiting& waiting : together) {
    if (!waiting.stored) co_return waiting.stored;
  }
  co_return Outcome();
}

server::Awaitable<void> Append::store_one(Waiting& waiting) {
  using server::Gateway;
  const auto parts = waiting.has_nul ? Gateway::BinaryParts::encode : Gateway::BinaryParts::keep;
  auto taken = co_await context_.gateway().take_incoming(octets_max(), std::move(waiting.bytes), parts);
  if (taken) items_[waiting.item].message = std::move(*taken);
  if (!taken) waiting.stored = tl::unexpected<Error>(std::move(taken).error());
}

// The command is complete: what stands behind its last literal must be the end.
Answer Append::commit() {
  const FramedCommand rest = context_.framer.take_command();
  Cursor cursor(rest, context_.quoted_octets());
  CO_TRY(parse_append_end(cursor, message_));
  const Outcome stored = co_await store_waiting();
  if (!stored) co_return tl::unexpected<Error>(stored.error());
  if (replaced_set_) co_return co_await commit_replacement();
  auto outcome = co_await context_.gateway().append(context_.account, target_, std::move(items_));
  if (!outcome && outcome.error().kind == ErrorKind::not_found) {
    co_return Completion(Condition::no, ResponseCode::try_create(), "No such mailbox");
  }
  const storage::AppendResult appended = CO_TRY(std::move(outcome));
  note_own_added(context_, target_, appended.uids);
  tell_changed_name(context_, *target_name_, *mailbox_);
  co_return Completion(ResponseCode::append_uid(appended.uid_validity, appended.uids), "Message appended");
}

// APPENDUID goes before EXPUNGE, so that the client can follow (RFC 8508 §4.3).
Answer Append::commit_replacement() {
  const MailboxId from = context_.selected->mailbox.id;
  auto outcome =
      co_await context_.gateway().replace(context_.account, from, replaced_, target_, std::move(items_.front()));
  const storage::AppendResult appended = CO_TRY(std::move(outcome));
  note_own_added(context_, target_, appended.uids);
  note_own_change(context_);
  tell_changed_name(context_, *target_name_, *mailbox_);
  Writer out = context_.out();
  write_untagged(out, Condition::ok, ResponseCode::append_uid(appended.uid_validity, appended.uids),
                 "Replaced by this");
  if (!context_.enabled.qresync) co_return Completion("Replaced");
  // As for UID EXPUNGE: the VANISHED comes before the reply that names its modseq (RFC 8508 §4.5, RFC 7162 §3.2.9).
  co_await send_updates(context_, ExpungeRule::allowed);
  co_return Completion(ResponseCode::highest_modseq(context_.selected->view.settled_modseq()), "Replaced");
}

Answer Append::refused() {
  Refusal refusal = context_.framer.take_refusal();
  if (refusal.fatal) {
    context_.next = Next::log_out;
    context_.farewell = "Too much to skip";
  }
  Outcome stored = failure(ErrorKind::cannot, "Refused");
  if (seeded(Fault::append_in_part) && !items_.empty()) stored = co_await store_waiting();
  if (stored) {
    (void)co_await context_.gateway().append(context_.account, target_, std::move(items_));
  }
  if (seeded(Fault::append_no_try_create)) try_create_ = false;
  if (try_create_) co_return Completion(Condition::no, ResponseCode::try_create(), "No such mailbox");
  co_return tl::unexpected<Error>(std::move(refusal.error));
}

}  // namespace

Answer stream_append(Context& context) {
  Append append(context);
  co_return co_await append.run();
}

Answer run_append_without_literal(Context&, Cursor&) {
  co_return failure(ErrorKind::bad_syntax, "A message as a literal is needed");
}

}  // namespace postkeep::imap
