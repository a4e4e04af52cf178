// The kinds of values that settings have, each read from a RawValue and written back. Used by settings_table alone.
// Pure. All errors are `cannot`; the text says what is wanted, to stand after "key: ".
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/net/ip_address.h"
#include "server/config/settings.h"
#include "server/config/settings_table.h"

namespace postkeep::config {

Result<std::string> read_text(const RawValue& value);
Result<std::vector<std::string>> read_text_list(const RawValue& value);  // one text stands for a list of one
Result<bool> read_boolean(const RawValue& value);
Result<std::uint64_t> read_count(const RawValue& value, std::uint64_t min, std::uint64_t max);
// Octets: a whole number, or a text with K, M or G (powers of 1024): "64K".
Result<std::uint64_t> read_size(const RawValue& value, std::uint64_t min, std::uint64_t max);
// Seconds: a whole number, or a text with s, m, h or d: "30m".
Result<std::chrono::seconds> read_duration(const RawValue& value, std::chrono::seconds min, std::chrono::seconds max);
Result<std::vector<ListenAddress>> read_addresses(const RawValue& value);
// "Sent=sent", "Lists/Junk=junk".
Result<std::vector<SpecialUseMailbox>> read_special_uses(const RawValue& value);
// Each "TOKEN", "TOKEN user=NAME" or "TOKEN client=NAME" (a name may hold spaces).
Result<std::vector<HiddenCapability>> read_hidden_capabilities(const RawValue& value);
// Each "192.0.2.0/24", "2001:db8::/32" or an address.
Result<std::vector<IpNetwork>> read_networks(const RawValue& value);
// Each "80%": whole numbers from 1 to 100; ascending and without repetitions afterwards.
Result<std::vector<unsigned>> read_percents(const RawValue& value);
// A host or domain name: letters, digits, hyphens and dots, or UTF-8 labels; lower case afterwards.
Result<std::string> read_domain(const RawValue& value);

RawValue write_size(std::uint64_t octets);
RawValue write_duration(std::chrono::seconds duration);
RawValue write_addresses(const std::vector<ListenAddress>& addresses);
RawValue write_percents(const std::vector<unsigned>& percents);
RawValue write_special_uses(const std::vector<SpecialUseMailbox>& mailboxes);
RawValue write_hidden_capabilities(const std::vector<HiddenCapability>& hidden);
RawValue write_networks(const std::vector<IpNetwork>& networks);

}  // namespace postkeep::config
