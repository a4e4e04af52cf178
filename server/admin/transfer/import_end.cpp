#include "server/admin/transfer/import_end.h"

#include <sys/stat.h>

#include <utility>

#include "protocol/line/line_ends.h"
#include "protocol/mime/header_fields.h"
#include "storage/digest.h"
#include "storage/message_facts.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;

constexpr std::size_t header_octets_max = 64 * 1024;  // looked at for a date

// What a message will be when it is stored: its id and size, and, for a file without dates, its header.
class Survey {
 public:
  Outcome feed(std::string_view octets) {
    std::string converted;
    line_ends_.feed(octets, converted);
    hash_.update(converted);
    octets_ += converted.size();
    if (header_.size() < header_octets_max) header_ += converted.substr(0, header_octets_max - header_.size());
    return {};
  }
  OctetSink sink() {
    return [this](std::string_view octets) { return feed(octets); };
  }
  EmailId id() { return storage::email_id_of(hash_.finish()); }
  std::uint64_t octets() const { return octets_; }
  const std::string& header() const { return header_; }

 private:
  line::LineEndConverter line_ends_;
  storage::Sha256 hash_;
  std::uint64_t octets_ = 0;
  std::string header_;
};

// When it was received, else when it was sent.
std::optional<UnixTime> date_of_header(std::string_view header) {
  const auto fields = mime::read_header(header);
  if (const mime::HeaderField* received = mime::find_field(fields, "Received")) {
    const std::string value = mime::unfold(received->value);
    const std::size_t semicolon = value.rfind(';');
    const auto date = parse_rfc5322_date(semicolon == std::string::npos ? "" : value.substr(semicolon + 1));
    if (date) return date->time;
  }
  if (const mime::HeaderField* sent = mime::find_field(fields, "Date")) {
    if (const auto date = parse_rfc5322_date(mime::unfold(sent->value))) return date->time;
  }
  return std::nullopt;
}

Json flags_of(const Flags& flags) {
  Json list = Json::array();
  const std::string wire = flags.to_wire();
  for (std::size_t at = 0; at < wire.size();) {
    const std::size_t end = std::min(wire.find(' ', at), wire.size());
    list.push_back(wire.substr(at, end - at));
    at = end + 1;
  }
  return list;
}

bool is_gone(const Outcome& outcome) { return !outcome && outcome.error().kind == ErrorKind::not_found; }

}  // namespace

Outcome ImportEnd::feed(Feed& feed) {
  if (const auto maildir = text_argument(arguments_, "maildir")) return feed_maildir(feed, *maildir);
  return feed_mbox(feed, TRY(text_argument(arguments_, "mbox")));
}

Outcome ImportEnd::feed_maildir(Feed& feed, const std::string& path) {
  const MaildirTree tree = TRY(read_maildir_tree(path));
  for (const std::string& name : tree.ignored) report_.skip(name, "its name cannot be a mailbox's");
  Progress progress;
  progress.unit = "messages";
  for (const MaildirFolder& folder : tree.folders) progress.total += TRY(count_messages(folder));
  for (const MaildirFolder& folder : tree.folders) {
    progress.text = folder.mailbox.utf8();
    TRY(feed_folder(feed, folder, progress));
  }
  return {};
}

Outcome ImportEnd::feed_folder(Feed& feed, const MaildirFolder& folder, Progress& progress) {
  if (!TRY(enter(feed, folder.mailbox))) {
    progress.done += TRY(count_messages(folder));
    return {};
  }
  for (const MaildirMessage& message : TRY(read_maildir_folder(folder))) {
    Survey survey;
    const Outcome read = read_file(message.path, survey.sink());
    if (read) {
      const Offer one{message.path,    message.flags,
                      message.date,    survey.id(),
                      survey.octets(), [&message](const OctetSink& sink) { return read_file(message.path, sink); }};
      TRY(offer(feed, one));
    } else {
      // A program that uses the Maildir renamed or removed it; or the disk fails, which stops nobody else's mail.
      report_.skip(message.path,
                   is_gone(read) ? "it was renamed or removed meanwhile: import once more" : read.error().detail);
    }
    ++progress.done;
    feed.progress(progress);
  }
  return {};
}

