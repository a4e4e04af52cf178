// FETCH answers as octets: rows and messages in, text out that is ready to be sent. Done by jobs on the storage pool,
// so that the session's thread has nothing left to do but to send. RFC 9051 §7.5.2. Knows no session.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/imap/fetch_items.h"
#include "server/imap/fetch_sections.h"
#include "storage/mailbox_version.h"
#include "storage/types.h"

namespace postkeep::imap {

// A message as the session's view has it.
struct FetchedMessage {
  SeqNum number;
  storage::MessageState state;
  Recent recent = Recent::no;
  bool gone = false;  // expunged, and not reported yet
};

// A place in the text where something else goes out, or has to be done first.
struct FetchBreak {
  std::size_t at = 0;  // octets of the text before it
  // Octets of the message, too many to be read at once; their literal is announced. Kind range or decoded.
  std::shared_ptr<storage::MessageReader> reader;
  SectionContent content;
  bool binary = false;  // NULs go as they are
  // Instead: a message that must be opened on its account to be rendered.
  std::optional<FetchedMessage> waiting;
  storage::MessageRow row;
};

// What the command's completion has to tell.
struct FetchTroubles {
  bool some_gone = false;
  std::optional<Error> unreadable;  // the first
  bool unknown_cte = false;

  // No error: it is gone.
  void missing(const std::optional<Error>& error);
  void add(const FetchTroubles& others);
};

// As much of an answer as is made at once.
struct FetchPiece {
  std::string text;
  std::vector<FetchBreak> breaks;
  FetchTroubles troubles;

  // There is enough to send, or a large message to be sent before the next one is opened.
  bool is_full() const;
};

// NUL cannot stand in a literal; BODY[] shows it as 0x80 (docs/on-disk-format.md, line ends). From `begin` on.
void replace_nuls(std::string& bytes, std::size_t begin = 0);

// Writes the messages of one FETCH command. Nothing in it changes: its jobs share it.
class FetchRenderer {
 public:
  // `messages`: of the view, for their flags.
  FetchRenderer(FetchPlan plan, storage::MailboxVersionPtr messages, Utf8 utf8);

  const FetchPlan& plan() const { return plan_; }
  // Each appends to the piece. A message whose row lacks what the plan wants of it is left waiting for its file.
  void from_row(const FetchedMessage& message, const storage::MessageRow& row, FetchPiece& piece) const;
  void from_file(const FetchedMessage& message, const storage::MessageRow& row,
                 std::shared_ptr<storage::MessageReader> reader, FetchPiece& piece) const;
  static void wait_for_file(const FetchedMessage& message, const storage::MessageRow& row, FetchPiece& piece);

 private:
  void simple_item(FetchResponse& response, const FetchItem& item, const FetchedMessage& message,
                   const storage::MessageRow& row) const;
  void cached_section(FetchResponse& response, std::size_t item, std::string_view cached_headers,
                      FetchPiece& piece) const;
  void section(FetchResponse& response, std::size_t item, SectionContent content,
               const std::shared_ptr<storage::MessageReader>& reader, FetchPiece& piece) const;
  static void literal(std::string_view bytes, bool binary, FetchPiece& piece);

  const FetchPlan plan_;
  const storage::MailboxVersionPtr messages_;
  const Utf8 utf8_;
  std::vector<std::string> names_;  // of the plan's sections as the answer has them; "" for other items
};

}  // namespace postkeep::imap
