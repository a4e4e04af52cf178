// doctor: looks for damage in users' mail, and mends it when asked. Each step is one short turn on the account;
// messages are read outside of it.
#include <algorithm>
#include <array>
#include <ostream>

#include "protocol/text/display.h"
#include "server/admin/commands/arguments.h"
#include "server/admin/commands/rows.h"
#include "server/admin/exchange.h"
#include "server/admin/mail_batches.h"
#include "server/admin/near_end.h"
#include "server/admin/text_table.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;
using Kind = Parameter::Kind;
using storage::AccountStore;
using storage::Finding;
using storage::Repair;

// Files that are open at once while messages are read.
constexpr std::uint64_t messages_open_max = 50;

struct DoctorTally {
  std::uint64_t users = 0, mailboxes = 0, messages = 0;
  std::uint64_t damage = 0, repaired = 0, notes = 0;

  void add(Finding::State state) {
    damage += state == Finding::State::damage ? 1 : 0;
    repaired += state == Finding::State::repaired ? 1 : 0;
    notes += state == Finding::State::note ? 1 : 0;
  }
  Json to_json() const {
    return {{"users", users},   {"mailboxes", mailboxes}, {"messages", messages},
            {"damage", damage}, {"repaired", repaired},   {"notes", notes}};
  }
};

// One user's mail.
class Visit {
 public:
  Visit(Host& host, Exchange& exchange, std::string user, Repair repair, DoctorTally& tally)
      : host_(host), exchange_(exchange), user_(std::move(user)), repair_(repair), tally_(tally) {}

  Outcome run() {
    ++tally_.users;
    const auto whole = [this](AccountStore& account) { return account.check_account(repair_); };
    const auto findings = in_account<std::vector<Finding>>(host_, user_, whole);
    if (!findings) return cannot_open(findings.error());
    TRY(send_all(*findings, ""));
    std::vector<storage::Mailbox> mailboxes = TRY(list());
    for (const storage::Mailbox& mailbox : mailboxes) TRY(check(mailbox));
    return {};
  }

 private:
  Outcome send(const Finding& finding, const std::string& mailbox) {
    tally_.add(finding.state);
    Json piece = {{"user", user_},
                  {"state", storage::to_string(finding.state)},
                  {"what", finding.what},
                  {"advice", finding.advice}};
    if (!mailbox.empty()) piece["mailbox"] = mailbox;
    if (finding.uid) piece["uid"] = finding.uid->value();
    return exchange_.send(piece);
  }

  Outcome send_all(const std::vector<Finding>& findings, const std::string& mailbox) {
    for (const Finding& finding : findings) TRY(send(finding, mailbox));
    return {};
  }

  Outcome cannot_open(const Error& error) {
    Finding finding;
    finding.state = Finding::State::damage;
    finding.what =
        "The mail cannot be opened: " + error.text + (error.detail.empty() ? "." : " (" + error.detail + ").");
    finding.advice = "docs/recovery.md says what can be done; messages are files, and none is lost by this.";
    return send(finding, "");
  }

  Result<std::vector<storage::Mailbox>> list() {
    const auto ask = [this](AccountStore& account) -> Result<std::vector<storage::Mailbox>> {
      std::vector<storage::Mailbox> all = TRY(account.list_mailboxes());
      std::erase_if(all, [](const storage::Mailbox& mailbox) { return !mailbox.exists; });
      for (const storage::Mailbox& mailbox : all) {
        if (const auto status = account.status(mailbox.id)) progress_.total += status->messages;
      }
      return all;
    };
    return in_account<std::vector<storage::Mailbox>>(host_, user_, ask);
  }

  Outcome check(const storage::Mailbox& mailbox) {
    ++tally_.mailboxes;
    const std::string name = shown_name(mailbox.name, host_.settings().mailbox.separator);
    progress_.text = user_ + ": " + name;
    TRY(exchange_.check());
    const auto whole = [&](AccountStore& account) { return account.check_mailbox(mailbox.id, repair_); };
    const auto findings = in_account<std::vector<Finding>>(host_, user_, whole);
    if (!findings && findings.error().kind == ErrorKind::not_found) return {};  // deleted meanwhile
    if (!findings) return tl::unexpected(findings.error());
    TRY(send_all(*findings, name));
    const auto current = [&](AccountStore& account) { return account.version(mailbox.id); };
    const auto version = in_account<storage::MailboxVersionPtr>(host_, user_, current);
    if (!version) return {};  // refused: check_mailbox() has told why
    return check_messages(mailbox.id, name, (*version)->all_uids());
  }

  using Messages = std::vector<storage::MessageToCheck>;
  Outcome check_messages(MailboxId mailbox, const std::string& name, UidSet uids) {
    while (!uids.empty()) {
      TRY(exchange_.check());
      exchange_.progress(progress_);
      const UidSet batch = first_of(uids, messages_open_max);
      uids = uids.subtract(batch);
      const auto open = [&](AccountStore& account) { return account.messages_to_check(mailbox, batch); };
      const auto messages = in_account<Messages>(host_, user_, open);
      if (!messages && messages.error().kind == ErrorKind::not_found) return {};
      if (!messages) return tl::unexpected(messages.error());
      TRY(check_batch(mailbox, name, *messages));
      tally_.messages += batch.size();
      progress_.done += batch.size();
    }
    return {};
  }

