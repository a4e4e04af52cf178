// i;unicode-casemap, the collation by which SEARCH, SORT and THREAD compare. RFC 5051 §2.
// Called by storage/search_eval and mime/collation_keys. Never fails.
#pragma once

#include <string>
#include <string_view>

namespace postkeep::text {

// The form in which two strings are equal when i;unicode-casemap says so, and in which one is a substring of
// the other when SEARCH should find it: each code point to titlecase, then fully decomposed, one by one, so
// that fold(a + b) == fold(a) + fold(b) wherever the cut falls between code points.
// Ill-formed octets become U+FFFD. The result is UTF-8 and may be longer or shorter than the input.
std::string fold(std::string_view utf8);
void fold_into(std::string_view utf8, std::string& out);  // appends

}  // namespace postkeep::text
