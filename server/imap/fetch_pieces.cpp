// See fetch_pieces.h.
#include "server/imap/fetch_pieces.h"

#include <algorithm>
#include <utility>

#include "server/imap/mailbox_flags.h"

namespace postkeep::imap {

namespace {

constexpr std::uint64_t row_batch = 500;   // messages a job on the account reads rows of
constexpr std::uint64_t file_batch = 200;  // messages whose files are looked up together
constexpr std::size_t parts_max = 2;       // that are read from files beside each other
constexpr std::size_t part_messages_max = 64;
constexpr std::size_t part_octets_min = 64 * 1024;  // a job is not worth it for less

}  // namespace

// Nothing is opened here, on the account.
class FetchPieces::FindSources {
 public:
  FindSources(MailboxId mailbox, UidSet uids, std::shared_ptr<const FetchRenderer> renderer)
      : mailbox_(mailbox), uids_(std::move(uids)), renderer_(std::move(renderer)) {}

  Result<Sources> operator()(storage::AccountStore& store) const {
    Sources sources;
    if (renderer_->plan().needs_rows) sources.rows = TRY(store.fetch(mailbox_, uids_, renderer_->plan().wants));
    sources.files = TRY(store.find_files(mailbox_, uids_));
    return sources;
  }

 private:
  MailboxId mailbox_;
  UidSet uids_;
  std::shared_ptr<const FetchRenderer> renderer_;
};

class FetchPieces::RenderRows {
 public:
  RenderRows(MailboxId mailbox, std::shared_ptr<const FetchRenderer> renderer, std::shared_ptr<const Messages> batch,
             std::size_t first)
      : mailbox_(mailbox), renderer_(std::move(renderer)), batch_(std::move(batch)), first_(first) {}

  Result<Rendered> operator()(storage::AccountStore& store) const {
    UidSet uids;
    for (std::size_t i = first_; i < batch_->size(); ++i) uids.add((*batch_)[i].state.uid);
    Rendered out;
    out.next = first_;
    TRY(store.visit_rows(mailbox_, uids, renderer_->plan().wants, [&](storage::MessageRow& row) {
      while (out.next < batch_->size() && (*batch_)[out.next].state.uid < row.uid) skip(out);
      if (out.next == batch_->size() || (*batch_)[out.next].state.uid != row.uid) return true;
      const FetchedMessage& message = (*batch_)[out.next++];
      if (message.gone) {
        out.piece.troubles.missing(std::nullopt);
      } else {
        renderer_->from_row(message, row, out.piece);
      }
      return !out.piece.is_full();
    }));
    while (out.next < batch_->size() && !out.piece.is_full()) skip(out);
    return out;
  }

 private:
  // A message that has no row any more.
  static void skip(Rendered& out) {
    out.piece.troubles.missing(std::nullopt);
    ++out.next;
  }

  MailboxId mailbox_;
  std::shared_ptr<const FetchRenderer> renderer_;
  std::shared_ptr<const Messages> batch_;
  std::size_t first_;
};

class FetchPieces::RenderFiles {
 public:
  RenderFiles(std::shared_ptr<const FetchRenderer> renderer, std::shared_ptr<const Messages> batch,
              std::shared_ptr<const Sources> sources, std::size_t first, std::size_t end)
      : renderer_(std::move(renderer)),
        batch_(std::move(batch)),
        sources_(std::move(sources)),
        first_(first),
        end_(end) {}

  Result<Rendered> operator()() const {
    Rendered out;
    out.next = first_;
    while (out.next < end_ && !out.piece.is_full()) render((*batch_)[out.next++], out.piece);
    return out;
  }

 private:
  void render(const FetchedMessage& message, FetchPiece& piece) const {
    static const storage::MessageRow no_row;
    const Uid uid = message.state.uid;
    const auto found = std::lower_bound(sources_->rows.begin(), sources_->rows.end(), uid,
                                        [](const storage::MessageRow& a, Uid wanted) { return a.uid < wanted; });
    const bool has_row = found != sources_->rows.end() && found->uid == uid;
    if (message.gone || (renderer_->plan().needs_rows && !has_row)) return piece.troubles.missing(std::nullopt);
    const storage::MessageRow& row = has_row ? *found : no_row;
    Result<std::unique_ptr<storage::MessageReader>> reader = sources_->files->open(uid);
    if (reader) return renderer_->from_file(message, row, std::move(*reader), piece);
    if (reader.error().kind != ErrorKind::not_found) return piece.troubles.missing(reader.error());
    FetchRenderer::wait_for_file(message, row, piece);
  }

