#include "storage/search_index/signature.h"

#include <algorithm>
#include <bit>

namespace postkeep::storage {
namespace {

constexpr std::uint32_t trigram_mask = 0xffffff;

std::uint32_t hash_of_trigram(std::uint32_t trigram) { return (trigram * 2654435761U) >> 16U; }

std::uint32_t octet(char c) { return static_cast<unsigned char>(c); }

}  // namespace

void SignatureMaker::feed(std::string_view text) {
  std::uint32_t last = last_;
  std::size_t i = 0;
  for (; octets_ < 2 && i < text.size(); ++i, ++octets_) last = (last << 8U) | octet(text[i]);
  for (; i < text.size(); ++i) {
    last = ((last << 8U) | octet(text[i])) & trigram_mask;
    const std::uint32_t hash = hash_of_trigram(last);
    seen_[hash / 64] |= std::uint64_t{1} << (hash % 64);
  }
  last_ = last;
}

Signature SignatureMaker::finish() const {
  Signature made;
  for (const std::uint64_t word : seen_) made.trigrams += static_cast<std::uint32_t>(std::popcount(word));
  // Rows that have the same number when there are fewer of them become one.
  std::vector<std::uint64_t> words(signature_rows_for(made.trigrams) / 64);
  for (std::size_t i = 0; i < seen_words; ++i) words[i & (words.size() - 1)] |= seen_[i];
  made.bits.reserve(words.size() * 8);
  for (const std::uint64_t word : words) {
    for (unsigned shift = 0; shift < 64; shift += 8) made.bits += static_cast<char>(word >> shift);
  }
  return made;
}

std::uint32_t signature_rows_for(std::uint64_t trigrams) {
  const std::uint64_t wanted = std::clamp<std::uint64_t>(trigrams * 3, signature_rows_min, signature_rows_max);
  return static_cast<std::uint32_t>(std::bit_ceil(wanted));
}

bool is_set(std::string_view bits, std::uint32_t row) { return (octet(bits[row / 8]) >> (row % 8) & 1U) != 0; }

std::string with_rows(std::string_view bits, std::uint32_t rows) {
  const std::size_t octets = rows / 8;
  std::string out(bits.substr(0, octets));
  for (std::size_t i = out.size(); i < bits.size(); ++i) out[i & (octets - 1)] |= bits[i];
  while (!out.empty() && out.size() < octets) out += std::string(out);
  out.resize(octets);
  return out;
}

std::vector<std::uint32_t> hashes_of(std::string_view needle, std::size_t count) {
  std::vector<std::uint32_t> hashes;
  if (needle.size() < 3) return hashes;
  const std::size_t trigrams = needle.size() - 2;
  const std::size_t taken = std::min(trigrams, count);
  for (std::size_t i = 0; i < taken; ++i) {
    const std::size_t at = i * trigrams / taken;
    hashes.push_back(
        hash_of_trigram((octet(needle[at]) << 16U) | (octet(needle[at + 1]) << 8U) | octet(needle[at + 2])));
  }
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  return hashes;
}

}  // namespace postkeep::storage
