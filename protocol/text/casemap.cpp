#include "protocol/text/casemap.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>

#include <array>
#include <cstdint>

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

}  // namespace

void fold_into(std::string_view utf8, std::string& out) {
  out.reserve(out.size() + utf8.size());
  while (true) {
    const std::size_t ascii = ascii_prefix(utf8);
    const std::size_t begin = out.size();
    out.append(utf8.substr(0, ascii));
    for (std::size_t i = begin; i < out.size(); ++i) {
      if (out[i] >= 'a' && out[i] <= 'z') out[i] = static_cast<char>(out[i] - 32);
    }
    utf8.remove_prefix(ascii);
    if (utf8.empty()) return;
    const CodePoint point = first_code_point(utf8);
    append_folded(point.value, out);
    utf8.remove_prefix(point.length);
  }
}

std::string fold(std::string_view utf8) {
  std::string out;
  fold_into(utf8, out);
  return out;
}

}  // namespace postkeep::text
