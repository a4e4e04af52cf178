// Fuzzes mailbox names: what is accepted goes there and back in every encoding, and patterns end.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/mail/mailbox_name.h"

using namespace postkeep;
using Encoding = MailboxName::Encoding;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto decoded = decode_modified_utf7(text)) {
    if (encode_modified_utf7(*decoded) != text) std::abort();  // there is one way to write a name
  }
  for (const Encoding encoding : {Encoding::modified_utf7, Encoding::utf8}) {
    for (const char separator : {'/', '.'}) {
      const auto name = MailboxName::from_wire(text, encoding, separator);
      if (!name) continue;
      const auto again = MailboxName::from_wire(name->to_wire(encoding, separator), encoding, separator);
      if (!again || *again != *name) std::abort();
      if (name->components().empty() || name->last_component().empty()) std::abort();
      if (const auto parent = name->parent(); parent && !name->is_under(*parent)) std::abort();
      if (!matches_list_pattern("*", name->utf8())) std::abort();
    }
  }
  const std::size_t cut = text.find('\n');
  if (cut != std::string_view::npos) (void)matches_list_pattern(text.substr(0, cut), text.substr(cut + 1));
  return 0;
}
