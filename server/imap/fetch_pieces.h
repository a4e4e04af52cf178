// The answer of one FETCH, piece by piece, each a fixed amount of memory: from the view alone on the session's thread,
// from rows of the index on the account, from message files beside it. While a piece is being sent the next one is
// made, of message files the next two. Owned by the command; the jobs own all that they read, so that a session may end
// at any time.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "server/imap/context.h"
#include "server/imap/fetch_render.h"
#include "server/runtime/ahead.h"

namespace postkeep::imap {

class FetchPieces {
 public:
  // `uids` ascend in the answer. The view stays as it is until the last piece.
  FetchPieces(Context& context, std::shared_ptr<const FetchRenderer> renderer, UidSet uids);
  ~FetchPieces();
  FetchPieces(const FetchPieces&) = delete;
  FetchPieces& operator=(const FetchPieces&) = delete;

  // None: that was all. Errors: those of AccountStore::fetch() and find_files().
  server::Awaitable<Result<std::optional<FetchPiece>>> next();

 private:
  using Messages = std::vector<FetchedMessage>;
  // What a batch of messages is rendered from besides the view.
  struct Sources {
    std::vector<storage::MessageRow> rows;  // ascending; those that are there
    std::shared_ptr<const storage::MessageFiles> files;
  };
  // A piece, and where in its batch the next one begins.
  struct Rendered {
    FetchPiece piece;
    std::size_t next = 0;
  };
  class FindSources;
  class RenderRows;
  class RenderFiles;
  struct Batch {
    std::shared_ptr<const Messages> messages;
    std::optional<server::Ahead<Result<Sources>>> finding;  // of plans that need message files
    std::shared_ptr<const Sources> sources;
    std::size_t next = 0;  // of its messages, that no job has yet
    bool is_done() const { return !messages || next == messages->size(); }
  };

  // Some messages of a batch, and the job that has begun to render them.
  struct Part {
    std::shared_ptr<const Messages> messages;
    std::shared_ptr<const Sources> sources;
    std::size_t end = 0;
    server::Ahead<Result<Rendered>> rendering;
  };

  Batch take_batch();
  std::shared_ptr<const Messages> messages_of(const UidSet& uids) const;
  server::Awaitable<Result<bool>> start_next();
  Part start(std::shared_ptr<const Messages> messages, std::shared_ptr<const Sources> sources, std::size_t first,
             std::size_t end);
  server::Awaitable<void> keep_busy();
  void learn_size(std::size_t octets, bool whole);
  FetchPiece render_states();

  Context& context_;
  const std::shared_ptr<const FetchRenderer> renderer_;
  UidSet uids_;  // of no batch yet
  Batch batch_;
  Batch following_;                   // its files are being found
  std::deque<Part> parts_;            // in the order of the answer
  std::optional<Error> failed_;       // what came before it is still to be sent
  std::size_t messages_at_once_ = 8;  // of a part that is read from files
};

}  // namespace postkeep::imap
