// THE table of storage backends. To add one: implement AccountStore and MailStore in storage/<name>/, add a row in
// backends.cpp; tests/storage/contract_*_test run over every row. docs/add-storage-backend.md tells the rest.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "storage/account_store.h"

namespace postkeep::storage {

enum class Persistence {
  process,  // gone with the MailStore
  disk,     // another MailStore on the same data_dir finds it again
};

struct Backend {
  std::string_view name;         // the value of the config key storage.backend
  std::string_view description;  // one line, for `postkeep config show`
  Persistence persistence;
  Result<std::unique_ptr<MailStore>> (*open)(StoreOptions options, FileSystem& files, Clock& clock);
};

const std::vector<Backend>& backends();

}  // namespace postkeep::storage
