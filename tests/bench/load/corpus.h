// The mail of the benchmark: made from a seed, the same on every machine, so that nobody's mail is needed and figures
// can be compared. Of 100 messages about 55 are plain text of 1 to 4 KiB, 20 multipart/alternative of text and HTML, 15
// carry a base64 attachment of 6 to 44 KiB, 6 are quoted-printable in UTF-8 and 4 hold a forwarded message; about 7 KiB
// on average. They come in threads of five. `common_word` stands in nearly every message, `rare_word` in one of a
// thousand, `absent_word` in none.
#pragma once

#include <cstdint>
#include <string>

namespace postkeep::bench {

inline constexpr const char* common_word = "mandolin";
inline constexpr const char* rare_word = "quixotry";
inline constexpr const char* absent_word = "zyzzyvanish";

// Message `number` of the corpus with that seed; CRLF line ends.
std::string corpus_message(std::uint64_t seed, std::uint64_t number);

// A plain message of exactly `octets` (at least 600), its Message-ID made of `id`.
std::string message_of_size(std::size_t octets, const std::string& id);

}  // namespace postkeep::bench