  std::shared_ptr<const FetchRenderer> renderer_;
  std::shared_ptr<const Messages> batch_;
  std::shared_ptr<const Sources> sources_;
  std::size_t first_;
  std::size_t end_;
};

FetchPieces::FetchPieces(Context& context, std::shared_ptr<const FetchRenderer> renderer, UidSet uids)
    : context_(context), renderer_(std::move(renderer)), uids_(std::move(uids)), following_(take_batch()) {}

FetchPieces::~FetchPieces() = default;

FetchPieces::Batch FetchPieces::take_batch() {
  Batch batch;
  while (!uids_.empty() && batch.is_done()) {
    UidSet uids = first_of(uids_, renderer_->plan().needs_messages ? file_batch : row_batch);
    uids_ = uids_.subtract(uids);
    batch.messages = messages_of(uids);
    if (batch.is_done() || !renderer_->plan().needs_messages) continue;
    FindSources find(context_.selected->mailbox.id, std::move(uids), renderer_);
    batch.finding = context_.gateway().start(context_.connection.executor(), context_.account, std::move(find));
  }
  return batch;
}

std::shared_ptr<const FetchPieces::Messages> FetchPieces::messages_of(const UidSet& uids) const {
  auto messages = std::make_shared<Messages>();
  const MailboxView& view = context_.selected->view;
  view.messages().for_each_in(uids, [&](SeqNum number, const storage::MessageState& state) {
    FetchedMessage message;
    message.number = number;
    message.state = state;
    message.recent = recent_flag(context_, state.uid);
    message.gone = !view.ghosts().empty() && view.ghosts().contains(state.uid);
    messages->push_back(message);
  });
  return messages;
}

FetchPieces::Part FetchPieces::start(std::shared_ptr<const Messages> messages, std::shared_ptr<const Sources> sources,
                                     std::size_t first, std::size_t end) {
  const asio::any_io_executor here = context_.connection.executor();
  if (!sources) {
    RenderRows job(context_.selected->mailbox.id, renderer_, messages, first);
    return {std::move(messages), nullptr, end, context_.gateway().start(here, context_.account, std::move(job))};
  }
  RenderFiles job(renderer_, messages, sources, first, end);
  return {std::move(messages), std::move(sources), end, context_.gateway().start_beside(here, std::move(job))};
}

// False: every message is in some part.
server::Awaitable<Result<bool>> FetchPieces::start_next() {
  if (batch_.is_done()) {
    batch_ = std::move(following_);
    following_ = take_batch();
  }
  if (batch_.is_done()) co_return false;
  if (batch_.finding && !batch_.sources) {
    auto found = co_await batch_.finding->get();
    if (!found) co_return tl::unexpected<Error>(std::move(found).error());
    batch_.sources = std::make_shared<const Sources>(std::move(*found));
  }
  const std::size_t first = batch_.next;
  const std::size_t left = batch_.messages->size() - first;
  batch_.next += batch_.sources ? std::min(left, messages_at_once_) : left;
  parts_.push_back(start(batch_.messages, batch_.sources, first, batch_.next));
  co_return true;
}

// The account's rows are read by one job at a time, files by several.
server::Awaitable<void> FetchPieces::keep_busy() {
  const std::size_t wanted = renderer_->plan().needs_messages ? parts_max : 1;
  while (parts_.size() < wanted && !failed_) {
    const Result<bool> started = co_await start_next();
    if (!started) failed_ = started.error();
    if (!started || !*started) break;
  }
}

// How many of these messages make a piece.
void FetchPieces::learn_size(std::size_t octets, bool whole) {
  if (!whole) {
    messages_at_once_ = std::max<std::size_t>(messages_at_once_ / 2, 1);
  } else if (octets < part_octets_min) {
    messages_at_once_ = std::min(messages_at_once_ * 2, part_messages_max);
  }
}

// What the view has costs no job.
FetchPiece FetchPieces::render_states() {
  static const storage::MessageRow no_row;
  FetchPiece piece;
  const Batch batch = std::exchange(following_, take_batch());
  for (const FetchedMessage& message : *batch.messages) {
    if (message.gone) {
      piece.troubles.missing(std::nullopt);
    } else {
      renderer_->from_row(message, no_row, piece);
    }
  }
  return piece;
}

server::Awaitable<Result<std::optional<FetchPiece>>> FetchPieces::next() {
  const FetchPlan& plan = renderer_->plan();
  if (!plan.needs_rows && !plan.needs_messages) {
    if (following_.is_done()) co_return std::nullopt;
    co_return render_states();
  }
  co_await keep_busy();
  if (parts_.empty() && failed_) co_return tl::unexpected<Error>(*failed_);
  if (parts_.empty()) co_return std::nullopt;
  Part part = std::move(parts_.front());
  parts_.pop_front();
  auto rendered = co_await part.rendering.get();
  if (!rendered) co_return tl::unexpected<Error>(std::move(rendered).error());
  const bool whole = rendered->next == part.end;
  if (part.sources) learn_size(rendered->piece.text.size(), whole);
  if (!whole) parts_.push_front(start(part.messages, part.sources, rendered->next, part.end));
  co_await keep_busy();
  co_return std::move(rendered->piece);
}

}  // namespace postkeep::imap
