// LIST and LSUB data. RFC 9051 §7.3.1, RFC 5258 §3.4 (CHILDINFO, OLDNAME), RFC 3501 §7.2.3.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/imap/writer.h"

namespace postkeep::imap {

struct ListData {
  enum class Verb { list, lsub };
  Verb verb = Verb::list;
  std::vector<std::string> attributes;  // with their backslash: "\HasChildren"
  std::optional<char> separator;        // none: NIL, a flat namespace
  std::string mailbox;                  // wire form
  std::vector<std::string> child_info;  // "SUBSCRIBED"; empty: no CHILDINFO item
  std::optional<std::string> old_name;  // wire form
};

void write_list(Writer& writer, const ListData& data);

}  // namespace postkeep::imap
