// Context: what a command handler may touch. Made and owned by the session; lives on its thread. Handlers return a
// Completion or an Error and never see the tag: dispatch.cpp writes the tagged reply.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "auth/mechanisms.h"
#include "protocol/imap/command.h"
#include "protocol/imap/cursor.h"
#include "protocol/imap/framer.h"
#include "protocol/imap/response_code.h"
#include "protocol/imap/writer.h"
#include "server/imap/notify_state.h"
#include "server/imap/state.h"
#include "server/net/connection.h"
#include "server/runtime/awaits.h"
#include "server/runtime/log.h"
#include "server/runtime/services.h"

namespace postkeep::imap {

// How a command ended, when nothing failed: "OK [code] text", or NO where the row's rules ask for one.
struct Completion {
  Condition condition = Condition::ok;
  std::optional<ResponseCode> code;
  std::string text;

  Completion() = default;
  explicit Completion(std::string sentence) : text(std::move(sentence)) {}
  Completion(ResponseCode response_code, std::string sentence)
      : code(std::move(response_code)), text(std::move(sentence)) {}
  Completion(Condition how, std::optional<ResponseCode> response_code, std::string sentence)
      : condition(how), code(std::move(response_code)), text(std::move(sentence)) {}
};
using Answer = server::Awaitable<Result<Completion>>;

// The client closed its side in the middle of something: the session ends without a word.
class PeerLeft : public std::runtime_error {
 public:
  PeerLeft() : std::runtime_error("the client closed the connection") {}
};

// What the session does after the tagged reply.
enum class Next { read_command, start_tls, compress, unauthenticate, log_out };

inline constexpr std::size_t client_name_max = 64;

class Context {
 public:
  explicit Context(server::SessionContext& session);

  server::SessionContext& host;
  server::Services& services;
  server::Connection& connection;
  Logger& log;
  Framer framer;

  server::AccountPtr account;  // whose mail; null before login
  std::unique_ptr<Selected> selected;
  std::unique_ptr<Notify> notify;  // null until NOTIFY is used: then changes are told as without it
  Enabled enabled;
  UidForm uid_form = UidForm::no;  // of the running command
  // May EXPUNGE be reported before its reply? From the command's row; a handler may take it back.
  ExpungeRule expunge = ExpungeRule::allowed;
  std::string correlator;  // its tag, for ESEARCH alone (RFC 9051 §7.3.4)
  Next next = Next::read_command;
  std::string client_name;  // as the client calls itself (ID), at most client_name_max octets; "" if it has not
  std::string farewell;     // text of the BYE, where next is log_out and the handler has not sent one

  State state() const;
  server::Gateway& gateway() const;
  const Settings& settings() const { return *host.settings; }
  bool is_rev2() const { return enabled.rev2; }
  // UTF-8 in quoted strings and mailbox names, in both directions (RFC 9051 §4.3, RFC 9755 §3).
  bool speaks_utf8() const { return enabled.rev2 || enabled.utf8; }
  auth::Channel channel() const;  // may passwords travel here?

  // Writes to the connection's output.
  Writer out() { return Writer(connection.output(), speaks_utf8() ? Utf8::yes : Utf8::no); }
  server::Awaitable<void> flush_if_large() { return connection.flush_if_large(); }
  // Sends what is to be sent, then waits for input and feeds the framer. Throws PeerLeft, ConnectionEnded.
  server::Awaitable<void> read_more();

  // --- Names and numbers as this session's client writes them.
  MailboxName::Encoding name_encoding() const;
  QuotedOctets quoted_octets() const { return speaks_utf8() ? QuotedOctets::utf8 : QuotedOctets::any; }
  // "a/" is taken for "a" in every command: RFC 9051 §6.3.4 has it in CREATE, and clients that keep the name they
  // created, or show a parent so, use it on. Errors: cannot.
  Result<MailboxName> mailbox_name(std::string_view wire) const;
  std::string wire_name(const MailboxName& name) const;
  // The UIDs that a command's set means: numbers, UIDs or "$". Errors: client_bug.
  Result<UidSet> resolve(const SequenceSet& set) const;
  // As this command's client counts them: UIDs, or the view's message numbers (as numbers in a UidSet).
  UidSet numbers_of(const UidSet& uids) const;
  // Errors: no_permission when the mailbox was opened by EXAMINE.
  Outcome require_write() const;

  // After LOGIN and AUTHENTICATE: framer limits and timeouts of a known user.
  void enter_authenticated(server::AccountPtr whose);
  void leave_mailbox();  // to the authenticated state
  // After UNAUTHENTICATE: the user is forgotten, what the client called itself is not (RFC 8437 §3).
  void leave_account();
  // After STARTTLS: nothing learnt in plaintext survives (RFC 9051 §6.2.1).
  void forget_everything();

 private:
  void set_limits();
};

}  // namespace postkeep::imap
