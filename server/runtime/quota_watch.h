// QuotaWatch: notices when an account's use passes a level of its quota (quota.warn_at): a line in the log, a figure,
// and, if configured, a message to the user. Called by runtime/gateway on the account's strand after each job that
// changed something, so that it sees deliveries, APPEND, COPY and what other programs did alike.
#pragma once

#include <string>

#include "server/runtime/log.h"
#include "server/runtime/services.h"
#include "storage/account_store.h"

namespace postkeep::server {

class QuotaWatch {
 public:
  // Both outlive it.
  QuotaWatch(const SettingsHolder& settings, Log& log) : settings_(settings), log_(log) {}

  // The highest of the configured levels that the account has reached, in percent; 0: none, or no limit, or not known.
  unsigned level(storage::AccountStore& store) const;
  // The level now. Above `before` it was just reached, and is told of. Blocking, as all of storage is.
  unsigned look(const std::string& user, storage::AccountStore& store, unsigned before) const;

 private:
  const SettingsHolder& settings_;
  Log& log_;
};

// By percent used of the fuller of the two resources, as far as they have limits; the highest of `levels` (ascending)
// that is reached, or 0.
unsigned reached_level(const storage::Quota& quota, const std::vector<unsigned>& levels);

}  // namespace postkeep::server
