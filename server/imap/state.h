// State: where a session stands (RFC 9051 §3). Not authenticated, authenticated, selected, logout. Owned by the
// session's Context, which changes it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "protocol/mail/uid_set.h"
#include "server/imap/mailbox_view.h"
#include "server/runtime/gateway.h"
#include "server/runtime/watch.h"

namespace postkeep::imap {

// Bits, so that a command's row can name several.
enum class State : std::uint8_t { not_authenticated = 1, authenticated = 2, selected = 4 };

// A set of states.
class States {
 public:
  constexpr States(State state) : bits_(static_cast<std::uint8_t>(state)) {}  // NOLINT: meant to convert
  constexpr States operator|(States other) const { return States(static_cast<std::uint8_t>(bits_ | other.bits_)); }
  constexpr bool has(State state) const { return (bits_ & static_cast<std::uint8_t>(state)) != 0; }

 private:
  explicit constexpr States(std::uint8_t bits) : bits_(bits) {}
  std::uint8_t bits_;
};
constexpr States operator|(State a, State b) { return States(a) | States(b); }

enum class Access { read_write, read_only };

// Does reading the mailbox take the \Recent of its new messages (RFC 3501 §2.3.2)? SELECT does, EXAMINE does not.
enum class ClaimRecent { no, yes };

// The selected mailbox. On the heap: a session without one does not pay for it.
struct Selected {
  Selected(storage::Mailbox m, Access a, MailboxView v) : mailbox(std::move(m)), access(a), view(std::move(v)) {}

  storage::Mailbox mailbox;
  Access access;
  MailboxView view;
  UidSet saved_result;                   // "$" (RFC 9051 §6.4.4.1)
  std::shared_ptr<server::Watch> watch;  // subscribed before the view's first version was read
  server::FolderWatchPtr folder_watch;   // other programs' changes; null where that failed
};

// What ENABLE turned on (RFC 9051 §6.3.1).
struct Enabled {
  bool rev2 = false;       // IMAP4rev2: UTF-8 names and strings, ESEARCH, no \Recent
  bool utf8 = false;       // UTF8=ACCEPT: UTF-8 names and strings alone, and no charsets (RFC 9755 §3)
  bool condstore = false;  // MODSEQ in every FETCH response that the client did not ask for (RFC 7162 §3.1)
  bool qresync = false;    // VANISHED for EXPUNGE; implies condstore (RFC 7162 §3.2.3)
};

}  // namespace postkeep::imap