Outcome ImportEnd::feed_mbox(Feed& feed, const std::string& path) {
  MboxReader reader = TRY(MboxReader::open(path));
  struct stat info {};
  stat(path.c_str(), &info);
  if (!TRY(enter(feed, MailboxName::inbox()))) return {};
  Progress progress;
  progress.unit = "octets";
  progress.total = reader.size();
  for (std::size_t number = 1;; ++number) {
    Survey survey;
    const auto message = TRY(reader.next(survey.sink()));
    if (!message) return {};
    const UnixTime file_date{info.st_mtim.tv_sec};
    const UnixTime date = message->date.value_or(date_of_header(survey.header()).value_or(file_date));
    const Offer one{"message " + std::to_string(number),
                    message->flags,
                    date,
                    survey.id(),
                    survey.octets(),
                    [&](const OctetSink& sink) { return reader.read(*message, sink); }};
    TRY(offer(feed, one));
    progress.done = message->end;
    feed.progress(progress);
  }
}

Result<bool> ImportEnd::enter(Feed& feed, const MailboxName& name) {
  {
    const std::lock_guard lock(mutex_);
    if (mailbox_ == Mailbox::ended) return failure(ErrorKind::unavailable, "The far side has ended");
    mailbox_ = Mailbox::asked;
    have_.clear();
  }
  Json fields = {{"name", name.utf8()}};
  const auto under = text_argument(arguments_, "mailbox");
  if (under) fields["under"] = *under;
  TRY(feed.send({{"mailbox", fields}}));
  std::unique_lock lock(mutex_);
  told_.wait(lock, [this] { return mailbox_ != Mailbox::asked; });
  if (mailbox_ == Mailbox::ended) return failure(ErrorKind::unavailable, "The far side has ended");
  std::string shown = name.utf8();
  if (under) shown = name.is_inbox() ? *under : *under + " / " + shown;
  if (mailbox_ == Mailbox::unusable) {
    report_.skip(shown, unusable_reason_);
    return false;
  }
  report_.enter(shown);
  return true;
}

bool ImportEnd::is_present(const EmailId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = have_.find(to_wire(id));
  if (found == have_.end()) return false;
  if (--found->second == 0) have_.erase(found);
  return true;
}

Outcome ImportEnd::offer(Feed& feed, const Offer& offer) {
  if (is_present(offer.id)) {
    report_.add_present(1);
    return {};
  }
  if (flag_argument(arguments_, "dry-run")) {
    report_.add_done(1, offer.octets);
    return {};
  }
  TRY(feed.send({{"message", {{"name", offer.name}, {"flags", flags_of(offer.flags)}, {"date", offer.date.seconds}}}}));
  bool far_failed = false;
  const Outcome read = offer.read([&](std::string_view octets) {
    const Outcome sent = feed.send_octets(octets);
    far_failed = !sent;
    return sent;
  });
  if (far_failed) return read;
  if (!read) report_.skip(offer.name, read.error().text);
  return feed.send({{read ? "whole" : "broken", true}});
}

void ImportEnd::stop() {
  const std::lock_guard lock(mutex_);
  mailbox_ = Mailbox::ended;
  told_.notify_all();
}

Outcome ImportEnd::take(const Json& piece) {
  if (piece.contains("added")) {
    report_.add_done(piece["added"], piece.value("octets", std::uint64_t{0}));
  } else if (piece.contains("refused")) {
    report_.skip(piece["refused"].value("name", ""), piece["refused"].value("reason", ""));
  } else if (piece.contains("note")) {
    report_.note(piece["note"].value("name", ""), piece["note"].value("reason", ""));
  } else {
    const std::lock_guard lock(mutex_);
    if (piece.contains("have")) {
      for (const Json& id : piece["have"]) ++have_[id.get<std::string>()];
    } else if (piece.contains("ready")) {
      mailbox_ = Mailbox::ready;
    } else if (piece.contains("unusable")) {
      mailbox_ = Mailbox::unusable;
      unusable_reason_ = piece["unusable"].get<std::string>();
    }
    if (!piece.contains("have")) told_.notify_all();
  }
  return {};
}

Outcome ImportEnd::take_octets(std::string_view) {
  return failure(ErrorKind::bad_syntax, "What the far side sent makes no sense");
}

Outcome ImportEnd::finish(const Json&) {
  if (near_.format == NearSide::Format::json) {
    Json report = report_.to_json();
    report["dry_run"] = flag_argument(arguments_, "dry-run");
    near_.out << report.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  } else {
    if (flag_argument(arguments_, "dry-run")) near_.out << "Nothing was added (--dry-run). What would be:\n";
    report_.print(near_.out);
  }
  if (report_.skipped() == 0) return {};
  return failure(ErrorKind::cannot, "Something was left out; see the report");
}

void ImportEnd::fail() {
  if (near_.format == NearSide::Format::json) return;
  report_.print(near_.err);
  near_.err << "The import is not complete: the same command again adds what is missing.\n";
}

}  // namespace postkeep::admin
