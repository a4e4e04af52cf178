// FETCH and UID FETCH. RFC 9051 §6.4.5, §6.4.9, RFC 7162 §3.1.4, §3.2.6. The answer is made in pieces (fetch_pieces.h),
// large bodies go in slices of one literal whose size was announced. The view is frozen from the first message to the
// last; \Seen is set once for all, afterwards.
#include "server/imap/commands/fetch.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "protocol/base/seeded_fault.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/condstore.h"
#include "server/imap/fetch_items.h"
#include "server/imap/fetch_pieces.h"
#include "server/imap/fetch_render.h"
#include "server/imap/notify_push.h"

namespace postkeep::imap {

namespace {

constexpr std::uint64_t seen_batch = 500;  // messages that are marked together

// Renders one message that had to be opened on its account.
class RenderOpened {
 public:
  RenderOpened(const FetchRenderer& renderer, const FetchBreak& pause, std::shared_ptr<storage::MessageReader> reader)
      : renderer_(renderer), pause_(pause), reader_(std::move(reader)) {}

  Result<FetchPiece> operator()() const {
    FetchPiece piece;
    renderer_.from_file(*pause_.waiting, pause_.row, reader_, piece);
    return piece;
  }

 private:
  const FetchRenderer& renderer_;
  const FetchBreak& pause_;
  std::shared_ptr<storage::MessageReader> reader_;
};

// A literal was announced and cannot be filled: nothing but the end of the connection is left to say.
[[noreturn]] void cut(Context& context, const Error& error) {
  context.log.error("fetch_cut", {{"error", error.text}, {"detail", error.detail}});
  context.connection.abort();
  throw server::ConnectionEnded(server::Ending::aborted, "a message could not be read to its end");
}

class Fetch {
 public:
  Fetch(Context& context, FetchPlan plan)
      : context_(context),
        renderer_(std::make_shared<const FetchRenderer>(std::move(plan), context.selected->view.version(),
                                                        context.out().utf8())) {}

  server::Awaitable<Outcome> run(UidSet uids);
  const FetchTroubles& troubles() const { return troubles_; }

 private:
  server::Awaitable<void> send(FetchPiece piece);
  server::Awaitable<void> send_break(FetchBreak pause);
  server::Awaitable<void> send_waiting(FetchBreak pause);
  // `binary`: NULs go as they are.
  server::Awaitable<void> stream(std::shared_ptr<storage::MessageReader> reader, mime::ByteRange range, bool binary);
  server::Awaitable<void> stream_decoded(std::shared_ptr<storage::MessageReader> reader, SectionContent content);

  Context& context_;
  const std::shared_ptr<const FetchRenderer> renderer_;
  FetchTroubles troubles_;
};

server::Awaitable<Outcome> Fetch::run(UidSet uids) {
  const auto pieces = std::make_unique<FetchPieces>(context_, renderer_, std::move(uids));
  while (true) {
    auto piece = co_await pieces->next();
    if (!piece) co_return tl::unexpected<Error>(std::move(piece).error());
    if (!*piece) co_return Outcome();
    co_await send(std::move(**piece));
  }
}

server::Awaitable<void> Fetch::send(FetchPiece piece) {
  troubles_.add(piece.troubles);
  const std::string_view text = piece.text;
  std::size_t sent = 0;
  for (FetchBreak& pause : piece.breaks) {
    const std::size_t at = pause.at;
    co_await context_.connection.write_large(text.substr(sent, at - sent));
    sent = at;
    co_await send_break(std::move(pause));
  }
  co_await context_.connection.write_large(text.substr(sent));
}

server::Awaitable<void> Fetch::send_break(FetchBreak pause) {
  if (pause.waiting) {
    co_await send_waiting(std::move(pause));
  } else if (pause.content.kind == SectionContent::Kind::decoded) {
    co_await stream_decoded(std::move(pause.reader), std::move(pause.content));
  } else {
    co_await stream(std::move(pause.reader), pause.content.range, pause.binary);
  }
}

server::Awaitable<void> Fetch::send_waiting(FetchBreak pause) {
  const Uid uid = pause.waiting->state.uid;
  auto opened = co_await context_.gateway().open_message(context_.account, context_.selected->mailbox.id, uid);
  if (!opened) {
    const bool is_gone = opened.error().kind == ErrorKind::expunge_issued;
    troubles_.missing(is_gone ? std::optional<Error>() : std::optional<Error>(std::move(opened).error()));
    co_return;
  }
  RenderOpened job(*renderer_, pause, std::move(*opened));
  auto piece = co_await context_.gateway().run_beside(std::move(job));
  if (piece) co_await send(std::move(*piece));
}

server::Awaitable<void> Fetch::stream(std::shared_ptr<storage::MessageReader> reader, mime::ByteRange range,
                                      bool binary) {
  while (range.begin < range.end) {
    const std::size_t count = std::min<std::uint64_t>(range.end - range.begin, message_slice_bytes);
    auto slice = co_await context_.gateway().read(reader, range.begin, count);
    if (!slice) cut(context_, slice.error());
    if (slice->size() != count) cut(context_, Error(ErrorKind::corruption, "message file shorter than its size"));
    range.begin += count;
    if (!binary) replace_nuls(*slice);
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
    UidSet batch = first_of(uids, seen_batch);
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
  const FetchTroubles& troubles = fetch->troubles();
  if (troubles.unreadable) co_return tl::unexpected<Error>(*troubles.unreadable);
  if (troubles.unknown_cte) co_return failure(ErrorKind::unknown_cte, "A part has an unknown transfer encoding");
  // The data of all others was sent (RFC 5530 §3).
  if (troubles.some_gone) {
    std::optional<ResponseCode> code = ResponseCode::of(ErrorKind::expunge_issued);
    co_return Completion(Condition::ok, std::move(code), "Fetched, but some messages are gone");
  }
  co_return Completion("Fetched");
}

}  // namespace postkeep::imap
