// ImportEnd: import's near side. Reads a Maildir tree or an mbox file, asks what each mailbox has, and sends what it
// has not. A message is known by the EMAILID of its octets, line ends completed, and by how often the mailbox and the
// source have it: so identical messages arrive as often as they are there, and a repeated import adds what is missing.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "protocol/mail/ids.h"
#include "server/admin/near_end.h"
#include "server/admin/transfer/maildir_tree.h"
#include "server/admin/transfer/mbox.h"
#include "server/admin/transfer/report.h"

namespace postkeep::admin {

class ImportEnd final : public NearEnd {
 public:
  ImportEnd(nlohmann::json arguments, NearSide& near) : arguments_(std::move(arguments)), near_(near) {}
  Outcome feed(Feed& feed) override;
  void stop() override;
  Outcome take(const nlohmann::json& piece) override;
  Outcome take_octets(std::string_view octets) override;
  bool prints() const override { return false; }
  Outcome finish(const nlohmann::json& result) override;
  void fail() override;

 private:
  // A message of the source that can be read as often as needed.
  struct Offer {
    std::string name;
    Flags flags;
    UnixTime date;
    EmailId id;
    std::uint64_t octets = 0;  // with line ends completed
    std::function<Outcome(const OctetSink&)> read;
  };
  Outcome feed_maildir(Feed& feed, const std::string& path);
  Outcome feed_mbox(Feed& feed, const std::string& path);
  Outcome feed_folder(Feed& feed, const MaildirFolder& folder, Progress& progress);
  // False if the far side cannot have such a mailbox.
  Result<bool> enter(Feed& feed, const MailboxName& name);
  Outcome offer(Feed& feed, const Offer& offer);
  bool is_present(const EmailId& id);

  const nlohmann::json arguments_;
  NearSide& near_;
  TransferReport report_{"added"};

  std::mutex mutex_;  // of what take() tells feed()
  std::condition_variable told_;
  enum class Mailbox { asked, ready, unusable, ended } mailbox_ = Mailbox::asked;
  std::string unusable_reason_;
  std::map<std::string, std::uint32_t> have_;  // EMAILID: how many of them the source has not shown yet
};

}  // namespace postkeep::admin
