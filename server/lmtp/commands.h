// The commands of an LMTP session, and what it remembers between them. Used by lmtp/session alone.
#pragma once

#include <asio/awaitable.hpp>
#include <string>
#include <vector>

#include "protocol/line/line_framer.h"
#include "protocol/lmtp/command.h"
#include "protocol/lmtp/reply.h"
#include "server/lmtp/delivery.h"
#include "server/runtime/services.h"

namespace postkeep::server {

enum class LmtpNext { go_on, quit };

class LmtpCommands {
 public:
  // `framer` gives DATA the octets that came after it, and gets back those that came after the message.
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

 private:
  void reply(int code, std::string enhanced, std::string text);
  void refuse(int code, std::string enhanced, std::string text);  // counts as an error
  void reset();
  void lhlo(const lmtp::Lhlo& command);
  void mail(const lmtp::Mail& command);
  asio::awaitable<void> rcpt(lmtp::Rcpt command);
  asio::awaitable<void> data();

  SessionContext& context_;
  line::LineFramer& framer_;
  bool in_mail_ = false;  // after MAIL
  Envelope envelope_;
  unsigned errors_ = 0;
};

}  // namespace postkeep::server
