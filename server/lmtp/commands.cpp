#include "server/lmtp/commands.h"

#include <utility>

#include "server/metrics/metrics.h"

namespace postkeep::server {
namespace {

// What the directory is asked for. An '@' inside a quoted local part would look like a domain.
std::optional<std::string> lookup_address(const lmtp::Path& path) {
  if (path.local_part.find('@') != std::string::npos) return std::nullopt;
  return path.domain.empty() ? path.local_part : path.local_part + '@' + path.domain;
}

// For the figures.
struct CommandName {
  std::string_view operator()(const lmtp::Lhlo&) const { return "LHLO"; }
  std::string_view operator()(const lmtp::Mail&) const { return "MAIL"; }
  std::string_view operator()(const lmtp::Rcpt&) const { return "RCPT"; }
  std::string_view operator()(const lmtp::Data&) const { return "DATA"; }
  std::string_view operator()(const lmtp::Rset&) const { return "RSET"; }
  std::string_view operator()(const lmtp::Noop&) const { return "NOOP"; }
  std::string_view operator()(const lmtp::Vrfy&) const { return "VRFY"; }
  std::string_view operator()(const lmtp::Quit&) const { return "QUIT"; }
  template <class Other>
  std::string_view operator()(const Other&) const {
    return "other";
  }
};

}  // namespace

void LmtpCommands::reply(int code, std::string enhanced, std::string text) {
  const lmtp::Reply made(code, std::move(enhanced), std::move(text));
  lmtp::write_reply(context_.connection.output(), made);
}

void LmtpCommands::refuse(int code, std::string enhanced, std::string text) {
  ++errors_;
  reply(code, std::move(enhanced), std::move(text));
}

void LmtpCommands::too_long_line() { refuse(500, "5.5.2", "Line too long"); }

void LmtpCommands::reset() {
  in_mail_ = false;
  std::string name = std::move(envelope_.client_name);
  envelope_ = Envelope();
  envelope_.client_name = std::move(name);
}

asio::awaitable<LmtpNext> LmtpCommands::run(lmtp::Command command) {
  const Stopwatch watch(metrics().command_seconds.at("lmtp", std::visit(CommandName(), command)));
  if (const auto* bad = std::get_if<lmtp::Bad>(&command)) {
    refuse(bad->code, bad->enhanced, bad->text);
  } else if (const auto* hello = std::get_if<lmtp::Lhlo>(&command)) {
    lhlo(*hello);
  } else if (const auto* from = std::get_if<lmtp::Mail>(&command)) {
    mail(*from);
  } else if (auto* to = std::get_if<lmtp::Rcpt>(&command)) {
    co_await rcpt(std::move(*to));
  } else if (std::holds_alternative<lmtp::Data>(command)) {
    co_await data();
  } else if (std::holds_alternative<lmtp::Rset>(command)) {
    reset();
    reply(250, "2.0.0", "OK");
  } else if (std::holds_alternative<lmtp::Noop>(command)) {
    reply(250, "2.0.0", "OK");
  } else if (std::holds_alternative<lmtp::Vrfy>(command)) {
    reply(252, "2.5.2", "Try RCPT");  // RFC 5321 §3.5.3: who is here is told at RCPT only
  } else if (std::holds_alternative<lmtp::Quit>(command)) {
    reply(221, "2.0.0", "Bye");
    co_return LmtpNext::quit;
  } else {
    refuse(502, "5.5.1", "Command not implemented");
  }
  co_return LmtpNext::go_on;
}

void LmtpCommands::lhlo(const lmtp::Lhlo& command) {
  reset();
  envelope_.client_name = command.domain;
  lmtp::Reply hello;
  hello.code = 250;
  hello.lines = {context_.settings->hostname,
                 "PIPELINING",
                 "8BITMIME",
                 "SMTPUTF8",
                 "ENHANCEDSTATUSCODES",
                 "SIZE " + std::to_string(context_.settings->limits.message_size)};
  lmtp::write_reply(context_.connection.output(), hello);
}

void LmtpCommands::mail(const lmtp::Mail& command) {
  if (envelope_.client_name.empty()) return refuse(503, "5.5.1", "Send LHLO first");
  if (in_mail_) return refuse(503, "5.5.1", "There is a MAIL already");
  if (command.body == lmtp::BodyType::binary_mime) return refuse(501, "5.5.4", "BINARYMIME is not supported");
  const std::uint64_t limit = context_.settings->limits.message_size;
  if (limit != 0 && command.size.value_or(0) > limit) {
    return reply(552, "5.3.4", "Messages may have " + std::to_string(limit) + " octets");
  }
  in_mail_ = true;
  envelope_.from = command.from;
  envelope_.smtputf8 = command.smtputf8;
  reply(250, "2.1.0", "Sender OK");
}

asio::awaitable<void> LmtpCommands::rcpt(lmtp::Rcpt command) {
  if (!in_mail_) {
    refuse(503, "5.5.1", "Send MAIL first");
    co_return;
  }
  const std::uint64_t limit = context_.settings->limits.recipients;
  if (limit != 0 && envelope_.recipients.size() >= limit) {
    reply(452, "4.5.3", "Too many recipients");
    co_return;
  }
  std::optional<std::string> address = lookup_address(command.to);
  Result<auth::Recipient> found = failure(ErrorKind::not_found, "No such user");
  if (address) found = co_await context_.services.auth.resolve_recipient(std::move(*address));
  if (!found && found.error().kind == ErrorKind::not_found) {
    context_.logger.info("unknown_recipient", {{"to", command.to.to_string()}});
    metrics().deliveries.at("refused").add();
    reply(550, "5.1.1", "<" + command.to.to_string() + "> No such user here");
  } else if (!found) {
    context_.logger.error("recipient_lookup_failed", {{"reason", found.error().detail}});
    metrics().deliveries.at("tempfail").add();
    reply(451, "4.3.0", "Cannot look the user up, try again later");
  } else {
    EnvelopeRecipient recipient;
    recipient.address = std::move(command.to);
    recipient.recipient = std::move(*found);
    envelope_.recipients.push_back(std::move(recipient));
    reply(250, "2.1.5", "Recipient OK");
  }
}

asio::awaitable<void> LmtpCommands::data() {
  if (envelope_.recipients.empty()) {  // RFC 2033 §4.2
    refuse(503, "5.5.1", in_mail_ ? "No valid recipients" : "Send MAIL first");
    co_return;
  }
  Connection& connection = context_.connection;
  reply(354, "", "End with a line of one dot");
  Delivery delivery(context_, envelope_);
  std::string bytes = framer_.take_buffered();
  co_await connection.flush();
  while (true) {
    const std::size_t used = co_await delivery.feed(bytes);
    if (delivery.complete()) {
      framer_.push(std::string_view(bytes).substr(used));
      break;
    }
    bytes.clear();
    const std::size_t count = co_await connection.read_some(bytes);
    if (count == 0) throw ConnectionEnded(Ending::failed, "the peer left inside DATA; nothing was delivered");
  }
  const std::vector<lmtp::Reply> replies = co_await delivery.deliver();
  for (const lmtp::Reply& each : replies) lmtp::write_reply(connection.output(), each);
  reset();
}

}  // namespace postkeep::server
