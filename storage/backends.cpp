#include "storage/backends.h"

#include "storage/maildir_mail_store.h"
#include "storage/memory/memory_store.h"

namespace postkeep::storage {
namespace {

Result<std::unique_ptr<MailStore>> open_memory(StoreOptions options, FileSystem&, Clock& clock) {
  return open_memory_store(std::move(options), clock);
}

}  // namespace

const std::vector<Backend>& backends() {
  static const std::vector<Backend> table = {
      {"memory", "Keeps nothing: for tests and trials", Persistence::process, open_memory},
      {"maildir", "Maildir++ on the file system, one SQLite index per user", Persistence::disk, open_maildir_store},
  };
  return table;
}

Result<std::unique_ptr<MailStore>> open_mail_store(std::string_view backend, StoreOptions options, FileSystem& files,
                                                   Clock& clock) {
  for (const Backend& row : backends()) {
    if (row.name == backend) return row.open(std::move(options), files, clock);
  }
  return failure(ErrorKind::not_found, "No such storage backend", std::string(backend));
}

}  // namespace postkeep::storage
