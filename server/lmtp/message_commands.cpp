// DATA and BDAT: how a message comes in, and the replies to it. RFC 5321 §4.1.1.4, RFC 3030, RFC 2033 §4.2 and §4.3.
#include <algorithm>
#include <utility>
#include <vector>

#include "protocol/base/seeded_fault.h"
#include "server/lmtp/commands.h"
#include "server/lmtp/delivery.h"

namespace postkeep::server {

asio::awaitable<void> LmtpCommands::deliver(LmtpIntake& intake) {
  co_await intake.finish();
  LmtpDelivery delivery(context_, envelope_, intake);
  const std::vector<lmtp::Reply> replies = co_await delivery.deliver();
  for (const lmtp::Reply& each : replies) {
    lmtp::write_reply(context_.connection.output(), each);
    if (seeded(Fault::one_reply_for_all)) break;
  }
}

asio::awaitable<void> LmtpCommands::data() {
  if (chunks_ || (in_mail_ && envelope_.body == lmtp::BodyType::binary_mime)) {  // RFC 3030 §2, §3
    refuse(503, "5.5.1", "This message comes by BDAT");
    co_return;
  }
  if (envelope_.recipients.empty() && !seeded(Fault::data_for_nobody)) {  // RFC 2033 §4.2
    refuse(503, "5.5.1", in_mail_ ? "No valid recipients" : "Send MAIL first");
    co_return;
  }
  Connection& connection = context_.connection;
  reply(354, "", "End with a line of one dot");
  LmtpIntake intake(context_, LmtpFraming::dots, trace_fields(context_, envelope_));
  std::string bytes = framer_.take_buffered();
  co_await connection.flush();
  while (true) {
    const std::size_t used = co_await intake.feed(bytes);
    if (intake.is_complete()) {
      framer_.push(std::string_view(bytes).substr(used));
      break;
    }
    bytes.clear();
    const std::size_t count = co_await connection.read_some(bytes);
    if (count == 0) throw ConnectionEnded(Ending::failed, "the peer left inside DATA; nothing was delivered");
  }
  co_await deliver(intake);
  reset();
}

// The octets of the chunk, as they come. Without chunks_ they are dropped.
asio::awaitable<void> LmtpCommands::take_chunk(std::uint64_t octets) {
  Connection& connection = context_.connection;
  while (octets > 0) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(octets, Connection::read_bytes_max));
    std::string bytes = framer_.take_buffered(wanted);
    if (bytes.empty()) {
      co_await connection.flush();
      const std::size_t count = co_await connection.read_some(bytes);
      if (count == 0) throw ConnectionEnded(Ending::failed, "the peer left inside BDAT; nothing was delivered");
      framer_.push(bytes);
      continue;
    }
    octets -= bytes.size();
    if (chunks_) co_await chunks_->feed(bytes);
  }
}

// Whatever the answer, the octets are taken: they are no commands (RFC 3030 §2).
asio::awaitable<void> LmtpCommands::bdat(lmtp::Bdat command) {
  const bool wanted = !envelope_.recipients.empty();
  if (wanted && !chunks_) {
    const bool binary = envelope_.body == lmtp::BodyType::binary_mime;
    std::string fields = trace_fields(context_, envelope_);
    chunks_ = std::make_unique<LmtpIntake>(context_, binary ? LmtpFraming::binary_chunks : LmtpFraming::chunks,
                                           std::move(fields));
  }
  if (wanted || !seeded(Fault::refused_chunk_is_heard)) co_await take_chunk(command.octets);
  if (!in_mail_) {
    refuse(503, "5.5.1", "Send MAIL first");
  } else if (command.last) {
    co_await end_chunks();
  } else if (!wanted) {
    refuse(503, "5.5.1", "No valid recipients");
  } else if (chunks_->failed()) {
    lmtp::write_reply(context_.connection.output(),
                      reply_for(*chunks_->failed(), context_.settings->quota.on_delivery));
  } else {
    reply(250, "2.0.0", std::to_string(command.octets) + " octets received");
  }
}

// After BDAT LAST: one reply for each recipient, so none where there is none (RFC 2033 §4.3).
asio::awaitable<void> LmtpCommands::end_chunks() {
  if (chunks_) co_await deliver(*chunks_);
  reset();
}

}  // namespace postkeep::server
