#include "server/config/store_options.h"

namespace postkeep {
namespace {

std::optional<std::uint64_t> limit_unless_zero(std::uint64_t limit) {
  if (limit == 0) return std::nullopt;
  return limit;
}

}  // namespace

storage::StoreOptions store_options(const Settings& settings) {
  storage::StoreOptions options;
  options.data_dir = settings.data_dir;
  options.hostname = settings.hostname;
  options.mailboxes_max = static_cast<std::uint32_t>(settings.limits.mailboxes);
  options.keywords_max = static_cast<std::uint32_t>(settings.limits.keywords);
  options.search_index = settings.storage.search_index;
  options.quota.octets = limit_unless_zero(settings.quota.storage);
  options.quota.messages = limit_unless_zero(settings.quota.messages);
  return options;
}

}  // namespace postkeep
