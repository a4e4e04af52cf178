// The commands of an LMTP session, and what it remembers between them. Used by lmtp/session alone.
#pragma once

#include <asio/awaitable.hpp>
#include <memory>
#include <string>
#include <vector>

#include "protocol/line/line_framer.h"
#include "protocol/lmtp/command.h"
#include "protocol/lmtp/reply.h"
#include "server/lmtp/envelope.h"
#include "server/lmtp/intake.h"
#include "server/runtime/services.h"

namespace postkeep::server {

enum class LmtpNext { go_on, quit, start_tls };

class LmtpCommands {
 public:
  // `framer` gives DATA and BDAT the octets that came after them, and gets back those that came after the message.
  LmtpCommands(SessionContext& context, line::LineFramer& framer) : context_(context), framer_(framer) {}

  // Runs one command and appends its replies to the connection's output. Throws ConnectionEnded.
  asio::awaitable<LmtpNext> run(lmtp::Command command);
  // Whether RCPT may have UTF-8 in this transaction.
  lmtp::Utf8Path utf8() const {
    return in_mail_ && envelope_.smtputf8 ? lmtp::Utf8Path::allowed : lmtp::Utf8Path::refused;
  }
  // Replies of the 5xx kind so far that were the peer's fault; unknown users are not.
  unsigned errors() const { return errors_; }
  void too_long_line();
  // When the last 550 for an unknown user was one more than lmtp.unknown_recipients allows.
  bool too_many_unknown() const;
  // After the TLS handshake: all that was said in plaintext (RFC 3207 §4.2).
  void forget_everything();
  // By limits.time_to_authenticate, where a login is needed and not done.
  void limit_time_to_log_in();

 private:
  void reply(int code, std::string enhanced, std::string text);
  void refuse(int code, std::string enhanced, std::string text);  // counts as an error
  void reset();
  bool offers_tls() const;
  LmtpNext start_tls();
  // auth_command.cpp
  bool needs_login() const;
  asio::awaitable<LmtpNext> auth(lmtp::Auth command);
  void xclient(lmtp::XClient command);
  asio::awaitable<void> vrfy(lmtp::Vrfy command);
  bool is_peer_in(const std::vector<IpNetwork>& networks) const;
  void lhlo(const lmtp::Lhlo& command);
  void mail(const lmtp::Mail& command);
  // rcpt_command.cpp
  asio::awaitable<void> rcpt(lmtp::Rcpt command);
  void refuse_recipient(const lmtp::Path& to, const Error& error);
  // message_commands.cpp
  asio::awaitable<void> data();
  asio::awaitable<void> bdat(lmtp::Bdat command);
  asio::awaitable<void> end_chunks();
  asio::awaitable<void> take_chunk(std::uint64_t octets);
  asio::awaitable<void> deliver(LmtpIntake& intake);

  SessionContext& context_;
  line::LineFramer& framer_;
  bool in_mail_ = false;  // after MAIL
  lmtp::XClient client_;  // whom the peer speaks for, if it has told
  Envelope envelope_;
  std::unique_ptr<LmtpIntake> chunks_;  // after the first BDAT
  unsigned errors_ = 0;
  unsigned unknown_ = 0;  // recipients that are nobody
};

}  // namespace postkeep::server