  Outcome check_batch(MailboxId mailbox, const std::string& name, const Messages& messages) {
    for (const storage::MessageToCheck& message : messages) {
      std::optional<Finding> finding = storage::check_message(message);
      if (!finding) continue;
      if (repair_ == Repair::yes && finding->mended_by_forgetting) TRY(forget(mailbox, *finding));
      TRY(send(*finding, name));
    }
    return {};
  }

  // The file is the truth: what is kept of it goes.
  Outcome forget(MailboxId mailbox, Finding& finding) {
    const auto again = [&](AccountStore& account) -> Result<bool> {
      TRY(account.forget_content(mailbox, UidSet{*finding.uid}));
      return true;
    };
    TRY(in_account<bool>(host_, user_, again));
    finding.state = Finding::State::repaired;
    finding.advice = "It is taken as it is now.";
    return {};
  }

  Host& host_;
  Exchange& exchange_;
  const std::string user_;
  const Repair repair_;
  DoctorTally& tally_;
  Progress progress_{0, 0, "messages", ""};
};

// Whom to look at: those named, or everybody who has mail.
Result<std::vector<std::string>> patients(Host& host, const Json& arguments) {
  const std::vector<std::string> named = TRY(texts_argument(arguments, "user"));
  if (named.empty()) return host.mail_accounts();
  std::vector<std::string> users;
  for (const std::string& name : named) {
    const std::optional<auth::User> user = TRY(host.users().find(name));
    const std::string account = user ? user->name : name;
    if (!TRY(host.has_mail(account))) return failure(ErrorKind::not_found, account + " has no mail.");
    users.push_back(account);
  }
  return users;
}

Result<Json> stream_doctor(Host& host, const Json& arguments, Exchange& exchange) {
  const Repair repair = flag_argument(arguments, "repair") ? Repair::yes : Repair::no;
  DoctorTally tally;
  for (const std::string& user : TRY(patients(host, arguments))) {
    TRY(exchange.check());
    TRY(Visit(host, exchange, user, repair, tally).run());
  }
  return tally.to_json();
}

// "alice, INBOX, UID 17: damage: The message cannot be read..." and the advice on a line of its own.
void print_doctor(const Json& piece, std::ostream& out) {
  if (piece.contains("users")) {
    out << counted(piece["users"], "user") << ", " << counted(piece["messages"], "message")
        << " looked at: " << piece["damage"].get<std::uint64_t>() << " damaged, "
        << piece["repaired"].get<std::uint64_t>() << " repaired, " << counted(piece["notes"], "note") << ".\n";
    return;
  }
  std::string line = piece["user"].get<std::string>();
  if (piece.contains("mailbox")) line += ", " + piece["mailbox"].get<std::string>();
  if (piece.contains("uid")) line += ", UID " + std::to_string(piece["uid"].get<std::uint64_t>());
  line += ": " + piece["state"].get<std::string>() + ": " + piece["what"].get<std::string>();
  out << text::displayable(line) << "\n";
  if (const auto advice = piece["advice"].get<std::string>(); !advice.empty()) {
    out << "    " << text::displayable(advice) << "\n";
  }
}

// The exit code says whether damage is left.
class DoctorEnd final : public PrintingEnd {
 public:
  DoctorEnd(const Command& command, const Json& arguments, NearSide& near)
      : PrintingEnd(command, near), repaired_(flag_argument(arguments, "repair")) {}
  Outcome finish(const Json& result) override {
    TRY(PrintingEnd::finish(result));
    if (result["damage"].get<std::uint64_t>() == 0) return {};
    if (repaired_) return failure(ErrorKind::cannot, "Some damage is left; see above what to do about it");
    return failure(ErrorKind::cannot, "There is damage; `postkeep doctor --repair` mends what it can");
  }

 private:
  bool repaired_;
};

std::unique_ptr<NearEnd> make_doctor_end(const Command& command, const Json& arguments, NearSide& near) {
  return std::make_unique<DoctorEnd>(command, arguments, near);
}

constexpr std::array doctor_parameters = {
    Parameter{Kind::optional_rest, "user", "", "whose mail; without one everybody's", 0, Parameter::Completes::user},
    Parameter{Kind::flag, "repair", "", "mend what can be mended, and tell it"},
};

constexpr std::array doctor_commands = {
    Command{
        .noun = "doctor",
        .help = "Looks for damage in users' mail: index, files, sizes, numbers, every message read through.",
        .parameters = doctor_parameters,
        .print = print_doctor,
        .stream = stream_doctor,
        .near_end = make_doctor_end,
        .json =
            R"({"user": "alice", "mailbox": "INBOX", "uid": 17, "state": "damage", "what": "The message's file is not what it was when the message came in.", "advice": "Restore it from a backup; or take it as it is by --repair."})",
        .details =
            "\"state\" is \"damage\", \"repaired\" or \"note\". The last value counts: {\"users\", \"mailboxes\", "
            "\"messages\", \"damage\", \"repaired\", \"notes\"}. The exit code is 1 if damage is left. It may run "
            "while the server does, beside the user's sessions; whatever Postkeep mends by itself when it comes "
            "upon it, as files that the index did not know, is mended without --repair too, and told.\n"
            "    postkeep doctor\n"
            "    postkeep doctor alice bob --repair"},
};

}  // namespace

std::span<const Command> doctor_rows() { return doctor_commands; }

}  // namespace postkeep::admin
