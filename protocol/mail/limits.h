// Limits on the vocabulary that all layers share. Those of IMAP's own grammar are in protocol/imap/limits.h.
#pragma once

#include <cstddef>

namespace postkeep::limits {

// Ranges in one sequence set as a client wrote it. Most send 1,000 or 2,000; those that write each UID of a large
// mailbox alone (imapsync, offlineimap after a search) reach 100,000.
inline constexpr std::size_t sequence_ranges_max = 262'144;

// Octets of one keyword. The folder's keyword table keeps each once.
inline constexpr std::size_t keyword_bytes_max = 255;

// Octets of a mailbox name in UTF-8. Storage refuses what its file system cannot hold, at about 250.
inline constexpr std::size_t mailbox_name_bytes_max = 1'000;

}  // namespace postkeep::limits
