#include "server/lmtp/commands.h"

#include <utility>

#include "protocol/base/seeded_fault.h"
#include "server/metrics/metrics.h"
#include "server/runtime/login.h"

namespace postkeep::server {
namespace {

// For the figures.
struct CommandName {
  std::string_view operator()(const lmtp::Lhlo&) const { return "LHLO"; }
  std::string_view operator()(const lmtp::Mail&) const { return "MAIL"; }
  std::string_view operator()(const lmtp::Rcpt&) const { return "RCPT"; }
  std::string_view operator()(const lmtp::Data&) const { return "DATA"; }
  std::string_view operator()(const lmtp::Bdat&) const { return "BDAT"; }
  std::string_view operator()(const lmtp::Rset&) const { return "RSET"; }
  std::string_view operator()(const lmtp::Noop&) const { return "NOOP"; }
  std::string_view operator()(const lmtp::Vrfy&) const { return "VRFY"; }
  std::string_view operator()(const lmtp::StartTls&) const { return "STARTTLS"; }
  std::string_view operator()(const lmtp::XClient&) const { return "XCLIENT"; }
  std::string_view operator()(const lmtp::Auth&) const { return "AUTH"; }
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
  chunks_.reset();
  std::string name = std::move(envelope_.client_name);
  envelope_ = Envelope();
  envelope_.client_name = std::move(name);
  envelope_.client = client_;
}

asio::awaitable<LmtpNext> LmtpCommands::run(lmtp::Command command) {
  const Stopwatch watch(metrics().command_seconds.at("lmtp", std::visit(CommandName(), command)));
  if (std::holds_alternative<lmtp::StartTls>(command)) co_return start_tls();
  if (auto* login = std::get_if<lmtp::Auth>(&command)) {
    const LmtpNext next = co_await auth(std::move(*login));
    co_return next;
  }
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
  } else if (const auto* chunk = std::get_if<lmtp::Bdat>(&command)) {
    co_await bdat(*chunk);
  } else if (std::holds_alternative<lmtp::Rset>(command)) {
    if (!seeded(Fault::rset_keeps_transaction)) reset();
    reply(250, "2.0.0", "OK");
  } else if (std::holds_alternative<lmtp::Noop>(command)) {
    reply(250, "2.0.0", "OK");
  } else if (auto* who = std::get_if<lmtp::Vrfy>(&command)) {
    co_await vrfy(std::move(*who));
  } else if (auto* client = std::get_if<lmtp::XClient>(&command)) {
    xclient(std::move(*client));
  } else if (std::holds_alternative<lmtp::Quit>(command)) {
    reply(221, "2.0.0", "Bye");
    co_return LmtpNext::quit;
  } else {
    refuse(502, "5.5.1", "Command not implemented");
  }
  co_return LmtpNext::go_on;
}

bool LmtpCommands::offers_tls() const {
  return context_.settings->lmtp.starttls && !context_.connection.is_tls() &&
         context_.services.tls.current() != nullptr;
}

// What stands behind STARTTLS in plaintext is not from whom TLS will be with: it is dropped unread.
LmtpNext LmtpCommands::start_tls() {
  if (context_.connection.is_tls()) {
    refuse(503, "5.5.1", "TLS is active already");
    return LmtpNext::go_on;
  }
  if (!offers_tls()) {
    refuse(502, "5.5.1", "Command not implemented");
    return LmtpNext::go_on;
  }
  framer_.take_buffered();
  reply(220, "2.0.0", "Begin the TLS handshake now");
  return LmtpNext::start_tls;
}

// Who is on a Unix socket is on this machine.
bool LmtpCommands::is_peer_in(const std::vector<IpNetwork>& networks) const {
  const std::string& text = context_.connection.peer().address;
  const auto address = IpAddress::parse(text == "unix" ? "127.0.0.1" : text);
  return address && contains(networks, *address);
}

// The session begins anew, as for that client. Whom we trust and whom we count is still the peer.
void LmtpCommands::xclient(lmtp::XClient command) {
  if (!is_peer_in(context_.settings->lmtp.xclient_from)) return refuse(550, "5.7.1", "You may not speak for others");
  if (in_mail_) return refuse(503, "5.5.1", "There is a MAIL already");
  client_ = std::move(command);
  reset();
  envelope_.client_name.clear();
  context_.logger.info("xclient", {{"address", client_.address ? client_.address->to_string() : std::string()},
                                   {"helo", client_.helo.value_or(std::string())}});
  reply(220, "", context_.settings->hostname + " LMTP Postkeep ready");
}

// RFC 5321 §3.5.3: who is here is told at RCPT; here only to those who are trusted with it.
asio::awaitable<void> LmtpCommands::vrfy(lmtp::Vrfy command) {
  std::string_view text = command.what;
  const auto path = lmtp::take_path(text, lmtp::NullPath::refused, lmtp::Utf8Path::allowed);
  if (!is_peer_in(context_.settings->lmtp.vrfy_from) || !path || !text.empty()) {
    reply(252, "2.5.2", "Try RCPT");
    co_return;
  }
  std::string address = path->domain.empty() ? path->local_part : path->local_part + '@' + path->domain;
  const bool is_quoted = path->local_part.find('@') != std::string::npos;
  const auto found = co_await context_.services.auth.resolve_recipients(std::move(address));
  if (found && !is_quoted) {
    reply(250, "2.1.5", "<" + path->to_string() + ">");
  } else if (is_quoted || found.error().kind == ErrorKind::not_found) {
    reply(550, "5.1.1", "<" + path->to_string() + "> No such user here");
  } else {
    reply(252, "2.5.2", "Cannot tell now");
  }
}

void LmtpCommands::forget_everything() {
  if (seeded(Fault::tls_forgets_nothing)) return;
  client_ = lmtp::XClient();
  context_.log_out();
  limit_time_to_log_in();
  reset();
  envelope_.client_name.clear();
  framer_.take_buffered();
}

bool LmtpCommands::too_many_unknown() const {
  const std::uint64_t limit = context_.settings->lmtp.unknown_recipients;
  return limit != 0 && unknown_ > limit;
}

void LmtpCommands::lhlo(const lmtp::Lhlo& command) {
  if (!seeded(Fault::lhlo_keeps_transaction)) reset();
  envelope_.client_name = client_.helo.value_or(command.domain);
  envelope_.client = client_;
  lmtp::Reply hello;
  hello.code = 250;
  hello.lines = {context_.settings->hostname,
                 "PIPELINING",
                 "8BITMIME",
                 "CHUNKING",
                 "BINARYMIME",
                 "SMTPUTF8",
                 "ENHANCEDSTATUSCODES",
                 "SIZE " + std::to_string(context_.settings->limits.message_size)};
  if (is_peer_in(context_.settings->lmtp.xclient_from)) {
    hello.lines.push_back("XCLIENT " + std::string(lmtp::xclient_attributes));
  }
  if (context_.settings->lmtp.auth != LmtpAuth::off && context_.user().empty()) {
    std::string mechanisms = "AUTH";
    for (const std::string_view name : offered_mechanisms(context_)) (mechanisms += ' ') += name;
    if (mechanisms != "AUTH") hello.lines.push_back(std::move(mechanisms));
  }
  if (offers_tls()) hello.lines.emplace_back("STARTTLS");
  lmtp::write_reply(context_.connection.output(), hello);
}

void LmtpCommands::mail(const lmtp::Mail& command) {
  if (envelope_.client_name.empty()) return refuse(503, "5.5.1", "Send LHLO first");
  if (in_mail_) return refuse(503, "5.5.1", "There is a MAIL already");
  if (needs_login()) return refuse(530, "5.7.0", "Authentication required");
  if (command.parameters.auth && context_.settings->lmtp.auth == LmtpAuth::off) {
    return refuse(555, "5.5.4", "AUTH is not offered");
  }
  const std::uint64_t limit = context_.settings->limits.message_size;
  if (limit != 0 && command.parameters.size.value_or(0) > limit && !seeded(Fault::size_not_looked_at)) {
    return reply(552, "5.3.4", "Messages may have " + std::to_string(limit) + " octets");
  }
  in_mail_ = true;
  envelope_.from = command.from;
  envelope_.size = command.parameters.size.value_or(0);
  envelope_.body = command.parameters.body;
  envelope_.smtputf8 = command.parameters.smtputf8;
  reply(250, "2.1.0", "Sender OK");
}

}  // namespace postkeep::server
