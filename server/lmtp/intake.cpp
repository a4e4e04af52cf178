#include "server/lmtp/intake.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace postkeep::server {
namespace {

// The limit is checked here, where what we add to the message does not count.
constexpr std::uint64_t spool_octets_max = std::numeric_limits<std::uint64_t>::max();

enum class Last { no, yes };

// Named functions make the jobs, away from any co_await (style.md C0).
Awaitable<Outcome> write_to_spool(Gateway& gateway, std::shared_ptr<storage::Incoming> incoming, std::string bytes,
                                  Last last) {
  return gateway.run_beside([incoming = std::move(incoming), bytes = std::move(bytes), last]() -> Outcome {
    TRY(incoming->write(bytes));
    return last == Last::yes ? incoming->finish() : Outcome();
  });
}

}  // namespace

LmtpIntake::LmtpIntake(SessionContext& context, LmtpFraming framing, std::string trace_fields)
    : context_(context), framing_(framing), buffer_(std::move(trace_fields)) {}

std::size_t LmtpIntake::decode(std::string_view bytes) {
  switch (framing_) {
    case LmtpFraming::dots:
      return unstuffer_.feed(bytes, buffer_);
    case LmtpFraming::chunks:
      converter_.feed(bytes, buffer_);
      return bytes.size();
    case LmtpFraming::binary_chunks:
      buffer_ += bytes;
      return bytes.size();
  }
  return bytes.size();
}

void LmtpIntake::check() {
  const Settings& settings = *context_.settings;
  const std::uint64_t limit = settings.limits.message_size;
  if (limit != 0 && received_ > limit) {
    failed_ = Error(ErrorKind::too_big, "Message is larger than " + std::to_string(limit) + " octets");
  } else if (settings.lmtp.bare_lf == BareLf::reject && (unstuffer_.saw_bare_lf() || converter_.saw_bare_lf())) {
    failed_ = Error(ErrorKind::bad_syntax, "Lines of a message must end with CR and LF", "a bare LF in the message");
  }
  if (failed_) incoming_.reset();
}

asio::awaitable<std::size_t> LmtpIntake::feed(std::string_view bytes) {
  const std::size_t before = buffer_.size();
  const std::size_t used = decode(bytes);
  const std::string_view fresh = std::string_view(buffer_).substr(before);
  received_ += fresh.size();
  beginning_ += fresh.substr(0, header_octets_max - std::min(header_octets_max, beginning_.size()));
  if (!failed_) check();
  if (failed_) {
    buffer_.clear();
  } else if (buffer_.size() >= buffer_octets) {
    co_await spool(false);
  }
  co_return used;
}

asio::awaitable<void> LmtpIntake::finish() {
  if (!failed_) co_await spool(true);
}

asio::awaitable<void> LmtpIntake::spool(bool last) {
  Gateway& gateway = context_.services.gateway;
  std::string bytes = std::exchange(buffer_, std::string());
  if (!incoming_ && last) {
    Gateway::WholeMessage whole;
    whole.bytes = std::move(bytes);
    auto taken = co_await gateway.take_incoming(spool_octets_max, std::move(whole));
    if (taken) incoming_ = std::move(*taken);
    if (!taken) failed_ = std::move(taken).error();
    co_return;
  }
  if (!incoming_) {
    auto begun = co_await gateway.begin_incoming(spool_octets_max);
    if (!begun) {
      failed_ = std::move(begun).error();
      co_return;
    }
    incoming_ = std::move(*begun);
  }
  const Outcome written = co_await write_to_spool(gateway, incoming_, std::move(bytes), last ? Last::yes : Last::no);
  if (!written) {
    failed_ = written.error();
    incoming_.reset();
  }
}

}  // namespace postkeep::server
