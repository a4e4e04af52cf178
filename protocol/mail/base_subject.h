// The base subject: what is left of a Subject without "Re:", "[list]", "(fwd)" and their like. RFC 5256 §2.1.
// Called by mime/collation_keys for SORT and THREAD. Pure; never fails; linear in the subject's length.
#pragma once

#include <string>
#include <string_view>

namespace postkeep {

struct BaseSubject {
  std::string text;       // UTF-8, not yet folded; "" where all of the subject was artifact
  bool is_reply = false;  // a reply or a forward: "Re:", "Fwd:", "(fwd)" or "[fwd: ...]" was removed
  bool is_sound = true;   // all of the subject could be decoded: mime::HeaderText
  bool operator==(const BaseSubject&) const = default;
};

// `raw_value` is what stands behind "Subject:", folded and with encoded words.
BaseSubject base_subject(std::string_view raw_value);

}  // namespace postkeep
