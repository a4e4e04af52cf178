// POP3 replies to bytes. RFC 1939 §3, RFC 2449 §3 and §8 (response codes), RFC 3206 (SYS, AUTH), RFC 5034 §4 (the
// challenge). Called by server/pop3. Messages go out through line/dot_stuffing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace postkeep::pop3 {

inline constexpr std::size_t reply_line_octets_max = 512;  // RFC 1939 §3, with the line's end

// Appends "+OK text". What a line must not hold (controls, 8-bit octets) is written as "?"; a text that is too long
// is cut; one that starts like a response code loses its bracket, since RESP-CODES promises that such are codes.
void write_ok(std::string& out, std::string_view text);
// Appends "-ERR [code] text"; without a code where that is empty.
void write_error(std::string& out, std::string_view code, std::string_view text);
// Appends "+ base64". Of any length; an empty challenge is "+ " (RFC 5034 §4).
void write_challenge(std::string& out, std::string_view base64);

// A line of a listing, which never begins with a dot: "number value".
void write_listing(std::string& out, std::uint32_t number, std::string_view value);
// What ends a listing.
void write_end(std::string& out);

}  // namespace postkeep::pop3
