// import and export: the far sides, and the rows. Import says which messages a mailbox has (by EMAILID) and adds those
// that the near side sends then; export sends those that the near side does not have. What is known of a message lies
// in the mailbox, or the files, themselves: so either can be interrupted and repeated.
//
// Import, near to far: {"mailbox": {...}}, then for each message {"message": {...}}, octets, {"whole": true} or
// {"broken": true}. Far to near: {"have": [ids]}..., {"ready": true} or {"unusable": reason}; {"added": n},
// {"refused": {...}}. Export, far to near: {"mailbox": {...}}, which is answered by {"have": "1:5,7"}, then for each
// message {"message": {...}} and exactly its octets, or {"broken": {...}}.
#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "server/admin/commands/arguments.h"
#include "server/admin/commands/rows.h"
#include "server/admin/exchange.h"
#include "server/admin/message_intake.h"
#include "server/admin/transfer/export_end.h"
#include "server/admin/transfer/import_end.h"
#include "server/metrics/metrics.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;
using Kind = Parameter::Kind;
using storage::AccountStore;

constexpr std::size_t rows_at_once = 500;       // asked of an account in one step
constexpr std::size_t batch_messages_max = 64;  // appended in one step: files that are open and synced together
constexpr std::uint64_t batch_octets_max = 32 * 1024 * 1024;
constexpr std::size_t syncs_at_once = 32;  // they wait most of the time, and share the disk's commits
constexpr std::size_t readers_at_once = 32;

// Adds what the near side sends to one mailbox after the other.
class Importer {
 public:
  Importer(Host& host, Exchange& exchange, std::string user, bool dry_run)
      : host_(host), exchange_(exchange), user_(std::move(user)), dry_run_(dry_run) {}

  Outcome run() {
    for (;;) {
      Result<Exchange::Item> item = exchange_.receive();
      if (!item) {
        (void)add_batch();  // what has come whole need not come again
        return tl::unexpected(item.error());
      }
      if (item->kind == Exchange::Item::Kind::end) return add_batch();
      if (item->kind == Exchange::Item::Kind::octets) {
        if (!open_) return nonsense();
        TRY(open_->intake.write(item->octets));
      } else {
        TRY(take(item->value));
      }
    }
  }

 private:
  struct Pending {
    MessageIntake intake;
    std::string name;  // what the near side calls it
    Flags flags;
    UnixTime date;
    Outcome synced = {};
  };

  static tl::unexpected<Error> nonsense() {
    return failure(ErrorKind::bad_syntax, "What the near side sent makes no sense");
  }

  Outcome take(const Json& value) {
    if (value.contains("mailbox")) {
      TRY(add_batch());
      return enter(value["mailbox"]);
    }
    if (value.contains("message")) return begin(value["message"]);
    if (!open_) return nonsense();
    if (value.contains("whole")) {
      batch_octets_ += open_->intake.size();
      batch_.push_back(std::move(*open_));
    }
    open_.reset();
    if (batch_.size() >= batch_messages_max || batch_octets_ >= batch_octets_max) return add_batch();
    return {};
  }

  Result<MailboxName> name_of(const Json& fields) const {
    const std::string name = TRY(text_argument(fields, "name"));
    const MailboxName own = TRY(MailboxName::from_utf8(name));
    const auto under = text_argument(fields, "under");
    if (!under) return own;
    const MailboxName base =
        TRY(MailboxName::from_wire(*under, MailboxName::Encoding::utf8, host_.settings().mailbox.separator));
    if (own.is_inbox()) return base;
    return MailboxName::from_utf8(base.utf8() + "/" + own.utf8());
  }

  // Makes the mailbox if it is missing, and says which messages it has.
  Outcome enter(const Json& fields) {
    const Result<MailboxName> name = name_of(fields);
    const Outcome entered = name ? open_mailbox(*name) : Outcome(tl::unexpect, name.error());
    if (entered) return exchange_.send({{"ready", true}});
    mailbox_.reset();
    const ErrorKind kind = entered.error().kind;
    if (kind != ErrorKind::cannot && kind != ErrorKind::limit) return entered;
    return exchange_.send({{"unusable", entered.error().text}});
  }

