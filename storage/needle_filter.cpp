#include "storage/needle_filter.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "protocol/base/ascii.h"
#include "protocol/text/utf8.h"

namespace postkeep::storage {
namespace {

// Compared where the rare octets fit, so it bounds what a hostile text costs.
constexpr std::size_t word_octets_max = 32;
constexpr unsigned char case_bit = 0x20;

bool is_printable(char c) { return c > ' ' && c < '\x7F'; }

std::string_view longest_word(std::string_view needle) {
  std::string_view longest;
  while (!needle.empty()) {
    const auto end = std::find_if_not(needle.begin(), needle.end(), is_printable);
    const std::string_view word = needle.substr(0, static_cast<std::size_t>(end - needle.begin()));
    if (word.size() > longest.size()) longest = word;
    needle.remove_prefix(std::min(word.size() + 1, needle.size()));
  }
  return longest.substr(0, word_octets_max);
}

// How often an octet of mail is this one: letters by their frequency in English, all else between them.
std::size_t commonness(char upper) {
  static constexpr std::string_view letters = "QZJXKVBWPYGFMCUDLHRSNIOATE";
  const std::size_t place = letters.find(upper);
  return place == std::string_view::npos ? letters.size() / 2 : place;
}

using Octets = std::uint8_t __attribute__((vector_size(16)));

Octets sixteen_of(std::uint8_t value) {
  std::uint8_t values[sizeof(Octets)];
  std::fill(std::begin(values), std::end(values), value);
  Octets octets;
  std::memcpy(&octets, values, sizeof octets);
  return octets;
}

Octets octets_at(const char* place) {
  Octets octets;
  std::memcpy(&octets, place, sizeof octets);
  return octets;
}

// 0xFF where it is so, 0 elsewhere.
Octets are_equal(Octets a, Octets b) { return reinterpret_cast<Octets>(a == b); }

bool is_any_set(Octets octets) {
  std::uint64_t halves[2];
  std::memcpy(halves, &octets, sizeof octets);
  return (halves[0] | halves[1]) != 0;
}

}  // namespace

NeedleFilter::NeedleFilter(std::string_view needle)
    : works_by_parts_(!needle.empty() && needle.find('\n') == needle.npos),
      is_ascii_(text::is_ascii(needle)),
      word_(longest_word(needle)) {
  for (std::size_t i = 1; i < word_.size(); ++i) {
    if (commonness(word_[i]) < commonness(word_[first_])) first_ = i;
  }
  second_ = first_ == 0 && word_.size() > 1 ? 1 : 0;
  for (std::size_t i = 0; i < word_.size(); ++i) {
    if (i != first_ && commonness(word_[i]) < commonness(word_[second_])) second_ = i;
  }
}

bool NeedleFilter::stands_at(const char* place) const {
  return std::equal(word_.begin(), word_.end(), place, [](char a, char b) { return a == ascii::to_upper(b); });
}

bool NeedleFilter::may_be_in(std::string_view raw) const {
  if (!is_ascii_) return false;  // the folded text of ASCII is ASCII
  if (word_.empty()) return true;
  if (raw.size() < word_.size()) return false;
  const char* place = raw.data();
  const char* const last = raw.data() + (raw.size() - word_.size());
  const Octets lower = sixteen_of(case_bit);
  const Octets rare = sixteen_of(static_cast<std::uint8_t>(word_[first_])) | lower;
  const Octets next = sixteen_of(static_cast<std::uint8_t>(word_[second_])) | lower;
  // A block that begins at the farther of the two octets must end within `raw`.
  const std::size_t farthest = word_.size() + sizeof(Octets);
  const char* const end = raw.data() + raw.size();
  while (static_cast<std::size_t>(end - place) >= farthest) {
    const Octets both =
        are_equal(octets_at(place + first_) | lower, rare) & are_equal(octets_at(place + second_) | lower, next);
    if (is_any_set(both)) {
      for (std::size_t i = 0; i < sizeof both; ++i) {
        if (both[i] != 0 && stands_at(place + i)) return true;
      }
    }
    place += sizeof both;
  }
  for (; place <= last; ++place) {
    if (stands_at(place)) return true;
  }
  return false;
}

}  // namespace postkeep::storage
