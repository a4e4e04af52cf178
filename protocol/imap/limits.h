// Every limit of IMAP's grammar in one place. Those that a site may set are the defaults of FramerLimits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace postkeep::imap::limits {

// Text of one command, all its lines together, literals not counted. RFC 7162 §4 wants at least 8,192; a set of
// 100,000 UIDs, each written alone, takes about 700,000.
inline constexpr std::size_t command_text_bytes_max = 1'048'576;

// One literal that is kept in memory: a mailbox name, a search string, a password. Messages are streamed.
inline constexpr std::uint64_t literal_bytes_max = 65'536;

// All literals of one command that are kept in memory, and how many there may be.
inline constexpr std::uint64_t command_literal_bytes_max = 262'144;
inline constexpr std::size_t command_literals_max = 1'000;

// What is read and thrown away to get past a refused command before the connection is given up instead
// (RFC 7888 §4). A little more than the largest message that clients are likely to send unasked.
inline constexpr std::uint64_t discard_bytes_max = 64ULL * 1024 * 1024;

inline constexpr std::size_t tag_bytes_max = 255;
inline constexpr std::size_t atom_bytes_max = 16'384;

// Nesting of search keys, extension values and the like: parsers recurse that deep.
inline constexpr std::size_t nesting_max = 50;
inline constexpr std::size_t search_keys_max = 2'000;

inline constexpr std::size_t sort_criteria_max = 50;  // there are nine; one that stands twice decides nothing

inline constexpr std::size_t quota_resources_max = 20;  // RFC 9208 has four

inline constexpr std::size_t fetch_items_max = 200;
inline constexpr std::size_t header_fields_max = 500;
inline constexpr std::size_t part_path_max = 100;
inline constexpr std::size_t list_patterns_max = 100;

inline constexpr std::size_t notify_groups_max = 100;
inline constexpr std::size_t notify_names_max = 1'000;  // of one group
inline constexpr std::size_t notify_events_max = 100;   // of one group; there are eight

// RFC 2971 §3.3: at most 30 pairs, names of 30 octets, values of 1,024.
inline constexpr std::size_t id_pairs_max = 30;
inline constexpr std::size_t id_name_bytes_max = 30;
inline constexpr std::size_t id_value_bytes_max = 1'024;

// A base64 line of AUTHENTICATE: OAuth tokens of 8 KiB are seen.
inline constexpr std::size_t authenticate_line_bytes_max = 65'536;
inline constexpr std::size_t idle_line_bytes_max = 1'024;  // "DONE"

}  // namespace postkeep::imap::limits
