// parse_address_list: groups are always closed and the list stays within its bound.
#include "protocol/mail/address.h"
#include "tests/fuzz/fuzz_input.h"

using namespace postkeep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const AddressList list = parse_address_list(fuzz::text_of(data, size));
  fuzz::require(list.size() <= addresses_max);
  bool in_group = false;
  for (const Address& address : list) {
    const bool starts = address.kind == Address::Kind::group_start;
    const bool ends = address.kind == Address::Kind::group_end;
    fuzz::require(!(starts && in_group) && !(ends && !in_group));
    if (starts || ends) in_group = starts;
    const std::size_t octets = address.name.size() + address.route.size() + address.local_part.size();
    fuzz::require(octets + address.domain.size() <= 2 * size + 2);
  }
  fuzz::require(!in_group);
  return 0;
}
