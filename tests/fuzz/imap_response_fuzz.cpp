// Fuzzes the client side's parser: whatever a server says, it is a response, bad, or not all there.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/imap/client/response_parser.h"

using namespace postkeep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  imap::client::ResponseParser parser;
  parser.feed(std::string_view(reinterpret_cast<const char*>(data), size));
  // Each turn uses up at least one octet, so there are no more than `size` of them.
  for (std::size_t turns = 0;; ++turns) {
    if (turns > size + 1) std::abort();
    const auto response = parser.next();
    if (!response) {
      if (response.error().text.empty()) std::abort();
      continue;
    }
    if (!*response) return 0;
    for (const auto& value : (*response)->data) {
      if (imap::client::show(value).empty()) std::abort();
    }
    (void)(*response)->item("UID");
  }
}
