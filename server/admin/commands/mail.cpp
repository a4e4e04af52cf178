// mail search|fetch|flags|copy|move|expunge: the messages of one user that match a query.
#include <array>
#include <functional>
#include <ostream>

#include "protocol/base/ascii.h"
#include "protocol/text/display.h"
#include "server/admin/commands/rows.h"
#include "server/admin/mail_batches.h"
#include "server/admin/mail_change.h"
#include "server/admin/mail_fields.h"
#include "server/admin/mail_selection.h"
#include "server/admin/mail_totals.h"
#include "server/admin/near_end.h"
#include "storage/message_facts.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;
using Kind = Parameter::Kind;
using Completes = Parameter::Completes;
using storage::AccountStore;

constexpr std::string_view search_fields = "mailbox,uid,date,size,flags";
constexpr std::string_view fetch_fields_default = "mailbox,uid,date,size,flags,from,subject";

// --- search and fetch ---

// Some messages as they are in one moment.
struct Batch {
  std::vector<storage::MessageRow> rows;
  std::vector<Flags> flags;  // of each row
};

Result<Batch> fetch_batch(AccountStore& account, MailboxId mailbox, const UidSet& uids,
                          const storage::FetchWants& wants) {
  Batch batch;
  const storage::MailboxVersionPtr version = TRY(account.version(mailbox));
  const UidSet there = version->existing(uids);
  batch.rows = TRY(account.fetch(mailbox, there, wants));
  for (const storage::MessageRow& row : batch.rows) {
    const std::optional<storage::MessageState> state = version->find(row.uid);
    batch.flags.push_back(state ? version->flags_of(*state) : Flags());
  }
  return batch;
}

Result<std::shared_ptr<storage::MessageReader>> open_message(Host& host, const std::string& user, MailboxId mailbox,
                                                             Uid uid) {
  using Reader = std::shared_ptr<storage::MessageReader>;
  const auto open = [&](AccountStore& account) -> Result<Reader> {
    return Reader(TRY(account.open_message(mailbox, uid)));
  };
  return in_account<Reader>(host, user, open);
}

Result<std::string> load_header(Host& host, const std::string& user, MailboxId mailbox, Uid uid) {
  const auto reader = TRY(open_message(host, user, mailbox, uid));
  return storage::read_header_block(*reader);
}

// Calls `tell` for the messages of each mailbox of the selection, batch by batch.
using TellBatch = std::function<Outcome(const MailSource& source, const UidSet& batch)>;
Outcome for_each_match(Host& host, const MailSelection& selection, Exchange& exchange, const TellBatch& tell) {
  for (const MailboxName& name : selection.names()) {
    const MailSource source = TRY(selection.open(host, name));
    const UidSet uids = TRY(selection.find(host, source, exchange));
    const auto one_batch = [&](const UidSet& batch) -> Outcome {
      TRY(exchange.check());
      return tell(source, batch);
    };
    TRY(for_each_batch(uids, one_batch));
  }
  return {};
}

Result<Json> tell_fields(Host& host, const Json& arguments, std::string_view field_list, Exchange& exchange) {
  const MailSelection selection = TRY(MailSelection::read(host, arguments));
  const MailFieldList fields = TRY(parse_mail_fields(field_list));
  const storage::FetchWants wants = wants_of(fields);
  const auto tell = [&](const MailSource& source, const UidSet& uids) -> Outcome {
    const MailboxId mailbox = source.mailbox.id;
    const auto fetch = [&](AccountStore& account) { return fetch_batch(account, mailbox, uids, wants); };
    const Batch batch = TRY(in_account<Batch>(host, selection.user(), fetch));
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
      const storage::MessageRow& row = batch.rows[i];
      std::string header = row.cached_headers.value_or("");
      if (wants.headers && !row.cached_headers) header = TRY(load_header(host, selection.user(), mailbox, row.uid));
      const MessageFactsView message{source.name, row, batch.flags[i], header};
      TRY(exchange.send(to_json(fields, message)));
    }
    return {};
  };
  TRY(for_each_match(host, selection, exchange, tell));
  return Json();
}

Result<Json> stream_search(Host& host, const Json& arguments, Exchange& exchange) {
  return tell_fields(host, arguments, search_fields, exchange);
}

