#include "protocol/mail/base_subject.h"

#include "protocol/base/ascii.h"
#include "protocol/mime/encoded_words.h"

namespace postkeep {
namespace {

bool iends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && ascii::iequals(text.substr(text.size() - end.size()), end);
}

// Step 1, of what is decoded: every run of white space one space. Line ends can be hidden in encoded words.
std::string one_line(std::string_view decoded) {
  std::string line;
  line.reserve(decoded.size());
  for (const char c : decoded) {
    const bool space = ascii::is_wsp(c) || c == '\r' || c == '\n';
    if (!space) {
      line += c;
    } else if (!line.ends_with(' ')) {
      line += ' ';
    }
  }
  return line;
}

void drop_spaces(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
}

// subj-blob: "[" *BLOBCHAR "]" *WSP. Moves behind it if it is there.
bool accept_blob(std::string_view& text) {
  if (!text.starts_with('[')) return false;
  const std::size_t end = text.find_first_of("[]", 1);
  if (end == std::string_view::npos || text[end] == '[') return false;
  text.remove_prefix(end + 1);
  drop_spaces(text);
  return true;
}

// subj-refwd: ("re" / ("fw" ["d"])) *WSP [subj-blob] ":". Likewise.
bool accept_refwd(std::string_view& text) {
  std::string_view rest = text;
  if (ascii::istarts_with(rest, "fwd")) {
    rest.remove_prefix(3);
  } else if (ascii::istarts_with(rest, "fw") || ascii::istarts_with(rest, "re")) {
    rest.remove_prefix(2);
  } else {
    return false;
  }
  drop_spaces(rest);
  accept_blob(rest);
  if (!rest.starts_with(':')) return false;
  text = rest.substr(1);
  return true;
}

class Reduction {
 public:
  explicit Reduction(std::string_view line) : text_(line) {}

  BaseSubject run() {
    do {
      drop_trailers();
      drop_leaders();
    } while (unwrap_forward());
    return BaseSubject{std::string(text_), is_reply_};
  }

 private:
  // Step 2.
  void drop_trailers() {
    while (true) {
      if (text_.ends_with(' ')) {
        text_.remove_suffix(1);
      } else if (iends_with(text_, "(fwd)")) {
        text_.remove_suffix(5);
        is_reply_ = true;
      } else {
        return;
      }
    }
  }

  // Steps 3 to 5. Blobs before a refwd go with it. Other blobs go one by one unless nothing would be left, and since
  // no refwd stands behind them, taking one away cannot make another rule match: so they are looked at once.
  void drop_leaders() {
    while (true) {
      drop_spaces(text_);
      std::string_view behind = text_;
      std::string_view last_blob;
      for (std::string_view before = behind; accept_blob(behind); before = behind) last_blob = before;
      if (accept_refwd(behind)) {
        text_ = behind;
        is_reply_ = true;
        continue;
      }
      if (!last_blob.empty()) text_ = behind.empty() ? last_blob : behind;
      return;
    }
  }

  // Step 6.
  bool unwrap_forward() {
    if (!ascii::istarts_with(text_, "[fwd:") || !text_.ends_with(']')) return false;
    text_.remove_prefix(5);
    text_.remove_suffix(1);
    is_reply_ = true;
    return true;
  }

  std::string_view text_;
  bool is_reply_ = false;
};

}  // namespace

BaseSubject base_subject(std::string_view raw_value) {
  const mime::HeaderText decoded = mime::decode_header(raw_value);
  const std::string line = one_line(decoded.text);
  BaseSubject base = Reduction(line).run();
  base.is_sound = decoded.is_sound;
  return base;
}

}  // namespace postkeep
