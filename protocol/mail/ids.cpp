#include "protocol/mail/ids.h"

#include <array>
#include <span>

#include "protocol/base/hex.h"

namespace postkeep {
namespace {

std::string prefixed_hex(char prefix, std::span<const std::uint8_t> bytes) { return prefix + to_hex(bytes); }

}  // namespace

std::string to_wire(MailboxId id) {
  std::array<std::uint8_t, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(id.value() >> (56 - 8 * i));
  return prefixed_hex('F', bytes);
}

std::string to_wire(const EmailId& id) { return prefixed_hex('M', id.bytes); }
std::string to_wire(const ThreadId& id) { return prefixed_hex('T', id.bytes); }

}  // namespace postkeep
