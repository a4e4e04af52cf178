// FETCH and UID FETCH. RFC 9051 §6.4.5, §6.4.9, RFC 7162 §3.1.4, §3.2.6. Messages go in batches, each a fixed amount of
// memory: rows from the index, message files only where an item needs them, bodies in slices of one literal whose size
// was announced. The view is frozen from the first message to the last; \Seen is set once for all, afterwards.
#include "server/imap/commands/fetch.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "protocol/base/seeded_fault.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/condstore.h"
#include "server/imap/fetch_items.h"
#include "server/imap/mailbox_flags.h"
#include "server/imap/notify_push.h"

namespace postkeep::imap {

namespace {

constexpr std::uint64_t row_batch = 500;        // messages a storage job reads rows of
constexpr std::uint64_t header_batch = 100;     // likewise, where a header may be too large to be cached
constexpr std::uint64_t message_batch = 32;     // message files open at once
constexpr std::uint64_t batch_bytes = 1 << 20;  // of sections read ahead

// A message whose file is open. No reader: it is gone, or cannot be read, as `error` says.
struct OpenMessage {
  Uid uid;
  std::shared_ptr<storage::MessageReader> reader;
  std::optional<Error> error;
  std::vector<SectionContent> contents;
  bool loaded = false;
};

class OpenMessagesJob {
 public:
  OpenMessagesJob(MailboxId mailbox, std::vector<Uid> uids) : mailbox_(mailbox), uids_(std::move(uids)) {}

  Result<std::vector<OpenMessage>> operator()(storage::AccountStore& store) const {
    std::vector<OpenMessage> opened;
    for (const Uid uid : uids_) {
      OpenMessage message;
      message.uid = uid;
      Result<std::unique_ptr<storage::MessageReader>> reader = store.open_message(mailbox_, uid);
      if (reader) {
        message.reader = std::move(*reader);
      } else if (reader.error().kind != ErrorKind::expunge_issued) {
        message.error = std::move(reader).error();
      }
      opened.push_back(std::move(message));
    }
    return opened;
  }

 private:
  MailboxId mailbox_;
  std::vector<Uid> uids_;
};

// Reads sections of the messages from `first` on, until there is enough to send. The caller waits for it, so
// that it may work on the caller's own vector.
class LoadJob {
 public:
  LoadJob(std::vector<OpenMessage>& messages, std::size_t first, const std::vector<FetchItem>& items)
      : messages_(messages), first_(first), items_(items) {}

  Result<bool> operator()() const {
    std::uint64_t bytes = 0;
    for (std::size_t i = first_; i < messages_.size() && bytes < batch_bytes; ++i) {
      OpenMessage& message = messages_[i];
      message.loaded = true;
      if (!message.reader) continue;
      Result<std::vector<SectionContent>> contents = load_sections(*message.reader, items_);
      if (!contents) {
        message.reader.reset();
        message.error = std::move(contents).error();
        continue;
      }
      message.contents = std::move(*contents);
      for (const SectionContent& content : message.contents) bytes += content.bytes.size();
    }
    return true;
  }

 private:
  std::vector<OpenMessage>& messages_;
  std::size_t first_;
  const std::vector<FetchItem>& items_;
};

// A literal was announced and cannot be filled: nothing but the end of the connection is left to say.
[[noreturn]] void cut(Context& context, const Error& error) {
  context.log.error("fetch_cut", {{"error", error.text}, {"detail", error.detail}});
  context.connection.abort();
  throw server::ConnectionEnded(server::Ending::aborted, "a message could not be read to its end");
}

// NUL cannot stand in a literal; BODY[] shows it as 0x80 (docs/on-disk-format.md, line ends). From `begin` on.
void replace_nuls(std::string& bytes, std::size_t begin) {
  if (seeded(Fault::nul_in_literal)) return;
  char* at = bytes.data() + begin;
  char* const end = bytes.data() + bytes.size();
  while (at < end && (at = static_cast<char*>(std::memchr(at, '\0', static_cast<std::size_t>(end - at)))) != nullptr) {
    *at++ = '\x80';
  }
}

class Fetch {
 public:
  Fetch(Context& context, FetchPlan plan) : context_(context), plan_(std::move(plan)) {}

  server::Awaitable<Outcome> run(UidSet uids);
  bool some_gone() const { return some_gone_; }
  const std::optional<Error>& unreadable() const { return unreadable_; }
  bool unknown_cte() const { return unknown_cte_; }

