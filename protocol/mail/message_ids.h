// Message IDs as threading compares them. RFC 5256 §3 (THREAD, REFERENCES), RFC 5322 §3.6.4.
// Called by mime/collation_keys. Pure; never fails; linear.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postkeep {

// Octets of one message ID. A line has at most 998 (RFC 5322 §2.1.1), so a longer one was never sent by a mail program.
inline constexpr std::size_t message_id_octets_max = 998;

// The valid message IDs ("<left@right>") in the value of Message-ID, In-Reply-To or References, in order, the last
// `count_max` of them. Normalised: without brackets, quoting and white space; letters keep their case.
// What is no message ID is passed over: addresses, dates and words stand in old In-Reply-To fields.
std::vector<std::string> parse_message_ids(std::string_view value, std::size_t count_max);

// The first of them; "" if there is none.
std::string first_message_id(std::string_view value);

}  // namespace postkeep
