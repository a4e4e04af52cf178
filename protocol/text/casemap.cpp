#include "protocol/text/casemap.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "protocol/text/utf8.h"

namespace postkeep::text {
namespace {

// RFC 5051 §2 applies the decomposition mappings of UnicodeData.txt, canonical and compatibility alike, until
// none is left; that is ICU's full decomposition of NFKC, taken for one code point at a time.
void append_folded(char32_t value, std::string& out) {
  static const UNormalizer2* const nfkc = [] {
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2* instance = unorm2_getNFKCInstance(&status);
    return U_FAILURE(status) ? nullptr : instance;
  }();
  const UChar32 title = u_totitle(static_cast<UChar32>(value));
  std::array<UChar, 32> parts{};  // the longest decomposition, U+FDFA, has 18 units
  UErrorCode status = U_ZERO_ERROR;
  const std::int32_t length =
      nfkc == nullptr
          ? -1
          : unorm2_getDecomposition(nfkc, title, parts.data(), static_cast<std::int32_t>(parts.size()), &status);
  if (length < 0 || U_FAILURE(status)) {
    append_utf8(out, static_cast<char32_t>(title));
    return;
  }
  for (std::int32_t i = 0; i < length;) {
    UChar32 c = 0;
    U16_NEXT(parts.data(), i, length, c);
    append_utf8(out, static_cast<char32_t>(c));
  }
}

// The folded form of the code points below U+0800, which have two octets: all of Latin, Greek, Cyrillic, Hebrew and
// Arabic, where ICU would be asked for every letter.
class FoldTable {
 public:
  static constexpr char32_t begin = 0x80;
  static constexpr char32_t end = 0x800;

  FoldTable() {
    std::string folded;
    for (char32_t value = begin; value < end; ++value) {
      folded.clear();
      append_folded(value, folded);
      Entry& entry = entries_[value - begin];
      if (folded.size() > entry.octets.size()) continue;
      entry.size = static_cast<std::uint8_t>(folded.size());
      std::copy(folded.begin(), folded.end(), entry.octets.begin());
    }
  }
  // False: it is too long to be here.
  bool append(char32_t value, std::string& out) const {
    const Entry& entry = entries_[value - begin];
    out.append(entry.octets.data(), entry.size);
    return entry.size > 0;
  }

 private:
  struct Entry {
    std::uint8_t size = 0;
    std::array<char, 7> octets{};
  };
  std::array<Entry, end - begin> entries_{};
};

void append_folded_by_table(char32_t value, std::string& out) {
  static const FoldTable table;
  const bool in_table = value >= FoldTable::begin && value < FoldTable::end;
  if (!in_table || !table.append(value, out)) append_folded(value, out);
}

// ASCII to upper case, eight octets at a time. All of `text` is below 0x80, so that sums stay within their octet.
void to_upper(char* text, std::size_t size) {
  constexpr std::uint64_t each = 0x0101010101010101ULL;
  constexpr std::uint64_t high_bits = 0x80 * each;
  std::size_t i = 0;
  for (std::uint64_t word = 0; i + sizeof word <= size; i += sizeof word) {
    std::memcpy(&word, text + i, sizeof word);
    const std::uint64_t from_a = word + (0x80 - 'a') * each;       // the high bit: at least 'a'
    const std::uint64_t above_z = word + (0x80 - 'z' - 1) * each;  // the high bit: above 'z'
    word -= ((from_a & ~above_z & high_bits) >> 2U);               // 0x20
    std::memcpy(text + i, &word, sizeof word);
  }
  for (; i < size; ++i) {
    if (text[i] >= 'a' && text[i] <= 'z') text[i] = static_cast<char>(text[i] - 32);
  }
}

}  // namespace

void fold_into(std::string_view utf8, std::string& out) {
  out.reserve(out.size() + utf8.size());
  while (true) {
    const std::size_t ascii = ascii_prefix(utf8);
    const std::size_t begin = out.size();
    out.append(utf8.substr(0, ascii));
    to_upper(out.data() + begin, ascii);
    utf8.remove_prefix(ascii);
    if (utf8.empty()) return;
    const CodePoint point = first_code_point(utf8);
    append_folded_by_table(point.value, out);
    utf8.remove_prefix(point.length);
  }
}

std::string fold(std::string_view utf8) {
  std::string out;
  fold_into(utf8, out);
  return out;
}

}  // namespace postkeep::text
