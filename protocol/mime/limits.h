// Limits of reading MIME. Mail over a limit is never refused: what lies beyond is treated as plain content,
// so that every octet stays reachable and memory stays bounded whatever the message's size.
#pragma once

#include <cstddef>

namespace postkeep::mime {

// A value; the defaults are what the server uses, tests make them small.
struct Limits {
  // Multiparts and messages within one another. Real mail stays under 20; a hostile tree costs stack depth
  // in every client.
  std::size_t nesting_max = 64;
  // Parts in one message, containers included. The largest message seen in the wild has 330.
  std::size_t parts_max = 2000;
  // Octets of one header block that are read for their meaning (they are all served, of course).
  std::size_t header_octets_max = 256 * 1024;
  // Octets of strings kept in one tree, all parts together: names, parameters, envelopes.
  std::size_t tree_octets_max = 1024 * 1024;
};

namespace limits {

// RFC 2046 §5.1.1 allows 70; mail in the wild has had several hundred.
inline constexpr std::size_t boundary_octets_max = 1000;
inline constexpr std::size_t parameters_max = 64;           // of one Content-Type or Content-Disposition
inline constexpr std::size_t parameter_sections_max = 128;  // "name*0", "name*1" ... (RFC 2231 §3) of one field
inline constexpr std::size_t languages_max = 16;            // tags of one Content-Language
inline constexpr std::size_t comment_nesting_max = 32;      // RFC 5322 §3.2.2 comments within comments

}  // namespace limits
}  // namespace postkeep::mime
