// Signatures: which trigrams a text may have, as a Bloom filter of one hash. The search index keeps them message by
// message and, turned by 90 degrees, block by block: a row of bits says which of 256 messages may have a trigram.
// Octets are compared, so that nothing depends on what a character is: a trigram is three octets of folded UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postkeep::storage {

// Rows of a signature: a power of two. A trigram's row among `rows` is its hash modulo `rows`, so that a signature of
// fewer rows can be made of one with more, and one with more, which says no more, of one with fewer.
inline constexpr std::uint32_t signature_rows_min = 256;
inline constexpr std::uint32_t signature_rows_max = 32 * 1024;

struct Signature {
  std::uint32_t trigrams = 0;  // about how many different ones the text has
  std::string bits;            // rows / 8 octets, the lowest bit of an octet first
};

// Fed a text in pieces, cut anywhere.
class SignatureMaker {
 public:
  SignatureMaker() : seen_(seen_words) {}
  void feed(std::string_view text);
  Signature finish() const;

 private:
  static constexpr std::size_t seen_words = 65536 / 64;
  std::vector<std::uint64_t> seen_;  // by hash
  std::uint32_t last_ = 0;           // the last two octets
  std::uint64_t octets_ = 0;
};

// So many rows that of a text with `trigrams` about a quarter are set.
std::uint32_t signature_rows_for(std::uint64_t trigrams);
bool is_set(std::string_view bits, std::uint32_t row);
// The same signature with another number of rows.
std::string with_rows(std::string_view bits, std::uint32_t rows);

// Hashes of trigrams that every text with `needle` has; at most `count`, spread over it. None of a needle below three
// octets.
std::vector<std::uint32_t> hashes_of(std::string_view needle, std::size_t count);

}  // namespace postkeep::storage
