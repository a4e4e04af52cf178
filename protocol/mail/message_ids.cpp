#include "protocol/mail/message_ids.h"

#include "protocol/base/ascii.h"

namespace postkeep {
namespace {

bool is_line_space(char c) { return ascii::is_wsp(c) || c == '\r' || c == '\n'; }

class MessageIdReader {
 public:
  explicit MessageIdReader(std::string_view value) : rest_(value) {}

  // False at the end.
  bool next(std::string& id) {
    while (true) {
      const std::size_t open = rest_.find('<');
      if (open == std::string_view::npos) return false;
      rest_.remove_prefix(open + 1);
      if (take(id)) return true;
    }
  }

 private:
  // Behind "<". Stops behind ">", or before another "<": that one begins a new try.
  bool take(std::string& id) {
    id.clear();
    std::size_t at_sign = 0;  // none stands in front of all
    std::size_t i = 0;
    for (; i < rest_.size() && rest_[i] != '<' && rest_[i] != '>'; ++i) {
      const char c = rest_[i];
      if (c == '"' && (id.empty() || id.back() == '.')) {
        take_quoted(i, id);
      } else if (!is_line_space(c)) {
        if (c == '@') at_sign = id.size();
        id += c;
      }
    }
    const bool closed = i < rest_.size() && rest_[i] == '>';
    rest_.remove_prefix(closed ? i + 1 : i);
    return closed && at_sign > 0 && at_sign + 1 < id.size() && id.size() <= message_id_octets_max;
  }

  // Moves `i` from a quotation mark to the one that ends the string. One that does not end is passed over, and then no
  // later one is looked at either.
  void take_quoted(std::size_t& i, std::string& id) {
    if (quotes_broken_) return;
    const std::size_t kept = id.size();
    for (std::size_t at = i + 1; at < rest_.size(); ++at) {
      const char c = rest_[at];
      if (c == '"') {
        i = at;
        return;
      }
      if (c == '\\' && at + 1 < rest_.size()) {
        id += rest_[++at];
      } else if (c != '\r' && c != '\n') {
        id += c;
      }
    }
    quotes_broken_ = true;
    id.resize(kept);
  }

  std::string_view rest_;
  bool quotes_broken_ = false;
};

}  // namespace

std::vector<std::string> parse_message_ids(std::string_view value, std::size_t count_max) {
  std::vector<std::string> ids;
  MessageIdReader reader(value);
  std::string id;
  while (reader.next(id)) ids.push_back(id);
  if (ids.size() > count_max) ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(count_max));
  return ids;
}

std::string first_message_id(std::string_view value) {
  MessageIdReader reader(value);
  std::string id;
  return reader.next(id) ? id : std::string();
}

}  // namespace postkeep
