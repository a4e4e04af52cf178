// Flags: system flags and keywords of a message. RFC 9051 §2.3.2, RFC 5788.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"

namespace postkeep {

// The flags that every message can have. \Recent is not here: it belongs to a session, not to a message.
enum class SystemFlag : std::uint8_t { answered = 1, flagged = 2, deleted = 4, seen = 8, draft = 16 };

// A message's flags: a value. Keywords are kept sorted and unique without regard to ASCII case, each
// in the spelling that its mailbox saw first. "$Forwarded" is a keyword like any other here.
class Flags {
 public:
  Flags() = default;

  bool has(SystemFlag flag) const { return (system_ & static_cast<std::uint8_t>(flag)) != 0; }
  void set(SystemFlag flag) { system_ = static_cast<std::uint8_t>(system_ | static_cast<std::uint8_t>(flag)); }
  void clear(SystemFlag flag) { system_ = static_cast<std::uint8_t>(system_ & ~static_cast<std::uint8_t>(flag)); }
  std::uint8_t system_bits() const { return system_; }
  void set_system_bits(std::uint8_t bits) { system_ = bits & 31; }

  bool has_keyword(std::string_view keyword) const;
  void add_keyword(std::string_view keyword);  // no effect if there in any case
  void remove_keyword(std::string_view keyword);
  const std::vector<std::string>& keywords() const { return keywords_; }

  void add(const Flags& other);     // +FLAGS
  void remove(const Flags& other);  // -FLAGS
  bool empty() const { return system_ == 0 && keywords_.empty(); }

  // "\Answered \Seen $Junk": space-separated, without parentheses.
  std::string to_wire() const;
  // Adds one flag as written by a client ("\seen", "$Junk"). Errors: bad_syntax for what is no flag or an
  // unknown system flag; client_bug for \Recent, which clients cannot set.
  Outcome add_from_wire(std::string_view text);

  bool operator==(const Flags& other) const;  // keywords compare without case

 private:
  std::uint8_t system_ = 0;
  std::vector<std::string> keywords_;
};

// How STORE changes flags (RFC 9051 §6.4.6).
enum class FlagChange { replace, add, remove };

// `before` changed as STORE says.
Flags apply(Flags before, FlagChange change, const Flags& operand);

}  // namespace postkeep
