#include "server/admin/transfer/export_end.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "server/admin/transfer/mbox_target.h"
#include "storage/digest.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;

class MaildirFolderTarget final : public ExportTarget {
 public:
  MaildirFolderTarget(MaildirTarget target, std::string tree) : target_(std::move(target)), tree_(std::move(tree)) {}
  Result<UidSet> present(UidValidity uid_validity, const UidSet&) override { return target_.present(uid_validity); }
  Outcome begin(const MaildirTarget::Message& message) override { return target_.begin(message); }
  Outcome write(std::string_view octets) override { return target_.write(octets); }
  Outcome end() override {
    unsynced_ = true;
    return target_.end();
  }
  void abandon() override { target_.abandon(); }
  // One sync for all: each file's own would take longer than all else. A sudden stop before it is noticed by the size.
  Outcome complete() override {
    if (!unsynced_) return {};
    unsynced_ = false;
    const int tree = open(tree_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = tree >= 0 && syncfs(tree) == 0;
    const int error = errno;
    if (tree >= 0) close(tree);
    if (synced) return {};
    return failure(ErrorKind::unavailable, "The Maildir could not be synced", tree_ + ": " + std::strerror(error));
  }

 private:
  MaildirTarget target_;
  const std::string tree_;
  bool unsynced_ = false;
};

Flags flags_of(const Json& list) {
  Flags flags;
  for (const Json& flag : list) (void)flags.add_from_wire(flag.get<std::string>());  // storage has no others
  return flags;
}

}  // namespace

Outcome ExportEnd::feed(Feed& feed) {
  std::unique_lock lock(mutex_);
  for (;;) {
    told_.wait_for(lock, std::chrono::milliseconds(100), [this] { return ended_ || !answers_.empty(); });
    if (ended_) return {};
    const Progress progress = progress_;
    std::deque<std::string> answers = std::exchange(answers_, {});
    lock.unlock();
    for (const std::string& have : answers) TRY(feed.send({{"have", have}}));
    if (progress.total > 0) feed.progress(progress);
    lock.lock();
  }
}

void ExportEnd::stop() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  told_.notify_all();
}

Outcome ExportEnd::take(const Json& piece) {
  if (piece.contains("mailbox")) return enter(piece["mailbox"]);
  if (piece.contains("message")) return begin(piece["message"]);
  if (piece.contains("broken")) {
    if (std::exchange(open_, std::nullopt)) target_->abandon();
    const Json& fields = piece["broken"];
    report_.skip(mailbox_ + ", UID " + std::to_string(fields.value("uid", 0U)), fields.value("reason", ""));
    return {};
  }
  return failure(ErrorKind::bad_syntax, "What the far side sent makes no sense");
}

Result<std::unique_ptr<ExportTarget>> ExportEnd::open_target(const MailboxName& mailbox,
                                                             const std::string& source) const {
  if (const auto mbox = text_argument(arguments_, "mbox")) return MboxTarget::open(*mbox, source);
  const std::string tree = TRY(text_argument(arguments_, "maildir"));
  return std::make_unique<MaildirFolderTarget>(TRY(MaildirTarget::open(tree, mailbox, source)), tree);
}

Outcome ExportEnd::enter(const Json& mailbox) {
  TRY(complete());
  mailbox_ = TRY(text_argument(mailbox, "name"));
  uid_validity_ = UidValidity(mailbox.value("uid_validity", 0U));
  const MailboxName name = TRY(MailboxName::from_utf8(mailbox_));
  // Two users, or a mailbox made anew, may have the same UIDVALIDITY.
  const std::string source = storage::hex(storage::sha256(mailbox.value("source", "")), 4);
  target_ = TRY(open_target(name, source));
  const std::string uids = mailbox.value("uids", "");
  const UidSet candidates = uids.empty() ? UidSet() : TRY(UidSet::from_wire(uids));
  const UidSet present = TRY(target_->present(uid_validity_, candidates)).intersect(candidates);
  report_.enter(mailbox_);
  report_.add_present(present.size());
  const std::lock_guard lock(mutex_);
  progress_ = Progress{0, candidates.size() - present.size(), "messages", mailbox_};
  answers_.push_back(present.to_wire());
  told_.notify_all();
  return {};
}

Outcome ExportEnd::begin(const Json& fields) {
  MaildirTarget::Message message;
  message.uid_validity = uid_validity_;
  message.uid = Uid(fields.value("uid", 0U));
  message.internal_date.seconds = fields.value("internal_date", std::int64_t{0});
  message.save_date.seconds = fields.value("save_date", std::int64_t{0});
  message.flags = flags_of(fields.value("flags", Json::array()));
  message.size = missing_ = fields.value("size", std::uint64_t{0});
  TRY(target_->begin(message));
  open_ = std::move(message);
  return missing_ == 0 ? end_message() : Outcome();
}

Outcome ExportEnd::take_octets(std::string_view octets) {
  if (!open_ || octets.size() > missing_) {
    return failure(ErrorKind::bad_syntax, "What the far side sent makes no sense");
  }
  TRY(target_->write(octets));
  missing_ -= octets.size();
  return missing_ == 0 ? end_message() : Outcome();
}

Outcome ExportEnd::end_message() {
  TRY(target_->end());
  report_.add_done(1, open_->size);
  open_.reset();
  const std::lock_guard lock(mutex_);
  ++progress_.done;
  return {};
}

Outcome ExportEnd::complete() { return target_ ? target_->complete() : Outcome(); }

Outcome ExportEnd::finish(const Json&) {
  TRY(complete());
  if (near_.format == NearSide::Format::json) {
    near_.out << report_.to_json().dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  } else {
    report_.print(near_.out);
  }
  if (report_.skipped() == 0) return {};
  return failure(ErrorKind::cannot, "Something was left out; see the report");
}

void ExportEnd::fail() {
  if (open_) target_->abandon();
  (void)complete();  // the next export would find out by itself
  if (near_.format == NearSide::Format::json) return;
  report_.print(near_.err);
  near_.err << "The export is not complete: the same command again adds what is missing.\n";
}

}  // namespace postkeep::admin
