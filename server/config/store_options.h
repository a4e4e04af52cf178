// What the mail store is told of the configuration. By the server and by admin commands without one.
#pragma once

#include "server/config/settings.h"
#include "storage/account_store.h"

namespace postkeep {

storage::StoreOptions store_options(const Settings& settings);

}  // namespace postkeep
