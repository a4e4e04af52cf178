// AliasTable and resolve_recipients: any file is a table or a reason, and every address is resolved or refused, in
// bounds.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "auth/recipient_resolver.h"
#include "tests/fuzz/fuzz_input.h"

using namespace postkeep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  auto table = auth::AliasTable::parse(text);
  if (!table) {
    fuzz::require(table.error().text.starts_with("line "));
    return 0;
  }
  auth::RecipientRules rules;
  rules.domains = {"example.org"};
  rules.delimiters = "+-";
  rules.aliases = std::make_shared<const auth::AliasTable>(std::move(*table));
  const auth::FindUser find = [](std::string_view name) -> Result<std::optional<std::string>> {
    return name.size() == 1 ? std::optional<std::string>(name) : std::nullopt;
  };
  // Each line's beginning is an address as good as any.
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto found = auth::resolve_recipients(line.substr(0, line.find(':')), rules, find);
    if (!found) continue;
    fuzz::require(!found->recipients.empty() && found->recipients.size() <= auth::resolved_recipients_max);
    for (const auth::Recipient& each : found->recipients) fuzz::require(each.user.size() == 1);
  }
  return 0;
}
