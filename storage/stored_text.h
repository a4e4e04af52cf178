// StoredText: the text of a message as SEARCH compares it (protocol/mime/search_text.h, folded), kept by a search
// index. Made by storage/search_index, used by storage/search_eval.
#pragma once

#include <cstddef>
#include <string>

namespace postkeep::storage {

struct StoredText {
  std::string text;               // the message's header, then its body
  std::size_t header_octets = 0;  // of it
};

}  // namespace postkeep::storage
