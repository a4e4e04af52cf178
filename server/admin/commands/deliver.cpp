// deliver: one message from standard input into a user's mailbox, for an MTA's pipe. Options in the habit of
// dovecot-lda, exit codes of sysexits.h. What it adds to the message is what LMTP adds, but for Received.
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ostream>

#include "protocol/lmtp/path.h"
#include "server/admin/commands/rows.h"
#include "server/admin/exchange.h"
#include "server/admin/message_intake.h"
#include "server/admin/near_end.h"
#include "server/metrics/metrics.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;
using Kind = Parameter::Kind;
using storage::AccountStore;

Outcome check_recipient(Json& arguments, const Settings&, NearSide&) {
  if (arguments.contains("user") || arguments.contains("address")) return {};
  return failure(ErrorKind::bad_syntax, "Say whose mail it is: -d USER or -a ADDRESS");
}

Result<std::string> recipient_of(Host& host, const Json& arguments) {
  const std::string named = TRY(
      text_argument(arguments, arguments.contains("user") ? std::string_view("user") : std::string_view("address")));
  const Result<auth::Recipient> found = host.resolve_recipient(named);
  if (found) return found->user;
  if (found.error().kind != ErrorKind::not_found) return tl::unexpected(found.error());
  return failure(ErrorKind::not_found, "There is no user of that name", named);
}

// An address as it may stand in a header field. An MTA's word is taken for it, as long as it stays on its line.
std::string header_address(std::string text) {
  std::string_view rest = text;
  const auto path = lmtp::take_path(rest, lmtp::NullPath::allowed, lmtp::Utf8Path::allowed);
  if (path && rest.empty()) return path->to_string();
  std::erase_if(text, [](unsigned char c) { return c < ' ' || c == 0x7f || c == '<' || c == '>'; });
  return text;
}

std::string trace_fields(const std::string& user, const Json& arguments) {
  std::string fields;
  if (const auto sender = text_argument(arguments, "sender")) {
    fields += "Return-Path: <" + header_address(*sender) + ">\r\n";
  }
  if (const auto address = text_argument(arguments, "address")) {
    fields += "X-Original-To: " + header_address(*address) + "\r\n";
  }
  return fields + "Delivered-To: " + user + "\r\n";
}

// Takes the mbox line ("From someone Thu Nov 26 ...") off that some MTAs put in front, whatever the cuts.
class FromLineFilter {
 public:
  std::string_view feed(std::string_view octets) {
    if (state_ == State::start) {
      start_ += octets;
      if (start_.size() < mark.size() && mark.starts_with(start_)) return {};
      state_ = start_.starts_with(mark) ? State::skipping : State::passing;
      octets = start_;
    }
    if (state_ == State::skipping) {
      const std::size_t end = octets.find('\n');
      if (end == std::string_view::npos) return {};
      octets.remove_prefix(end + 1);
      state_ = State::passing;
    }
    return octets;
  }
  // What is still held back.
  std::string_view finish() const { return state_ == State::start ? std::string_view(start_) : std::string_view(); }

 private:
  static constexpr std::string_view mark = "From ";
  enum class State { start, skipping, passing };
  State state_ = State::start;
  std::string start_;
};

Outcome take_message(Host& host, Exchange& exchange, MessageIntake& intake) {
  const std::uint64_t limit = host.settings().limits.message_size;
  const std::uint64_t added = intake.size();
  FromLineFilter filter;
  for (;;) {
    const Exchange::Item item = TRY(exchange.receive());
    if (item.kind == Exchange::Item::Kind::end) break;
    TRY(intake.write(filter.feed(item.octets)));
    if (limit != 0 && intake.size() - added > limit) {
      return failure(ErrorKind::too_big, "The message is larger than " + std::to_string(limit) + " octets");
    }
  }
  TRY(intake.write(filter.finish()));
  return intake.finish();
}

// A mailbox that is not there is no reason to lose mail: INBOX has it then.
Result<storage::Mailbox> target(AccountStore& account, const std::optional<MailboxName>& name) {
  if (name) {
    auto found = account.find_mailbox(*name);
    if (found && found->exists) return found;
    if (!found && found.error().kind != ErrorKind::not_found) return found;
  }
  return account.find_mailbox(MailboxName::inbox());
}

Result<Json> store(Host& host, Exchange& exchange, const std::string& user, const std::optional<MailboxName>& mailbox,
                   const std::string& trace) {
  MessageIntake intake = TRY(MessageIntake::begin(host));
  TRY(intake.write(trace));
  TRY(take_message(host, exchange, intake));
  return host.with_account(user, [&](AccountStore& account) -> Result<Json> {
    const storage::Mailbox into = TRY(target(account, mailbox));
    std::vector<storage::AppendItem> items(1);
    items.front().message = intake.message();
    const storage::AppendResult appended = TRY(account.append(into.id, items));
    return Json{{"user", user},
                {"mailbox", into.name.to_wire(MailboxName::Encoding::utf8, host.settings().mailbox.separator)},
                {"uid", appended.uids.min().value()},
                {"uid_validity", appended.uid_validity.value()},
                {"size", intake.message()->size()}};
  });
}

