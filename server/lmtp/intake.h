// A message on its way in by DATA or BDAT: what comes goes into one spool file, memory bounded; then it is synced.
// RFC 5321 §4.5.2 (dots), RFC 3030 (BDAT). Used by lmtp/commands; what becomes of the message then is lmtp/delivery.
#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/line/dot_stuffing.h"
#include "protocol/line/line_ends.h"
#include "server/runtime/services.h"

namespace postkeep::server {

// How the octets of a message come.
enum class LmtpFraming {
  dots,           // DATA: lines, dots stuffed, up to CRLF "." CRLF
  chunks,         // BDAT: text in chunks
  binary_chunks,  // BDAT after BODY=BINARYMIME: kept octet for octet
};

// Of one transaction, on the session's thread. Once it has failed() it drops what comes, so that the peer can finish.
class LmtpIntake {
 public:
  static constexpr std::size_t buffer_octets = 256 * 1024;  // handed to the spool at a time
  // Of the header, kept aside: the Message-ID of a message that has it behind this is not found.
  static constexpr std::size_t header_octets_max = 64 * 1024;

  // `trace_fields` come before the message.
  LmtpIntake(SessionContext& context, LmtpFraming framing, std::string trace_fields);

  // Takes octets; returns how many it used: all, or with `dots` those up to the end of the message.
  asio::awaitable<std::size_t> feed(std::string_view bytes);
  bool is_complete() const { return unstuffer_.finished(); }  // with `dots`
  // The end: syncs what has come.
  asio::awaitable<void> finish();

  // Why the message cannot be kept: too_big; bad_syntax (a bare LF that is refused); over_quota, unavailable.
  const std::optional<Error>& failed() const { return failed_; }
  std::uint64_t received() const { return received_; }  // octets of the message, without the trace fields
  // The beginning of the message, with its header as far as header_octets_max goes.
  const std::string& beginning() const { return beginning_; }
  // After finish(), if it has not failed.
  const std::shared_ptr<storage::Incoming>& message() const { return incoming_; }

 private:
  std::size_t decode(std::string_view bytes);
  void check();
  asio::awaitable<void> spool(bool last);

  SessionContext& context_;
  const LmtpFraming framing_;
  line::DotUnstuffer unstuffer_;
  line::LineEndConverter converter_;
  std::string buffer_;
  std::string beginning_;
  std::uint64_t received_ = 0;
  std::shared_ptr<storage::Incoming> incoming_;
  std::optional<Error> failed_;
};

}  // namespace postkeep::server