Result<Json> tell_headers(Host& host, const MailSelection& selection, Exchange& exchange) {
  const auto tell = [&](const MailSource& source, const UidSet& uids) -> Outcome {
    for (const Uid uid : uids.to_vector()) {
      Result<std::string> header = load_header(host, selection.user(), source.mailbox.id, uid);
      if (!header && header.error().kind == ErrorKind::expunge_issued) continue;
      if (!header) return tl::unexpected(header.error());
      Json piece = {{"mailbox", source.name}, {"uid", uid.value()}};
      piece["headers"] = std::move(*header);
      TRY(exchange.send(piece));
    }
    return {};
  };
  TRY(for_each_match(host, selection, exchange, tell));
  return Json();
}

// The one message that matches, octet by octet.
Result<Json> tell_body(Host& host, const MailSelection& selection, Exchange& exchange) {
  constexpr std::size_t step = 256 * 1024;
  std::uint64_t matches = 0;
  MailboxId mailbox;
  Uid uid;
  const auto note = [&](const MailSource& source, const UidSet& uids) -> Outcome {
    matches += uids.size();
    mailbox = source.mailbox.id;
    uid = uids.max();
    return {};
  };
  TRY(for_each_match(host, selection, exchange, note));
  if (matches == 0) return failure(ErrorKind::not_found, "No message matches; `postkeep mail search` shows what does.");
  if (matches > 1) {
    return failure(ErrorKind::cannot, std::to_string(matches) +
                                          " messages match, and --body prints one. Name it by its " +
                                          "UID, as `postkeep mail search` shows it: --mailbox MAILBOX uid UID");
  }
  const auto reader = TRY(open_message(host, selection.user(), mailbox, uid));
  for (std::uint64_t offset = 0; offset < reader->size(); offset += step) {
    std::string octets;
    TRY(reader->read(offset, step, octets));
    if (octets.empty()) return failure(ErrorKind::corruption, "The message is shorter than it should be");
    TRY(exchange.send_octets(octets));
  }
  return Json();
}

Result<Json> stream_fetch(Host& host, const Json& arguments, Exchange& exchange) {
  const bool headers = flag_argument(arguments, "headers"), body = flag_argument(arguments, "body");
  const bool fields = arguments.contains("fields");
  if (headers + body + fields > 1) {
    return failure(ErrorKind::bad_syntax, "Give one of --fields, --headers and --body");
  }
  if (headers || body) {
    const MailSelection selection = TRY(MailSelection::read(host, arguments));
    return headers ? tell_headers(host, selection, exchange) : tell_body(host, selection, exchange);
  }
  const std::string list = fields ? TRY(text_argument(arguments, "fields")) : std::string(fetch_fields_default);
  return tell_fields(host, arguments, list, exchange);
}

Outcome prepare_fetch(Json& arguments, const Settings&, NearSide& near) {
  if (near.format == NearSide::Format::json && flag_argument(arguments, "body")) {
    return failure(ErrorKind::bad_syntax, "--body prints the message as it is; leave --json out");
  }
  if (arguments.contains("fields")) TRY(parse_mail_fields(arguments["fields"].get<std::string>()));
  return {};
}

// Prints rows as a table, some at a time, since columns are as wide as what stands in them.
class TableEnd final : public PrintingEnd {
 public:
  TableEnd(const Command& command, NearSide& near, MailFieldList fields)
      : PrintingEnd(command, near), fields_(std::move(fields)), table_(columns_of(fields_)) {}

  Outcome take(const Json& piece) override {
    if (near_.format == NearSide::Format::json || piece.contains("headers")) return PrintingEnd::take(piece);
    table_.add(cells_of(fields_, piece));
    if (++waiting_ < messages_per_batch) return {};
    return flush();
  }
  Outcome finish(const Json& result) override {
    TRY(flush());
    return PrintingEnd::finish(result);
  }

 private:
  Outcome flush() {
    table_.print(near_.out);
    waiting_ = 0;
    if (near_.out.good()) return {};
    return failure(ErrorKind::unavailable, "Standard output cannot be written");
  }

  MailFieldList fields_;
  TextTable table_;
  std::uint64_t waiting_ = 0;
};

