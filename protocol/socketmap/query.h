// The questions and answers of socketmap_table(5) of Postfix: "name key" in a netstring, and back a status with a
// value or a reason. Called by server/mta.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/base/result.h"

namespace postkeep::socketmap {

// A question: the name of a map and an address (RFC 5321 §4.5.3.1.3 ends paths at 256 octets; room is left for what
// else may be looked up).
inline constexpr std::size_t query_octets_max = 4096;
// An answer; Postfix takes 100,000 octets.
inline constexpr std::size_t answer_octets_max = 16 * 1024;

struct Query {
  std::string map;
  std::string key;  // may be empty, and may hold spaces
};
// Errors: bad_syntax.
Result<Query> parse_query(std::string_view text);

enum class Status {
  ok,         // `text` is what was found
  not_found,  // there is no such key; no text
  temp,       // we could not find out: the mail is to be tried again
  timeout,    // likewise, since it took too long
  perm,       // the question cannot be answered, ever
};
struct Answer {
  Status status = Status::not_found;
  std::string text;  // a reason is a sentence in ASCII
  Answer() = default;
  Answer(Status answer_status, std::string answer_text) : status(answer_status), text(std::move(answer_text)) {}
};
// Appends the answer as a netstring. Line ends and NUL in the text become spaces, since it goes into SMTP replies; what
// is beyond answer_octets_max is `perm` instead.
void write_answer(std::string& out, const Answer& answer);

}  // namespace postkeep::socketmap
