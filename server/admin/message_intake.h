// MessageIntake: a message that an admin command takes in from octets as they come, into one spool file, its line ends
// completed as DATA and APPEND do it (docs/on-disk-format.md). Memory does not grow with the message.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/base/result.h"
#include "protocol/line/line_ends.h"
#include "server/admin/commands.h"

namespace postkeep::admin {

class MessageIntake {
 public:
  // Errors: those of MailStore::begin_incoming.
  static Result<MessageIntake> begin(Host& host);

  // Errors: over_quota, unavailable.
  Outcome write(std::string_view octets);
  // Synced; no write after it. May be called on another thread than write().
  Outcome finish();
  const std::shared_ptr<storage::Incoming>& message() const { return incoming_; }
  std::uint64_t size() const { return incoming_->size() + buffer_.size(); }

 private:
  explicit MessageIntake(std::shared_ptr<storage::Incoming> incoming) : incoming_(std::move(incoming)) {}
  std::shared_ptr<storage::Incoming> incoming_;
  line::LineEndConverter line_ends_;
  std::string buffer_;  // not yet handed to the spool
};

}  // namespace postkeep::admin
