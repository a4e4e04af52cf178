#include "server/admin/message_intake.h"

#include <limits>

namespace postkeep::admin {

namespace {

constexpr std::size_t buffer_octets = 256 * 1024;  // handed to the spool at a time

}  // namespace

Result<MessageIntake> MessageIntake::begin(Host& host) {
  // What limits a message counts without what we add to it, so the caller sees to that.
  return MessageIntake(TRY(host.begin_incoming(std::numeric_limits<std::uint64_t>::max())));
}

Outcome MessageIntake::write(std::string_view octets) {
  line_ends_.feed(octets, buffer_);
  if (buffer_.size() < buffer_octets) return {};
  TRY(incoming_->write(buffer_));
  buffer_.clear();
  return {};
}

Outcome MessageIntake::finish() {
  if (!buffer_.empty()) TRY(incoming_->write(buffer_));
  buffer_.clear();
  buffer_.shrink_to_fit();
  return incoming_->finish();
}

}  // namespace postkeep::admin
