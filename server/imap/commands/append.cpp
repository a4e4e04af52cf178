// APPEND and MULTIAPPEND, REPLACE and UID REPLACE. RFC 9051 §6.3.12, RFC 3502, RFC 4315 (APPENDUID), RFC 7889
// (APPENDLIMIT), RFC 8508, RFC 9755 §4, RFC 3516 §6 (literal8). Messages go from the connection into storage's spool as
// they come; memory does not grow with them. All or nothing: until the last message has come nothing is in the mailbox,
// and a client that leaves in the middle leaves nothing behind.
#include "protocol/imap/commands/append.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "protocol/base/seeded_fault.h"
#include "protocol/imap/responses/state.h"
#include "protocol/line/line_ends.h"
#include "protocol/mime/header_octets.h"
#include "server/imap/changed_name.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/dispatch.h"
#include "server/imap/notify_push.h"
#include "server/imap/updates.h"
#include "server/runtime/task_group.h"

namespace postkeep::imap {

namespace {

constexpr std::size_t messages_max = 1'000;           // of one MULTIAPPEND; each holds a file in the spool
constexpr std::size_t spool_slice_bytes = 64 * 1024;  // handed to storage at once
// Small messages wait for each other, and are then written in one job and wait for the disk together.
constexpr std::size_t together_max = 128;
constexpr std::size_t in_one_job = 32;
constexpr std::size_t together_octets_max = 256 * 1024;
constexpr std::size_t commands_together_max = 64;

// One APPEND command on its way. Where more of them have arrived behind it, for the same mailbox and with one small
// message each, they join it: their messages share what the disk does, and each is answered for itself, in order.
class Append {
 public:
  // `tag`: of the command; in the end of the one that the answer is for, the others have been answered.
  Append(Context& context, std::string& tag) : context_(context), tag_(tag) {}

  // Runs to the end of the command, whatever happens to it.
  Answer run();

 private:
  struct Item {
    storage::AppendItem item;  // without message: it is among those that wait, or `stored` says why there is none
    Outcome stored;
  };
  // A complete command with one message, whose answer is due.
  struct Complete {
    std::string tag;
    std::chrono::steady_clock::time_point began;
  };

