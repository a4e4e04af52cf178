// The text of a map from certificates to users: whatever it is, what comes out are valid names and something to
// compare.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "auth/certificate_names.h"
#include "auth/user_name.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postkeep::auth;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto map = read_certificate_map(text);
  if (!map) {
    if (!map.error().text.starts_with("line ")) std::abort();
    return 0;
  }
  for (const CertificateMapping& mapping : *map) {
    if (mapping.value.empty() || !checked_user_name(mapping.user)) std::abort();
    if (mapping.kind == CertificateMapping::Kind::fingerprint && mapping.value.size() != 64) std::abort();
  }
  return 0;
}