Result<Json> deliver(Host& host, const Json& arguments, Exchange& exchange) {
  const std::string user = TRY(recipient_of(host, arguments));
  const char separator = host.settings().mailbox.separator;
  std::optional<MailboxName> mailbox;
  if (const auto name = text_argument(arguments, "mailbox")) {
    mailbox = TRY(MailboxName::from_wire(*name, MailboxName::Encoding::utf8, separator));
  }
  Result<Json> stored = store(host, exchange, user, mailbox, trace_fields(user, arguments));
  if (stored || stored.error().kind == ErrorKind::too_big) return stored;
  const bool sent_back = host.settings().quota.on_delivery == OverQuota::reject;
  if (stored.error().kind == ErrorKind::quota_reached && sent_back) return tl::unexpected(stored.error());
  // Whatever is missing by now, it is not the user.
  return failure(ErrorKind::unavailable, stored.error().text, stored.error().detail);
}

// Whatever might be mended is temporary, so that no mail bounces for a mistake in the server's set-up.
int exit_status(ExitCode code, const Error* error) {
  if (code == ExitCode::ok) return EX_OK;
  if (code == ExitCode::usage) return EX_USAGE;
  if (error == nullptr) return EX_TEMPFAIL;
  switch (error->kind) {
    case ErrorKind::not_found:
      return EX_NOUSER;
    case ErrorKind::too_big:
      return EX_DATAERR;
    case ErrorKind::cannot:
      return EX_USAGE;
    case ErrorKind::quota_reached:
      return EX_NOPERM;
    default:
      return EX_TEMPFAIL;
  }
}

Result<Json> stream_deliver(Host& host, const Json& arguments, Exchange& exchange) {
  Result<Json> delivered = deliver(host, arguments, exchange);
  if (delivered) {
    server::metrics().messages_appended.add();
    server::metrics().delivered_octets.add((*delivered)["size"].get<std::uint64_t>());
  }
  const bool refused = !delivered && exit_status(ExitCode::failed, &delivered.error()) != EX_TEMPFAIL;
  server::metrics().deliveries.at(delivered ? "ok" : refused ? "refused" : "tempfail").add();
  return delivered;
}

// Standard input to the far side; says nothing when all is well, since an MTA would log it.
class DeliverEnd final : public PrintingEnd {
 public:
  using PrintingEnd::PrintingEnd;
  Outcome feed(Feed& feed) override { return feed.send_all_of(STDIN_FILENO); }
};

std::unique_ptr<NearEnd> make_near_end(const Command& command, const Json&, NearSide& near) {
  return std::make_unique<DeliverEnd>(command, near);
}

using Completes = Parameter::Completes;
constexpr std::array deliver_parameters = {
    Parameter{Kind::option, "user", "USER", "whose mail it is: a user's name or address", 'd', Completes::user},
    Parameter{Kind::option, "address", "ADDRESS",
              "the recipient as the sender wrote it; without -d also whose mail it is", 'a'},
    Parameter{Kind::option, "mailbox", "MAILBOX", "where to (INBOX; also if it does not exist)", 'm',
              Completes::mailbox},
    Parameter{Kind::option, "sender", "ADDRESS", "the envelope's sender, for Return-Path", 'f'},
};

constexpr std::array deliver_commands = {
    Command{.noun = "deliver",
            .help = "Delivers one message from standard input, for an MTA's pipe; exit codes of sysexits.h.",
            .parameters = deliver_parameters,
            .prepare = check_recipient,
            .print = print_nothing,
            .stream = stream_deliver,
            .near_end = make_near_end,
            .exit_status = exit_status,
            .json = R"({"user": "alice", "mailbox": "INBOX", "uid": 17, "uid_validity": 1795714399, "size": 4821})",
            .details =
                "Exit codes: 0 delivered, 67 (EX_NOUSER) no such user, 65 (EX_DATAERR) too large, 64 (EX_USAGE) "
                "wrong usage, 77 (EX_NOPERM) no room left, if the configuration says quota.on_delivery = \"reject\", "
                "75 (EX_TEMPFAIL) whatever may go better later.\n"
                "    postkeep deliver -d alice -f \"$SENDER\" < message.eml"},
};

}  // namespace

std::span<const Command> deliver_rows() { return deliver_commands; }

}  // namespace postkeep::admin
