// Formats of unique-ids: each is taken or refused with a reason; what is taken makes ids that RFC 1939 §7 allows, and
// another one for each message.
#include <algorithm>

#include "protocol/pop3/uidl_format.h"
#include "tests/fuzz/fuzz_input.h"

using namespace postkeep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto format = pop3::UidlFormat::parse(fuzz::text_of(data, size));
  if (!format) {
    fuzz::require(format.error().kind == ErrorKind::cannot && !format.error().text.empty());
    return 0;
  }
  std::string before;
  for (const std::uint32_t uid : {1U, 9U, 10U, 255U, 256U, 4'000'000'000U, 4'294'967'295U}) {
    const std::string id = format->unique_id(Uid(uid), UidValidity(1'234'567'890));
    fuzz::require(!id.empty() && id.size() <= pop3::unique_id_octets_max);
    fuzz::require(std::all_of(id.begin(), id.end(), [](char c) { return c >= '!' && c <= '~'; }));
    fuzz::require(id != before);
    before = id;
  }
  return 0;
}