std::unique_ptr<NearEnd> table_of(const Command& command, NearSide& near, std::string_view field_list) {
  Result<MailFieldList> fields = parse_mail_fields(field_list);
  return std::make_unique<TableEnd>(command, near, fields ? std::move(*fields) : MailFieldList());
}

std::unique_ptr<NearEnd> search_end(const Command& command, const Json&, NearSide& near) {
  return table_of(command, near, "mailbox,uid");
}

std::unique_ptr<NearEnd> fetch_end(const Command& command, const Json& arguments, NearSide& near) {
  return table_of(command, near, arguments.value("fields", std::string(fetch_fields_default)));
}

// A header block, line by line.
void print_headers(const Json& message, std::ostream& out) {
  const auto headers = message["headers"].get<std::string>();
  for (std::size_t start = 0; start < headers.size();) {
    const std::size_t end = std::min(headers.find('\n', start), headers.size());
    std::string_view line = std::string_view(headers).substr(start, end - start);
    if (line.ends_with('\r')) line.remove_suffix(1);
    out << text::displayable(line) << "\n";
    start = end + 1;
  }
}

// --- flags, copy, move, expunge ---

void print_change(const Json& result, std::ostream& out) {
  auto done = result["done"].get<std::string>();
  if (!result["dry_run"].get<bool>()) done[0] = ascii::to_upper(done[0]);
  if (result["dry_run"].get<bool>()) done = "Would have " + done;
  out << done << " "
      << (result.contains("octets") ? shown_totals(result)
                                    : counted(result["messages"].get<std::uint64_t>(), "message"));
  if (result.contains("target")) out << " to " << result["target"].get<std::string>();
  if (result.contains("changed")) out << ", " << result["changed"].dump() << " changed";
  out << ".\n";
}

constexpr Parameter user_parameter = {Kind::positional, "user", "", "whose mail", 0, Completes::user};
// The keys of a query that shells offer: all but those of a session (mail_query.h).
constexpr std::string_view query_keys =
    "all answered bcc before body cc deleted draft emailid flagged from header keyword larger modseq not older on or "
    "savedatesupported savedbefore savedon savedsince seen sentbefore senton sentsince since smaller subject text "
    "threadid "
    "to uid unanswered undeleted undraft unflagged unkeyword unseen younger";

constexpr Parameter query_parameter = {
    Kind::rest,         "query",   "", "which messages: IMAP search keys, `all` for every one", 0,
    Completes::nothing, query_keys};
constexpr Parameter mailbox_parameter = {
    Kind::list, "mailbox",         "MAILBOX", "look in this mailbox instead of INBOX; may be given several times",
    0,          Completes::mailbox};
constexpr Parameter all_parameter = {Kind::flag, "all-mailboxes", "", "look in every mailbox"};
constexpr Parameter dry_run_parameter = {Kind::flag, "dry-run", "", "say how many, and change nothing"};
constexpr Parameter target_parameter = {Kind::positional,  "target", "", "the mailbox to put them into", 0,
                                        Completes::mailbox};
constexpr Parameter create_parameter = {Kind::flag, "create", "", "make the target if it is missing"};

constexpr std::array search_parameters = {user_parameter, query_parameter, mailbox_parameter, all_parameter};
constexpr std::array fetch_parameters = {
    user_parameter,
    query_parameter,
    mailbox_parameter,
    all_parameter,
    Parameter{Kind::option, "fields", "FIELD,...", "what to tell of each message"},
    Parameter{Kind::flag, "headers", "", "print the header of each message"},
    Parameter{Kind::flag, "body", "", "print the one message that matches, as it is"}};
constexpr std::array flags_parameters = {
    user_parameter,
    query_parameter,
    Parameter{Kind::list, "add", "FLAG", "a flag to set; may be given several times"},
    Parameter{Kind::list, "remove", "FLAG", "a flag to take away; may be given several times"},
    Parameter{Kind::list, "set", "FLAG", "replace all flags by this one; may be given several times, \"\" for none"},
    mailbox_parameter,
    all_parameter,
    dry_run_parameter};
constexpr std::array transfer_parameters = {user_parameter,    query_parameter, target_parameter, create_parameter,
                                            mailbox_parameter, all_parameter,   dry_run_parameter};