 private:
  server::Awaitable<Outcome> run_batch(UidSet uids);
  server::Awaitable<Outcome> write_messages(UidSet uids, std::vector<storage::MessageRow> rows);
  server::Awaitable<Outcome> load_rows(const UidSet& uids, std::vector<storage::MessageRow>& rows);
  std::vector<Uid> to_open(const UidSet& uids, const std::vector<storage::MessageRow>& rows) const;
  void note_missing(const std::optional<Error>& error) {
    if (!error) some_gone_ = true;
    if (error && !unreadable_) unreadable_ = error;
  }
  // Its file and its contents are not held until the end of the batch.
  static void release(OpenMessage& message) {
    message.reader.reset();
    message.contents = std::vector<SectionContent>();
  }
  // A message that is being written, and how far it is.
  struct FetchedMessage {
    storage::MessageState state;
    const storage::MessageRow* row = nullptr;
    OpenMessage* opened = nullptr;  // null: its row has everything
  };
  struct Progress {
    FetchedMessage message;
    std::size_t item = 0;
    std::size_t section = 0;
    bool announced = false;  // the literal of this section, whose octets must be streamed
  };
  enum class NulOctets { replaced, kept };
  // Ordinary functions where nothing waits: there are thousands of messages.
  bool write_ready_items(FetchResponse& response, Progress& progress);
  bool write_ready_section(FetchResponse& response, const FetchItem& item, const SectionContent& content);
  void write_cached_section(FetchResponse& response, const FetchItem& item, const storage::MessageRow& row);
  void append_literal(std::string_view bytes, NulOctets nuls);
  server::Awaitable<void> write_streamed(FetchResponse& response, Progress& progress);
  // `binary`: NULs go as they are.
  server::Awaitable<void> stream(std::shared_ptr<storage::MessageReader> reader, mime::ByteRange range, bool binary);
  server::Awaitable<void> stream_decoded(std::shared_ptr<storage::MessageReader> reader, SectionContent content);

