// ExportEnd: export's near side. Writes what the far side sends into a Maildir tree or an mbox file, and says of each
// mailbox what is there already: for a Maildir the names of the files tell, for an mbox file a small file beside it,
// <file>.postkeep-export. So an export that was interrupted goes on where it was, and a later one adds what is new.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "server/admin/near_end.h"
#include "server/admin/transfer/maildir_tree.h"
#include "server/admin/transfer/report.h"

namespace postkeep::admin {

// Where messages go: a folder of a Maildir or an mbox file.
class ExportTarget {
 public:
  virtual ~ExportTarget() = default;
  // Errors of all: over_quota, unavailable, cannot.
  virtual Result<UidSet> present(UidValidity uid_validity, const UidSet& candidates) = 0;
  virtual Outcome begin(const MaildirTarget::Message& message) = 0;
  virtual Outcome write(std::string_view octets) = 0;
  virtual Outcome end() = 0;
  virtual void abandon() = 0;      // instead of end()
  virtual Outcome complete() = 0;  // after the last: on disk for good
};

class ExportEnd final : public NearEnd {
 public:
  ExportEnd(nlohmann::json arguments, NearSide& near) : arguments_(std::move(arguments)), near_(near) {}
  Outcome feed(Feed& feed) override;
  void stop() override;
  Outcome take(const nlohmann::json& piece) override;
  Outcome take_octets(std::string_view octets) override;
  bool prints() const override { return false; }
  Outcome finish(const nlohmann::json& result) override;
  void fail() override;

 private:
  Outcome enter(const nlohmann::json& mailbox);
  Outcome begin(const nlohmann::json& fields);
  Outcome end_message();
  Outcome complete();
  Result<std::unique_ptr<ExportTarget>> open_target(const MailboxName& mailbox, const std::string& source) const;

  const nlohmann::json arguments_;
  NearSide& near_;
  TransferReport report_{"written"};
  std::unique_ptr<ExportTarget> target_;
  std::string mailbox_;
  UidValidity uid_validity_;
  std::optional<MaildirTarget::Message> open_;
  std::uint64_t missing_ = 0;  // octets of the open message that have not come yet

  std::mutex mutex_;  // of what take() tells feed()
  std::condition_variable told_;
  std::deque<std::string> answers_;
  bool ended_ = false;
  Progress progress_;
};

}  // namespace postkeep::admin