constexpr std::array expunge_parameters = {user_parameter, query_parameter, mailbox_parameter, all_parameter,
                                           dry_run_parameter};

constexpr std::string_view transfer_json =
    R"({"done": "moved", "target": "Archive", "messages": 12, "octets": 48211, "dry_run": false, "mailboxes": [{"mailbox": "INBOX", "messages": 12, "octets": 48211}]})";

constexpr std::array mail_commands = {
    Command{
        .noun = "mail",
        .verb = "search",
        .help = "Finds messages and prints their mailboxes and UIDs.",
        .parameters = search_parameters,
        .print = print_nothing,
        .stream = stream_search,
        .near_end = search_end,
        .json = R"({"mailbox": "INBOX", "uid": 17, "date": "2026-11-26T17:33:19Z", "size": 4821, "flags": ["\\Seen"]})",
        .details = "One line, or with --json one value, for each message.\n"
                   "    postkeep mail search alice from bob since 1-Jan-2026\n"
                   "    postkeep mail search alice --all-mailboxes 'or subject invoice larger 10000000'"},
    Command{
        .noun = "mail",
        .verb = "fetch",
        .help = "Tells about the messages that match, or prints them.",
        .parameters = fetch_parameters,
        .prepare = prepare_fetch,
        .print = print_headers,
        .stream = stream_fetch,
        .near_end = fetch_end,
        .json =
            R"({"mailbox": "INBOX", "uid": 17, "date": "2026-11-26T17:33:19Z", "size": 4821, "flags": ["\\Seen"], "from": "Bob <bob@example.org>", "subject": "Hello"})",
        .details =
            "Fields are mailbox, uid, date (when it came in), saved (when it came into this mailbox), size, flags, "
            "from, to, cc, subject, sent (the Date field), message-id, email-id and thread-id; without --fields: "
            "mailbox,uid,date,size,flags,from,subject. With --json there is one value for each message, with '_' "
            "for '-' in names; with --headers it is {\"mailbox\", \"uid\", \"headers\"}.\n"
            "    postkeep mail fetch alice unseen --fields uid,from,subject\n"
            "    postkeep mail fetch alice uid 17 --body > message.eml"},
    Command{
        .noun = "mail",
        .verb = "flags",
        .help = "Changes the flags of the messages that match.",
        .parameters = flags_parameters,
        .print = print_change,
        .stream = stream_flags,
        .json =
            R"({"done": "flagged", "messages": 12, "changed": 3, "dry_run": false, "mailboxes": [{"mailbox": "INBOX", "messages": 12, "changed": 3}]})",
        .details = "Flags are seen, answered, flagged, deleted, draft (with or without a backslash), and keywords like "
                   "$Junk.\n"
                   "    postkeep mail flags alice before 1-Jan-2026 --add seen"},
    Command{.noun = "mail",
            .verb = "copy",
            .help = "Copies the messages that match into a mailbox.",
            .parameters = transfer_parameters,
            .print = print_change,
            .stream = stream_copy,
            .json = transfer_json,
            .details = "\"done\" is \"copied\". With --all-mailboxes the target itself is left out."},
    Command{.noun = "mail",
            .verb = "move",
            .help = "Moves the messages that match into a mailbox.",
            .parameters = transfer_parameters,
            .print = print_change,
            .stream = stream_move,
            .json = transfer_json,
            .details =
                "In batches, each of which moves as a whole or not at all. With --all-mailboxes the target itself is "
                "left out.\n"
                "    postkeep mail move alice before 1-Jan-2026 Archive/2025 --create"},
    Command{
        .noun = "mail",
        .verb = "expunge",
        .help = "Removes the messages that match for good, and no others.",
        .parameters = expunge_parameters,
        .print = print_change,
        .stream = stream_expunge,
        .json =
            R"({"done": "removed", "messages": 12, "octets": 48211, "dry_run": true, "mailboxes": [{"mailbox": "Junk", "messages": 12, "octets": 48211}]})",
        .details = "Whatever their flags are: others that a user has marked as deleted stay. Begin with --dry-run.\n"
                   "    postkeep mail expunge alice --mailbox Junk before 1-Nov-2026 --dry-run"},
};

}  // namespace

std::span<const Command> mail_rows() { return mail_commands; }

}  // namespace postkeep::admin