  Context& context_;
  const FetchPlan plan_;
  storage::MailboxVersionPtr view_;
  bool some_gone_ = false;
  std::optional<Error> unreadable_;  // the first
  bool unknown_cte_ = false;
};

server::Awaitable<Outcome> Fetch::run(UidSet uids) {
  std::uint64_t batch_size = plan_.wants.headers ? header_batch : row_batch;
  if (plan_.needs_messages) batch_size = message_batch;
  while (!uids.empty()) {
    UidSet batch = first_of(uids, batch_size);
    uids = uids.subtract(batch);
    Outcome done = co_await run_batch(std::move(batch));
    if (!done) co_return done;
  }
  co_return Outcome();
}

server::Awaitable<Outcome> Fetch::load_rows(const UidSet& uids, std::vector<storage::MessageRow>& rows) {
  if (!plan_.needs_rows) co_return Outcome();
  auto fetched = co_await context_.gateway().fetch(context_.account, context_.selected->mailbox.id, uids, plan_.wants);
  if (!fetched) co_return tl::unexpected<Error>(std::move(fetched).error());
  rows = std::move(*fetched);
  co_return Outcome();
}

// Files are opened for sections that no row answers, also where a header was too large to be cached.
std::vector<Uid> Fetch::to_open(const UidSet& uids, const std::vector<storage::MessageRow>& rows) const {
  if (plan_.needs_messages) return uids.to_vector();
  std::vector<Uid> wanted;
  if (!plan_.wants.headers) return wanted;
  for (const storage::MessageRow& row : rows) {
    if (!row.cached_headers) wanted.push_back(row.uid);
  }
  return wanted;
}

server::Awaitable<Outcome> Fetch::run_batch(UidSet uids) {
  std::vector<storage::MessageRow> rows;
  Outcome loaded = co_await load_rows(uids, rows);
  if (!loaded) co_return loaded;
  co_return co_await write_messages(std::move(uids), std::move(rows));
}

server::Awaitable<Outcome> Fetch::write_messages(UidSet uids, std::vector<storage::MessageRow> rows) {
  std::vector<OpenMessage> opened;
  std::vector<Uid> wanted = to_open(uids, rows);
  if (!wanted.empty()) {
    OpenMessagesJob job(context_.selected->mailbox.id, std::move(wanted));
    auto outcome = co_await context_.gateway().run(context_.account, std::move(job));
    if (!outcome) co_return tl::unexpected<Error>(std::move(outcome).error());
    opened = std::move(*outcome);
  }
  std::vector<std::pair<SeqNum, storage::MessageState>> messages;
  context_.selected->view.messages().for_each_in(
      uids, [&](SeqNum number, const storage::MessageState& state) { messages.emplace_back(number, state); });
  view_ = context_.selected->view.version();
  const storage::MessageRow no_row;
  auto row = rows.begin();
  std::size_t open = 0;
  for (const auto& [number, state] : messages) {
    while (row != rows.end() && row->uid < state.uid) ++row;
    while (open < opened.size() && opened[open].uid < state.uid) ++open;
    const bool has_row = row != rows.end() && row->uid == state.uid;
    const bool is_open = open < opened.size() && opened[open].uid == state.uid;
    if (is_open && !opened[open].loaded) {
      LoadJob job(opened, open, plan_.items);
      auto outcome = co_await context_.gateway().run_beside(std::move(job));
      if (!outcome) co_return tl::unexpected<Error>(std::move(outcome).error());
    }
    const bool gone = context_.selected->view.ghosts().contains(state.uid) || (plan_.needs_rows && !has_row);
    if (gone || (is_open && !opened[open].reader)) {
      note_missing(is_open ? opened[open].error : std::nullopt);
      continue;
    }
    Progress progress;
    progress.message.state = state;
    progress.message.row = has_row ? &*row : &no_row;
    progress.message.opened = is_open ? &opened[open] : nullptr;
    Writer out = context_.out();
    FetchResponse response(out, number);
    if (!write_ready_items(response, progress)) co_await write_streamed(response, progress);
    response.finish();
    if (is_open) release(opened[open]);
    if (context_.connection.output().size() >= server::Connection::output_bytes_high) {
      co_await context_.connection.flush();
    }
  }
  co_return Outcome();
}

// False where something must wait first: for room in the output, or for octets of an announced section.
bool Fetch::write_ready_items(FetchResponse& response, Progress& progress) {
  const FetchedMessage& message = progress.message;
  progress.announced = false;
  for (; progress.item < plan_.items.size(); ++progress.item) {
    const FetchItem& item = plan_.items[progress.item];
    if (!is_section(item)) {
      write_simple_item(response, item, message.state, view_->flags_of(message.state),
                        recent_flag(context_, message.state.uid), *message.row);
      continue;
    }
    if (context_.connection.output().size() >= server::Connection::output_bytes_high) return false;
    if (message.opened == nullptr) {
      write_cached_section(response, item, *message.row);
      continue;
    }
    progress.announced = !write_ready_section(response, item, message.opened->contents[progress.section]);
    if (progress.announced) return false;
    ++progress.section;
  }
  return true;
}

void Fetch::write_cached_section(FetchResponse& response, const FetchItem& item, const storage::MessageRow& row) {
  const std::string bytes = from_cached_headers(item, row.cached_headers ? *row.cached_headers : std::string_view());
  response.section_literal(item, bytes.size(), LiteralKind::literal);
  append_literal(bytes, NulOctets::replaced);
}

void Fetch::append_literal(std::string_view bytes, NulOctets nuls) {
  std::string& output = context_.connection.output();
  const std::size_t begin = output.size();
  output += bytes;
  if (nuls == NulOctets::replaced) replace_nuls(output, begin);
}

// False where the octets must be streamed; their literal is announced.
bool Fetch::write_ready_section(FetchResponse& response, const FetchItem& item, const SectionContent& content) {
  const bool binary = item.kind == FetchItem::Kind::binary_section;
  const bool has_nul = binary && (content.has_nul || seeded(Fault::always_literal8));
  const LiteralKind form = has_nul ? LiteralKind::literal8 : LiteralKind::literal;
  switch (content.kind) {
    case SectionContent::Kind::absent:
      response.section_nil(item);
      return true;
    case SectionContent::Kind::number:
      response.binary_size(item, content.size);
      return true;
    case SectionContent::Kind::unknown_cte:
      unknown_cte_ = !seeded(Fault::unknown_cte_is_nil);
      response.section_nil(item);
      return true;
    case SectionContent::Kind::bytes:
      if (is_preview(item)) {
        response.preview(content.bytes);
        return true;
      }
      // Always a literal: clients split answers at literals, and Python's imaplib understands no other.
      response.section_literal(item, content.bytes.size(), form);
      append_literal(content.bytes, binary ? NulOctets::kept : NulOctets::replaced);
      return true;
    case SectionContent::Kind::range:
    case SectionContent::Kind::decoded:
      break;
  }
  response.section_literal(item, content.size, form);
  return false;
}

// The rest of a message, from where write_ready_items() stopped.
server::Awaitable<void> Fetch::write_streamed(FetchResponse& response, Progress& progress) {
  do {
    if (!progress.announced) {
      co_await context_.flush_if_large();
      continue;
    }
    SectionContent content = std::move(progress.message.opened->contents[progress.section++]);
    const bool binary = plan_.items[progress.item++].kind == FetchItem::Kind::binary_section;
    if (content.kind == SectionContent::Kind::decoded) {
      co_await stream_decoded(progress.message.opened->reader, std::move(content));
    } else {
      co_await stream(progress.message.opened->reader, content.range, binary);
    }
  } while (!write_ready_items(response, progress));
}

server::Awaitable<void> Fetch::stream(std::shared_ptr<storage::MessageReader> reader, mime::ByteRange range,
                                      bool binary) {
  while (range.begin < range.end) {
    const std::size_t count = std::min<std::uint64_t>(range.end - range.begin, message_slice_bytes);
    auto slice = co_await context_.gateway().read(reader, range.begin, count);
    if (!slice) cut(context_, slice.error());
    if (slice->size() != count) cut(context_, Error(ErrorKind::corruption, "message file shorter than its size"));
    range.begin += count;
    if (!binary) replace_nuls(*slice, 0);
    co_await context_.connection.write(*slice);
  }
}

// The second pass over a large encoded part: the first one has counted.
server::Awaitable<void> Fetch::stream_decoded(std::shared_ptr<storage::MessageReader> reader, SectionContent content) {
  PartDecoder decoder(content.encoding, content.is_text);
  std::uint64_t skip = content.offset;
  std::uint64_t left = content.size;
  mime::ByteRange range = content.range;
  while (left > 0) {
    const std::size_t count = std::min<std::uint64_t>(range.end - range.begin, message_slice_bytes);
    std::string decoded;
    if (count > 0) {
      auto slice = co_await context_.gateway().read(reader, range.begin, count);
      if (!slice) cut(context_, slice.error());
      range.begin += count;
      decoder.feed(*slice, decoded);
    } else {
      decoder.finish(decoded);
      if (decoded.size() < skip + left) cut(context_, Error(ErrorKind::corruption, "the message changed while read"));
    }
    const std::uint64_t skipped = std::min<std::uint64_t>(skip, decoded.size());
    skip -= skipped;
    const std::string part = decoded.substr(skipped, left);
    left -= part.size();
    co_await context_.connection.write(part);
  }
}

// The UIDs that are to be marked \Seen: those that are not yet, or any where another session may have taken it away
// since the view was brought up to date.
UidSet unseen_of(const Context& context, const UidSet& uids) {
  const bool is_behind = context.notify && !context.notify->registration->selected.messages;
  if (context.selected->watch->marked() || is_behind) return uids;
  UidSet unseen;
  const storage::MailboxVersion& messages = context.selected->view.messages();
  messages.for_each_in(uids, [&](SeqNum, const storage::MessageState& state) {
    if (!messages.flags_of(state).has(SystemFlag::seen)) unseen.add(state.uid);
  });
  return unseen;
}

server::Awaitable<Outcome> mark_seen(Context& context, UidSet uids) {
  note_own_seen(context, uids);
  Flags seen;
  seen.set(SystemFlag::seen);
  while (!uids.empty()) {
    UidSet batch = first_of(uids, row_batch);
    uids = uids.subtract(batch);
    auto stored = co_await context.gateway().store_flags(context.account, context.selected->mailbox.id,
                                                         std::move(batch), FlagChange::add, seen);
    if (!stored) co_return tl::unexpected<Error>(std::move(stored).error());
  }
  co_return Outcome();
}

// RFC 7162 §3.2.6, RFC 9394 §3.3. Errors: bad_syntax.
Outcome check_modifiers(const Context& context, const FetchArgs& arguments) {
  if (arguments.partial && context.uid_form != UidForm::yes) {
    return failure(ErrorKind::bad_syntax, "PARTIAL is for UID FETCH");
  }
  if (!arguments.vanished) return {};
  if (context.uid_form != UidForm::yes) return failure(ErrorKind::bad_syntax, "VANISHED is for UID FETCH");
  if (!arguments.changed_since) return failure(ErrorKind::bad_syntax, "VANISHED needs CHANGEDSINCE");
  if (!context.enabled.qresync) return failure(ErrorKind::bad_syntax, "VANISHED needs ENABLE QRESYNC");
  return {};
}

bool asks_for_modseq(const std::vector<FetchItem>& items) {
  return std::any_of(items.begin(), items.end(),
                     [](const FetchItem& item) { return item.kind == FetchItem::Kind::modseq; });
}

void ask_for_modseq(std::vector<FetchItem>& items) {
  if (asks_for_modseq(items)) return;
  FetchItem modseq;
  modseq.kind = FetchItem::Kind::modseq;
  items.push_back(modseq);
}

// CHANGEDSINCE implies MODSEQ (RFC 7162 §3.1.4.1); either enables CONDSTORE.
void accept_modseq(Context& context, FetchArgs& arguments) {
  if (!arguments.changed_since && !asks_for_modseq(arguments.items)) return;
  enable_condstore(context);
  ask_for_modseq(arguments.items);
}

// Those of the set that were expunged since, and that this session does not show any more. "*" includes UIDs that were
// given out and are gone.
server::Awaitable<Outcome> tell_vanished(Context& context, SequenceSet set, ModSeq since) {
  auto gone = co_await context.gateway().expunged_since(context.account, context.selected->mailbox.id, since);
  if (!gone) co_return tl::unexpected<Error>(std::move(gone).error());
  const storage::MailboxVersion& messages = context.selected->view.messages();
  const UidSet known =
      set.saved_result ? context.selected->saved_result : set.resolve(messages.facts().uid_next.value() - 1);
  UidSet told = gone->intersect(known).subtract(messages.all_uids());
  co_await write_vanished_lines(context, std::move(told), Earlier::yes);
  co_return Outcome();
}

}  // namespace

server::Awaitable<void> fetch_new_messages(Context& context, std::vector<FetchItem> items, UidSet uids) {
  // A response that no command asked for has MODSEQ once the client knows mod-sequences (RFC 7162 §3.1).
  if (context.enabled.condstore) ask_for_modseq(items);
  auto plan = plan_fetch(std::move(items), UidForm::yes);
  if (!plan) co_return;  // NOTIFY has asked the same before
  const bool sets_seen = plan->sets_seen && context.selected->access == Access::read_write;
  const auto fetch = std::make_unique<Fetch>(context, std::move(*plan));
  Outcome done = co_await fetch->run(uids);
  if (done && sets_seen) done = co_await mark_seen(context, unseen_of(context, uids));
  if (!done) context.log.warn("notices_failed", {{"error", done.error().text}, {"detail", done.error().detail}});
}

Answer run_fetch(Context& context, FetchArgs arguments) {
  CO_TRY(check_modifiers(context, arguments));
  accept_modseq(context, arguments);
  FetchPlan plan = CO_TRY(plan_fetch(std::move(arguments.items), context.uid_form));
  UidSet uids = CO_TRY(context.resolve(arguments.set));
  if (arguments.partial) uids = arguments.partial->of(uids);
  if (arguments.changed_since) {
    const ModSeq since(*arguments.changed_since);
    if (arguments.vanished) {
      const Outcome told = co_await tell_vanished(context, std::move(arguments.set), since);
      if (!told) co_return tl::unexpected<Error>(told.error());
    }
    uids = uids.intersect(context.selected->view.messages().changed_since(since));
  }
  const bool sets_seen =
      plan.sets_seen && !seeded(Fault::seen_not_set) && context.selected->access == Access::read_write;
  const auto fetch = std::make_unique<Fetch>(context, std::move(plan));
  const Outcome done = co_await fetch->run(uids);
  if (!done) co_return tl::unexpected<Error>(done.error());
  if (sets_seen) {
    const Outcome marked = co_await mark_seen(context, unseen_of(context, uids));
    if (!marked) co_return tl::unexpected<Error>(marked.error());
  }
  if (fetch->unreadable()) co_return tl::unexpected<Error>(*fetch->unreadable());
  if (fetch->unknown_cte()) co_return failure(ErrorKind::unknown_cte, "A part has an unknown transfer encoding");
  // The data of all others was sent (RFC 5530 §3).
  if (fetch->some_gone()) {
    std::optional<ResponseCode> code = ResponseCode::of(ErrorKind::expunge_issued);
    co_return Completion(Condition::ok, std::move(code), "Fetched, but some messages are gone");
  }
  co_return Completion("Fetched");
}

}  // namespace postkeep::imap