  Outcome open_mailbox(const MailboxName& name) {
    UidSet uids;
    const auto look = [&](AccountStore& account) -> Result<Json> {
      Result<storage::Mailbox> found = account.find_mailbox(name);
      const bool missing = found ? !found->exists : found.error().kind == ErrorKind::not_found;
      if (missing && dry_run_) return Json();
      if (missing) {
        found = account.create_mailbox(name);
        if (found) TRY(account.subscribe(name));
      }
      mailbox_ = TRY(std::move(found)).id;
      TRY(account.refresh(*mailbox_));
      const storage::MailboxVersionPtr version = TRY(account.version(*mailbox_));
      uids = version->all_uids();
      return Json();
    };
    TRY(host_.with_account(user_, look));
    while (!uids.empty()) {
      const UidSet some = first_of(uids, rows_at_once);
      uids = uids.subtract(some);
      const Json ids = TRY(ids_of(some));
      TRY(exchange_.send({{"have", ids}}));
    }
    return {};
  }

  Result<Json> ids_of(const UidSet& uids) {
    return host_.with_account(user_, [&](AccountStore& account) -> Result<Json> {
      storage::FetchWants wants;
      wants.object_ids = true;
      Json ids = Json::array();
      for (const storage::MessageRow& row : TRY(account.fetch(*mailbox_, uids, wants)))
        ids.push_back(to_wire(row.email_id));
      return ids;
    });
  }

  Outcome begin(const Json& fields) {
    if (!mailbox_ || dry_run_) return nonsense();
    Pending pending{TRY(MessageIntake::begin(host_)), fields.value("name", ""), {}, {}, {}};
    pending.date.seconds = fields.value("date", std::int64_t{0});
    pending.intake.message()->set_internal_date(pending.date);
    for (const Json& flag : fields.value("flags", Json::array())) {
      if (flag.is_string()) (void)pending.flags.add_from_wire(flag.get<std::string>());  // the near side made sure
    }
    open_.emplace(std::move(pending));
    return {};
  }

  void sync_batch() {
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      for (std::size_t i = next++; i < batch_.size(); i = next++) batch_[i].synced = batch_[i].intake.finish();
    };
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < std::min(syncs_at_once, batch_.size()); ++i) threads.emplace_back(work);
    work();
    for (std::thread& thread : threads) thread.join();
  }

  Result<Json> append(std::span<Pending> some) {
    std::vector<storage::AppendItem> items;
    for (const Pending& pending : some) items.push_back({pending.intake.message(), pending.flags, pending.date});
    return host_.with_account(user_, [&](AccountStore& account) -> Result<Json> {
      TRY(account.append(*mailbox_, items));
      return Json();
    });
  }

  // All or nothing; where that fails for what a message has, one by one.
  Outcome add_batch() {
    if (batch_.empty()) return {};
    sync_batch();
    for (const Pending& pending : batch_) TRY(Outcome(pending.synced));
    Result<Json> appended = append(batch_);
    std::size_t added = batch_.size();
    if (!appended && appended.error().kind == ErrorKind::limit) {
      added = TRY(add_singly());
    } else if (!appended) {
      return tl::unexpected(appended.error());
    }
    const std::uint64_t octets = std::exchange(batch_octets_, 0);
    batch_.clear();
    server::metrics().messages_appended.add(added);
    return exchange_.send({{"added", added}, {"octets", octets}});
  }

  Result<std::size_t> add_singly() {
    std::size_t added = 0;
    for (Pending& pending : batch_) {
      Result<Json> appended = append({&pending, 1});
      if (!appended &&
          appended.error().kind == ErrorKind::limit) {  // too many keywords: better without than not at all
        for (const std::string& keyword : std::vector<std::string>(pending.flags.keywords()))
          pending.flags.remove_keyword(keyword);
        appended = append({&pending, 1});
        if (appended)
          TRY(exchange_.send(
              {{"note", {{"name", pending.name}, {"reason", "keywords left out: the mailbox has too many"}}}}));
      }
      if (!appended && appended.error().kind != ErrorKind::limit) return tl::unexpected(appended.error());
      if (appended) {
        ++added;
      } else {
        TRY(exchange_.send({{"refused", {{"name", pending.name}, {"reason", appended.error().text}}}}));
      }
    }
    return added;
  }

  Host& host_;
  Exchange& exchange_;
  const std::string user_;
  const bool dry_run_;
  std::optional<MailboxId> mailbox_;  // none: not made, in a dry run
  std::optional<Pending> open_;       // of which octets come
  std::vector<Pending> batch_;
  std::uint64_t batch_octets_ = 0;
};

