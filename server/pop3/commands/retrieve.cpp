// RETR and TOP. RFC 1939 §5, §7. A message goes out in slices, so that neither its size nor a slow reader costs memory.
#include <algorithm>
#include <optional>

#include "protocol/base/seeded_fault.h"
#include "protocol/line/dot_stuffing.h"
#include "protocol/mime/header_octets.h"
#include "protocol/pop3/reply.h"
#include "protocol/pop3/top.h"
#include "server/pop3/commands/handlers.h"

namespace postkeep::pop3 {

namespace {

constexpr std::uint64_t slice_octets = 128 * 1024;  // read at once
constexpr std::uint64_t seen_batch = 100;           // messages that are marked \Seen together, by one commit

using ReaderPtr = std::shared_ptr<storage::MessageReader>;

server::Awaitable<Result<ReaderPtr>> open_message(Context& context, Uid uid) {
  auto reader = co_await context.gateway().open_message(context.account, context.maildrop->mailbox(), uid);
  if (!reader && reader.error().kind == ErrorKind::expunge_issued) {
    co_return failure(ErrorKind::not_found, "The message was deleted by another session");
  }
  co_return reader;
}

// The answer has begun and cannot be finished: the end of the connection is all that is left to say.
[[noreturn]] void cut(Context& context, const Error& error) {
  context.log.error("retrieve_cut", {{"error", error.text}, {"detail", error.detail}});
  context.connection.abort();
  throw server::ConnectionEnded(server::Ending::aborted, "a message could not be read to its end");
}

// All of it, or as much as `cutter` lets pass.
server::Awaitable<void> send(Context& context, ReaderPtr reader, std::optional<TopCutter> cutter) {
  line::DotStuffer stuffer;
  std::uint64_t offset = 0;
  while (offset < reader->size() && !(cutter && cutter->done())) {
    const std::size_t count = std::min(slice_octets, reader->size() - offset);
    auto slice = co_await context.gateway().read(reader, offset, count);
    if (!slice) cut(context, slice.error());
    if (slice->size() != count) cut(context, Error(ErrorKind::corruption, "message file shorter than its size"));
    offset += count;
    stuffer.feed(cutter ? cutter->feed(*slice) : std::string_view(*slice), context.out());
    co_await context.connection.flush_if_large();
  }
  stuffer.finish(context.out());
}

// Whether the message (as it is sent, or to be read) is not for this client: its header has octets beyond ASCII, UTF8
// was not said, and the configuration holds to RFC 6856 §2.1. Bodies in 8 bits are everybody's.
server::Awaitable<Result<bool>> needs_utf8(Context& context, std::string_view text, ReaderPtr reader) {
  if (context.utf8 || context.settings().pop3.utf8_messages == Utf8Messages::send) co_return false;
  mime::HeaderOctets header;
  header.feed(text);
  for (std::uint64_t offset = 0; reader && offset < reader->size() && !header.is_decided(); offset += slice_octets) {
    auto slice = co_await context.gateway().read(reader, offset, slice_octets);
    if (!slice) co_return tl::unexpected<Error>(std::move(slice).error());
    header.feed(*slice);
  }
  co_return header.has_eight_bit();
}

Completion withheld() { return Completion::refused("UTF8", "The message has a header in UTF-8: say UTF8 first"); }

}  // namespace

Answer run_retr(Context& context, MessageArgs arguments) {
  const Maildrop::Message message = CO_TRY(context.maildrop->find(arguments.number));
  if (!context.read_ahead.is_watching()) {
    context.read_ahead.watch(context.services.hub.subscribe(context.account->user(), context.connection.executor()));
  }
  auto got = co_await context.read_ahead.get(context.gateway(), context.account, *context.maildrop, arguments.number);
  ReadAhead::Found found = CO_TRY(std::move(got));
  auto needs = co_await needs_utf8(context, found.text, found.reader);
  const bool is_withheld = CO_TRY(std::move(needs));
  if (is_withheld) co_return withheld();
  write_ok(context.out(), std::to_string(message.size) + " octets");
  if (found.reader) {
    co_await send(context, std::move(found.reader), std::nullopt);
  } else {
    context.out().append(found.text);
  }
  context.note_retrieved(message.uid);
  if (context.seen.size() >= seen_batch) co_await context.store_seen();
  co_return Completion::sent();
}

Answer run_top(Context& context, TopArgs arguments) {
  const Maildrop::Message message = CO_TRY(context.maildrop->find(arguments.number));
  auto opened = co_await open_message(context, message.uid);
  ReaderPtr reader = CO_TRY(std::move(opened));
  auto needs = co_await needs_utf8(context, std::string_view(), reader);
  const bool is_withheld = CO_TRY(std::move(needs));
  if (is_withheld) co_return withheld();
  write_ok(context.out(), "Top of the message follows");
  const TopCutter cutter(arguments.lines + (seeded(Fault::top_counts_empty_line) ? 1 : 0));
  co_await send(context, std::move(reader), cutter);
  co_return Completion::sent();
}

}  // namespace postkeep::pop3