  server::Awaitable<void> begin_message();
  server::Awaitable<Outcome> find_target();
  Outcome open_message();
  void begin_octets();
  server::Awaitable<void> take_bytes();
  server::Awaitable<Outcome> write_slice(std::size_t keep_below);
  server::Awaitable<Outcome> end_message();
  server::Awaitable<Outcome> end_streamed();
  server::Awaitable<void> store_waiting();
  server::Awaitable<void> store_some(std::vector<server::Gateway::WholeMessage> messages,
                                     std::span<const std::size_t> places);
  server::Awaitable<bool> join_next();
  server::Awaitable<bool> next_is_there();
  bool may_join(const AppendHead& head) const;
  server::Awaitable<void> answer_complete();
  server::Awaitable<std::vector<Result<storage::AppendResult>>> append_complete();
  server::Awaitable<void> answer_all_but_last(const std::vector<Result<storage::AppendResult>>& appended);
  Result<Completion> completion(const Result<storage::AppendResult>& appended);
  Outcome end_command();
  Outcome own_stored() const;
  std::vector<storage::AppendItem> take_items(std::size_t first, std::size_t last);
  std::uint64_t octets_max() const;
  Outcome find_replaced();
  Answer commit(Outcome ended);
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
  std::string& tag_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::vector<Complete> complete_;  // theirs are the first items
  std::vector<Item> items_;
  std::vector<server::Gateway::WholeMessage> waiting_;  // small ones that came as a whole and are not in the spool yet
  std::vector<std::size_t> waiting_places_;             // theirs among the items
  std::size_t waiting_octets_ = 0;
};

Answer Append::run() {
  Framer& framer = context_.framer;
  for (;;) {
    const Framer::Event event = framer.next();
    // Nobody's answer waits for what a client has yet to send.
    if (event != Framer::Event::streaming && event != Framer::Event::command) co_await answer_complete();
    switch (event) {
      case Framer::Event::need_more:
        co_await context_.read_more();
        break;
      case Framer::Event::literal_due:
        co_await begin_message();
        break;
      case Framer::Event::streaming:
        co_await take_bytes();
        break;
      case Framer::Event::command: {
        Outcome ended = end_command();
        bool joined = false;
        if (ended) joined = co_await join_next();
        if (joined) break;
        co_return co_await commit(std::move(ended));
      }
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
  if (ready) ready = open_message();
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

Outcome Append::open_message() {
  const LiteralAnnouncement& literal = context_.framer.literal();
  const std::uint64_t limit = context_.settings().limits.message_size;
  if (literal.size > limit) return failure(ErrorKind::too_big, "The message is too large");
  if (literal.size == 0) return failure(ErrorKind::cannot, "A message cannot be empty");
  if (items_.size() >= messages_max) return failure(ErrorKind::limit, "Too many messages in one command");
  begin_octets();
  return {};
}

// Of the literal that is due.
void Append::begin_octets() {
  converter_.reset();
  if (context_.framer.literal().kind == LiteralKind::literal) converter_.emplace();
  has_nul_ = false;
  header_.reset();
  if (refuses_eight_bit_headers()) header_.emplace();
  slice_.clear();
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
  item.message = std::exchange(incoming_, nullptr);
  if (!seeded(Fault::append_without_flags)) item.flags = message_.flags;
  if (!seeded(Fault::append_without_date)) item.internal_date = message_.internal_date;
  if (!item.message) {
    waiting_octets_ += slice_.size();
    using server::Gateway;
    const auto parts = has_nul_ ? Gateway::BinaryParts::encode : Gateway::BinaryParts::keep;
    waiting_places_.push_back(items_.size());
    waiting_.push_back(Gateway::WholeMessage{std::exchange(slice_, std::string()), parts, item.internal_date});
  }
  items_.push_back(Item{std::move(item), {}});
  if (waiting_.size() < together_max && waiting_octets_ < together_octets_max) co_return Outcome();
  co_await store_waiting();
  co_return own_stored();
}

server::Awaitable<Outcome> Append::end_streamed() {
  if (has_nul_) {
    Outcome encoded = co_await context_.gateway().encode_binary_parts(incoming_);
    if (!encoded) co_return encoded;
  }
  if (message_.internal_date) incoming_->set_internal_date(*message_.internal_date);
  co_return co_await context_.gateway().finish(incoming_);
}

server::Awaitable<void> Append::store_waiting() {
  waiting_octets_ = 0;
  std::vector<server::Gateway::WholeMessage> messages;
  messages.swap(waiting_);
  std::vector<std::size_t> places;
  places.swap(waiting_places_);
  server::TaskGroup group(context_.connection.executor());
  for (std::size_t first = 0; first < messages.size(); first += in_one_job) {
    const std::size_t last = std::min(first + in_one_job, messages.size());
    group.spawn(store_some({std::make_move_iterator(messages.begin() + static_cast<std::ptrdiff_t>(first)),
                            std::make_move_iterator(messages.begin() + static_cast<std::ptrdiff_t>(last))},
                           std::span(places).subspan(first, last - first)));
  }
  co_await group.join();
}

server::Awaitable<void> Append::store_some(std::vector<server::Gateway::WholeMessage> messages,
                                           std::span<const std::size_t> places) {
  auto taken = co_await context_.gateway().take_incoming(octets_max(), std::move(messages));
  for (std::size_t i = 0; i < places.size(); ++i) {
    Item& item = items_[places[i]];
    if (taken[i]) item.item.message = std::move(*taken[i]);
    if (!taken[i]) item.stored = tl::unexpected<Error>(std::move(taken[i]).error());
  }
}

// Of the command that is under way: the first error is the one to tell.
Outcome Append::own_stored() const {
  for (std::size_t i = complete_.size(); i < items_.size(); ++i) {
    if (!items_[i].stored) return items_[i].stored;
  }
  return {};
}

// What stands behind the last literal of a command must be its end.
Outcome Append::end_command() {
  const FramedCommand rest = context_.framer.take_command();
  Cursor cursor(rest, context_.quoted_octets());
  return parse_append_end(cursor, message_);
}

std::vector<storage::AppendItem> Append::take_items(std::size_t first, std::size_t last) {
  std::vector<storage::AppendItem> taken;
  for (std::size_t i = first; i < last; ++i) taken.push_back(std::move(items_[i].item));
  return taken;
}

// The command is complete, unless its end was not as it should be.
Answer Append::commit(Outcome ended) {
  if (ended && !complete_.empty()) {
    // It is one of several: the answers of all but this one are written here.
    complete_.push_back(Complete{tag_, began_});
    auto appended = co_await append_complete();
    co_await answer_all_but_last(appended);
    co_return completion(appended.back());
  }
  co_await answer_complete();
  if (!ended) co_return tl::unexpected<Error>(std::move(ended).error());
  co_await store_waiting();
  CO_TRY(own_stored());
  if (replaced_set_) co_return co_await commit_replacement();
  auto outcome = co_await context_.gateway().append(context_.account, target_, take_items(0, items_.size()));
  if (outcome) note_own_added(context_, target_, outcome->uids);
  co_return completion(outcome);
}

Result<Completion> Append::completion(const Result<storage::AppendResult>& appended) {
  if (!appended && appended.error().kind == ErrorKind::not_found) {
    return Completion(Condition::no, ResponseCode::try_create(), "No such mailbox");
  }
  if (!appended) return tl::unexpected<Error>(appended.error());
  tell_changed_name(context_, *target_name_, *mailbox_);
  return Completion(ResponseCode::append_uid(appended->uid_validity, appended->uids), "Message appended");
}

// The next command, when it has arrived up to the end of its literal and can be done together with this one: then that
// is under way now, and this one is complete. Otherwise the framer stands where it stood.
server::Awaitable<bool> Append::join_next() {
  const bool can_be_joined = !replaced_set_ && items_.size() == complete_.size() + 1;
  if (!can_be_joined || complete_.size() + 1 >= commands_together_max) co_return false;
  const bool there = co_await next_is_there();
  if (!there) co_return false;
  Cursor cursor(context_.framer.partial(), context_.quoted_octets());
  auto head = parse_append_head(cursor);
  Cursor beginning(context_.framer.partial());
  auto command = parse_command_head(beginning);
  if (!command || !head || !*head || !may_join(**head)) co_return false;
  complete_.push_back(Complete{std::exchange(tag_, std::move(command->tag)), began_});
  began_ = std::chrono::steady_clock::now();
  message_ = std::move((*head)->first);
  begin_octets();
  context_.framer.stream_literal();
  co_return true;
}

// Reads on only while that needs no waiting.
server::Awaitable<bool> Append::next_is_there() {
  constexpr std::uint64_t line_end_octets = 2;
  Framer& framer = context_.framer;
  Framer::Event event = framer.next();
  while (event == Framer::Event::need_more && context_.connection.unread_plaintext()) {
    co_await context_.read_more();
    event = framer.next();
  }
  if (event != Framer::Event::literal_due || !is_append(framer.partial()) || objection_to_literal(context_)) {
    co_return false;
  }
  const LiteralAnnouncement& literal = framer.literal();
  if (literal.synchronising || literal.size == 0 || literal.size > spool_slice_bytes) co_return false;
  while (framer.buffered() < literal.size + line_end_octets && context_.connection.unread_plaintext()) {
    co_await context_.read_more();
  }
  co_return framer.buffered() >= literal.size + line_end_octets;
}

bool Append::may_join(const AppendHead& head) const {
  return !head.replaced && head.mailbox == *mailbox_ && head.first.utf8 == Utf8Literal::no &&
         context_.framer.literal().size <= context_.settings().limits.message_size;
}

// Those that are complete, before anything that could make them wait.
server::Awaitable<void> Append::answer_complete() {
  if (complete_.empty()) co_return;
  auto appended = co_await append_complete();
  Complete last = std::move(complete_.back());
  co_await answer_all_but_last(appended);
  Result<Completion> result = completion(appended.back());
  co_await finish_append(context_, std::move(last.tag), std::move(result), last.began);
}

// One result for each command that is complete. All at once; where that fails, because one of them does not fit, each
// for itself.
server::Awaitable<std::vector<Result<storage::AppendResult>>> Append::append_complete() {
  co_await store_waiting();
  const std::size_t count = complete_.size();
  std::vector<storage::AppendItem> all;
  for (std::size_t i = 0; i < count; ++i) {
    if (items_[i].stored) all.push_back(items_[i].item);
  }
  std::vector<Result<storage::AppendResult>> results;
  if (all.size() == count) {
    auto together = co_await context_.gateway().append(context_.account, target_, std::move(all));
    if (together) {
      note_own_added(context_, target_, together->uids);
      together->uids.for_each([&](Uid uid) {
        results.emplace_back(storage::AppendResult{together->uid_validity, UidSet{uid}});
      });
    }
  }
  for (std::size_t i = results.size(); i < count; ++i) {
    if (!items_[i].stored) {
      results.emplace_back(tl::unexpect, items_[i].stored.error());
      continue;
    }
    auto alone = co_await context_.gateway().append(context_.account, target_, take_items(i, i + 1));
    if (alone) note_own_added(context_, target_, alone->uids);
    results.push_back(std::move(alone));
  }
  items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(count));
  co_return results;
}

server::Awaitable<void> Append::answer_all_but_last(const std::vector<Result<storage::AppendResult>>& appended) {
  std::vector<Complete> answered;
  answered.swap(complete_);
  for (std::size_t i = 0; i + 1 < answered.size(); ++i) {
    Result<Completion> result = completion(appended[i]);
    co_await finish_append(context_, std::move(answered[i].tag), std::move(result), answered[i].began);
  }
}

// APPENDUID goes before EXPUNGE, so that the client can follow (RFC 8508 §4.3).
Answer Append::commit_replacement() {
  const MailboxId from = context_.selected->mailbox.id;
  auto outcome =
      co_await context_.gateway().replace(context_.account, from, replaced_, target_, std::move(items_.front().item));
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
  if (seeded(Fault::append_in_part) && !items_.empty()) {
    co_await store_waiting();
    if (own_stored()) (void)co_await context_.gateway().append(context_.account, target_, take_items(0, items_.size()));
  }
  if (seeded(Fault::append_no_try_create)) try_create_ = false;
  if (try_create_) co_return Completion(Condition::no, ResponseCode::try_create(), "No such mailbox");
  co_return tl::unexpected<Error>(std::move(refusal.error));
}

}  // namespace

Answer stream_append(Context& context, std::string& tag) {
  Append append(context, tag);
  co_return co_await append.run();
}

Answer run_append_without_literal(Context&, Cursor&) {
  co_return failure(ErrorKind::bad_syntax, "A message as a literal is needed");
}

}  // namespace postkeep::imap
