#include "storage/flag_interner.h"

#include <limits>

#include "protocol/base/ascii.h"

namespace postkeep::storage {

std::optional<FlagCode> FlagInterner::code_of(const Flags& flags) {
  if (flags.empty()) return FlagCode(0);
  const std::string key = ascii::to_lower(flags.to_wire());
  if (const auto known = codes_.find(key); known != codes_.end()) return known->second;
  if (combinations_.size() > std::numeric_limits<FlagCode>::max()) return std::nullopt;
  const auto code = static_cast<FlagCode>(combinations_.size());
  combinations_.push_back(flags);
  codes_.emplace(key, code);
  table_.reset();
  return code;
}

std::shared_ptr<const FlagTable> FlagInterner::table() {
  if (!table_) table_ = make_pooled<FlagTable>(combinations_);
  return table_;
}

}  // namespace postkeep::storage