Result<Json> stream_import(Host& host, const Json& arguments, Exchange& exchange) {
  const std::string user = TRY(existing_user(host, arguments)).name;
  TRY(Importer(host, exchange, user, flag_argument(arguments, "dry-run")).run());
  return Json();
}

// Sends one mailbox after the other.
class Exporter {
 public:
  Exporter(Host& host, Exchange& exchange, std::string user)
      : host_(host), exchange_(exchange), user_(std::move(user)) {}

  Outcome send(const storage::Mailbox& mailbox) {
    storage::MailboxVersionPtr version;
    const auto look = [&](AccountStore& account) -> Result<Json> {
      TRY(account.refresh(mailbox.id));
      version = TRY(account.version(mailbox.id));
      return Json();
    };
    TRY(host_.with_account(user_, look));
    TRY(exchange_.send({{"mailbox",
                         {{"name", mailbox.name.utf8()},
                          {"source", user_ + "/" + to_wire(mailbox.id)},
                          {"uid_validity", version->facts().uid_validity.value()},
                          {"uids", version->all_uids().to_wire()}}}}));
    const Exchange::Item answer = TRY(exchange_.receive());
    const std::string have = TRY(text_argument(answer.value, "have"));
    UidSet uids = version->all_uids();
    if (!have.empty()) uids = uids.subtract(TRY(UidSet::from_wire(have)));
    while (!uids.empty()) {
      const UidSet some = first_of(uids, readers_at_once);
      uids = uids.subtract(some);
      TRY(send_some(mailbox.id, *version, some));
    }
    return {};
  }

 private:
  struct Opened {
    storage::MessageRow row;
    std::unique_ptr<storage::MessageReader> reader;
    std::optional<Error> error;
  };

  Outcome send_some(MailboxId mailbox, const storage::MailboxVersion& version, const UidSet& uids) {
    std::vector<Opened> opened;
    const auto open_all = [&](AccountStore& account) -> Result<Json> {
      storage::FetchWants wants;
      wants.dates = true;
      for (storage::MessageRow& row : TRY(account.fetch(mailbox, uids, wants))) {
        Opened& one = opened.emplace_back();
        auto reader = account.open_message(mailbox, row.uid);
        one.row = std::move(row);
        if (reader) {
          one.reader = std::move(*reader);
        } else {
          one.error = reader.error();
        }
      }
      return Json();
    };
    TRY(host_.with_account(user_, open_all));
    for (const Opened& one : opened) {
      if (one.reader) {
        TRY(send_message(version, one));
      } else if (one.error->kind != ErrorKind::expunge_issued) {  // that one is simply gone meanwhile
        TRY(exchange_.send({{"broken", {{"uid", one.row.uid.value()}, {"reason", one.error->text}}}}));
      }
    }
    return {};
  }

  Outcome send_message(const storage::MailboxVersion& version, const Opened& one) {
    const auto state = version.find(one.row.uid);
    Json flags = Json::array();
    if (state) {
      const std::string wire = version.flags_of(*state).to_wire();
      for (std::size_t at = 0; at < wire.size();) {
        const std::size_t end = std::min(wire.find(' ', at), wire.size());
        flags.push_back(wire.substr(at, end - at));
        at = end + 1;
      }
    }
    const std::uint64_t size = one.reader->size();
    TRY(exchange_.send({{"message",
                         {{"uid", one.row.uid.value()},
                          {"flags", std::move(flags)},
                          {"internal_date", one.row.internal_date.seconds},
                          {"save_date", one.row.save_date.seconds},
                          {"size", size}}}}));
    std::string block;
    for (std::uint64_t at = 0; at < size; at += block.size()) {
      block.clear();
      Outcome read = one.reader->read(at, channel_block_octets, block);
      if (read && block.empty()) read = failure(ErrorKind::corruption, "The message is shorter than it should be");
      if (!read) return exchange_.send({{"broken", {{"uid", one.row.uid.value()}, {"reason", read.error().text}}}});
      TRY(exchange_.send_octets(block));
    }
    return {};
  }

  Host& host_;
  Exchange& exchange_;
  const std::string user_;
};

