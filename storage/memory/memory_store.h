// The memory backend: the reference implementation of storage/account_store.h. Simple and obviously right rather than
// fast: the model in tests, the double in server tests, and a server for trials that keeps nothing.
#pragma once

#include <memory>

#include "storage/account_store.h"

namespace postkeep::storage {

// Accounts live as long as the MailStore, however often they are opened and closed.
std::unique_ptr<MailStore> open_memory_store(StoreOptions options, Clock& clock);

}  // namespace postkeep::storage
