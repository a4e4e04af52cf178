// LMTP replies to bytes. RFC 5321 §4.2, RFC 2034 and RFC 3463 (enhanced status codes). Called by the LMTP session.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postkeep::lmtp {

// A value.
struct Reply {
  int code = 250;                  // 200..599
  std::string enhanced;            // "2.0.0"; empty in the greeting and the answer to LHLO (RFC 2034 §4)
  std::vector<std::string> lines;  // at least one is written; no line ends in them
  Reply() = default;
  Reply(int reply_code, std::string enhanced_code, std::string text)
      : code(reply_code), enhanced(std::move(enhanced_code)), lines{std::move(text)} {}
};

// Appends "250-first\r\n250 last\r\n". What a line must not hold (controls, 8-bit octets) is written as "?".
void write_reply(std::string& out, const Reply& reply);

}  // namespace postkeep::lmtp
