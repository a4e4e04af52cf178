// FlagInterner: gives each distinct combination of flags in a mailbox its FlagCode, and makes the FlagTable
// that MailboxVersions share. Append-only. Owned by whoever makes a mailbox's versions; one thread at a time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/mailbox_version.h"

namespace postkeep::storage {

class FlagInterner {
 public:
  // nullopt when all 65,536 codes are in use: the owner starts a new one and builds a new version.
  std::optional<FlagCode> code_of(const Flags& flags);
  // The table as it is now; the same object until a combination is added.
  std::shared_ptr<const FlagTable> table();

 private:
  std::vector<Flags> combinations_{Flags()};
  std::map<std::string, FlagCode> codes_;  // by bits and keywords in lower case
  std::shared_ptr<const FlagTable> table_;
};

}  // namespace postkeep::storage
