#include "protocol/text/prep.h"

#include <unicode/uchar.h>
#include <unicode/usprep.h>
#include <unicode/ustring.h>

#include <memory>
#include <vector>

#include "protocol/text/utf8.h"

namespace postkeep::text {

namespace {

// UTF-16 of well-formed UTF-8, which is never longer in units than the UTF-8 is in octets.
std::vector<UChar> to_utf16(std::string_view utf8) {
  std::vector<UChar> out(utf8.size() + 1);
  std::int32_t length = 0;
  UErrorCode error = U_ZERO_ERROR;
  u_strFromUTF8(out.data(), static_cast<std::int32_t>(out.size()), &length, utf8.data(),
                static_cast<std::int32_t>(utf8.size()), &error);
  out.resize(static_cast<std::size_t>(length));
  return out;
}

std::string to_utf8(const std::vector<UChar>& utf16) {
  std::string out(utf16.size() * 3 + 1, '\0');
  std::int32_t length = 0;
  UErrorCode error = U_ZERO_ERROR;
  u_strToUTF8(out.data(), static_cast<std::int32_t>(out.size()), &length, utf16.data(),
              static_cast<std::int32_t>(utf16.size()), &error);
  out.resize(static_cast<std::size_t>(length));
  return out;
}

bool has_unassigned(std::string_view utf8) {
  while (!utf8.empty()) {
    const CodePoint point = first_code_point(utf8);
    utf8.remove_prefix(point.length);
    if (!u_isdefined(static_cast<UChar32>(point.value))) return true;
  }
  return false;
}

}  // namespace

Result<std::string> sasl_prep(std::string_view utf8, Prep prep) {
  constexpr std::size_t octets_max = 64 * 1024;  // far above any password; keeps ICU's 32-bit lengths safe
  if (utf8.size() > octets_max) return failure(ErrorKind::cannot, "The text is too long");
  if (!is_valid_utf8(utf8)) return failure(ErrorKind::cannot, "The text is not UTF-8");
  if (prep == Prep::stored && has_unassigned(utf8)) {
    return failure(ErrorKind::cannot, "The text has characters that Unicode does not know");
  }
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UStringPrepProfile, void (*)(UStringPrepProfile*)> profile(
      usprep_openByType(USPREP_RFC4013_SASLPREP, &error), usprep_close);
  if (U_FAILURE(error)) return failure(ErrorKind::unavailable, "Text cannot be prepared", u_errorName(error));
  const std::vector<UChar> source = to_utf16(utf8);
  // Compatibility mappings lengthen: 18 units for one (U+FDFA) is the most there is.
  std::vector<UChar> prepared(source.size() * 18 + 1);
  const std::int32_t length =
      usprep_prepare(profile.get(), source.data(), static_cast<std::int32_t>(source.size()), prepared.data(),
                     static_cast<std::int32_t>(prepared.size()), USPREP_ALLOW_UNASSIGNED, nullptr, &error);
  if (U_FAILURE(error)) {
    return failure(ErrorKind::cannot, "The text has characters that are not allowed", u_errorName(error));
  }
  prepared.resize(static_cast<std::size_t>(length));
  return to_utf8(prepared);
}

}  // namespace postkeep::text
