// Paths of MAIL FROM and RCPT TO. RFC 5321 §4.1.2, RFC 6531 §3.3 (UTF-8), RFC 2033. Called by lmtp/command.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/base/result.h"

namespace postkeep::lmtp {

// RFC 5321 §4.5.3.1 says 64 and 255; UTF-8 addresses and rewritten senders (SRS, VERP) are longer.
inline constexpr std::size_t local_part_octets_max = 256;
inline constexpr std::size_t domain_octets_max = 255;

// A value. Quoting is removed from the local part and a source route is dropped (RFC 5321 §4.1.1.3).
struct Path {
  std::string local_part;  // empty in the null path "<>"
  std::string domain;      // as written, or an address literal with its brackets; empty for "<user>"
  bool is_null() const { return local_part.empty() && domain.empty(); }
  // "user@domain", quoted again where needed; "" for the null path. For logs, Return-Path and Delivered-To.
  std::string to_string() const;
  bool operator==(const Path&) const = default;
};

enum class NullPath { allowed, refused };  // "<>" is a sender, never a recipient
enum class Utf8Path { allowed, refused };  // whether the peer said SMTPUTF8

// Parses a path at the start of `text` ("<user@example.org> SIZE=1") and takes it off. An address without angle
// brackets is understood up to the next space. A domain may be absent. Error: bad_syntax.
Result<Path> take_path(std::string_view& text, NullPath null_path, Utf8Path utf8);

}  // namespace postkeep::lmtp