Result<Json> stream_export(Host& host, const Json& arguments, Exchange& exchange) {
  const std::string user = TRY(existing_user(host, arguments)).name;
  std::optional<MailboxName> only;
  if (const auto name = text_argument(arguments, "mailbox")) {
    only = TRY(MailboxName::from_wire(*name, MailboxName::Encoding::utf8, host.settings().mailbox.separator));
  } else if (arguments.contains("mbox")) {
    only = MailboxName::inbox();
  }
  std::vector<storage::Mailbox> mailboxes;
  const auto look = [&](AccountStore& account) -> Result<Json> {
    mailboxes = TRY(account.list_mailboxes());
    return Json();
  };
  TRY(host.with_account(user, look));
  std::erase_if(mailboxes,
                [&](const storage::Mailbox& mailbox) { return !mailbox.exists || (only && mailbox.name != *only); });
  if (mailboxes.empty()) return failure(ErrorKind::not_found, "There is no such mailbox");
  Exporter exporter(host, exchange, user);
  for (const storage::Mailbox& mailbox : mailboxes) TRY(exporter.send(mailbox));
  return Json();
}

// Either --maildir or --mbox.
Outcome check_places(Json& arguments, const Settings&, NearSide&) {
  if (arguments.contains("maildir") != arguments.contains("mbox")) return {};
  return failure(ErrorKind::bad_syntax, "Give either --maildir DIR or --mbox FILE");
}

std::unique_ptr<NearEnd> make_import_end(const Command&, const Json& arguments, NearSide& near) {
  return std::make_unique<ImportEnd>(arguments, near);
}
std::unique_ptr<NearEnd> make_export_end(const Command&, const Json& arguments, NearSide& near) {
  return std::make_unique<ExportEnd>(arguments, near);
}
using Completes = Parameter::Completes;
constexpr Parameter mbox_parameter(std::string_view help) {
  return {Kind::option, "mbox", "FILE", help, 0, Completes::file};
}
constexpr Parameter maildir_parameter(std::string_view help) {
  return {Kind::option, "maildir", "DIR", help, 0, Completes::file};
}
constexpr std::array import_parameters = {
    Parameter{Kind::positional, "user", "", "whose mail it becomes", 0, Completes::user},
    maildir_parameter("a Maildir with its subfolders (Maildir++)"),
    mbox_parameter("an mbox file"),
    Parameter{Kind::option, "mailbox", "MAILBOX",
              "where to: of an mbox file the mailbox (INBOX), of a Maildir the one under "
              "which its mailboxes go",
              0, Completes::mailbox},
    Parameter{Kind::flag, "dry-run", "", "tell what would be added and add nothing"},
};
constexpr std::array export_parameters = {
    Parameter{Kind::positional, "user", "", "whose mail", 0, Completes::user},
    maildir_parameter("a Maildir (Maildir++) to be made or completed"),
    mbox_parameter("an mbox file to be made or completed"),
    Parameter{Kind::option, "mailbox", "MAILBOX", "this one alone; for an mbox file INBOX if none is named", 0,
              Completes::mailbox},
};

constexpr std::array transfer_commands = {
    Command{
        .noun = "import",
        .help = "Adds the messages of a Maildir or mbox file that are not there yet.",
        .parameters = import_parameters,
        .prepare = check_places,
        .print = print_nothing,
        .stream = stream_import,
        .near_end = make_import_end,
        .json =
            R"({"mailboxes": [{"name": "INBOX", "added": 12, "present": 800}], "added": 12, "octets": 48211, "present": 800, "skipped": [{"what": "cur/17.M1.mx:2,S", "reason": "The message is too large"}], "skipped_count": 1, "notes": [], "seconds": 0.4, "dry_run": false})",
        .details = "Begun again after an interruption it goes on where it was; run twice it adds nothing twice. What "
                   "cannot be read is told by name, and the rest is imported.\n"
                   "    postkeep import alice --maildir /home/alice/Maildir --dry-run\n"
                   "    postkeep import alice --mbox old.mbox --mailbox Archive/2019"},
    Command{
        .noun = "export",
        .help = "Writes a user's messages to a Maildir or mbox file, those that are not there yet.",
        .parameters = export_parameters,
        .prepare = check_places,
        .print = print_nothing,
        .stream = stream_export,
        .near_end = make_export_end,
        .json =
            R"({"mailboxes": [{"name": "INBOX", "written": 12, "present": 800}], "written": 12, "octets": 48211, "present": 800, "skipped": [], "skipped_count": 0, "notes": [], "seconds": 0.4})",
        .details = "It can be begun again as `postkeep import` can. Flags of messages already written are not "
                   "changed.\n"
                   "    postkeep export alice --maildir /backup/alice"},
};

}  // namespace

std::span<const Command> transfer_rows() { return transfer_commands; }

}  // namespace postkeep::admin
