// ChangeHub: who wants to know when an account changes. One path for IDLE, NOOP, NOTIFY, several clients on
// one mailbox, and changes by other programs. Owned by the app; outlives all sessions. Thread-safe; its
// mutex is never held while calling out.
#pragma once

#include <asio/any_io_executor.hpp>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/runtime/watch.h"

namespace postkeep::server {

class ChangeHub {
 public:
  // Subscribe before reading what is to be watched: then nothing falls between. Unsubscribes when the
  // last owner lets go. `executor`: the session's own thread.
  std::shared_ptr<Watch> subscribe(const std::string& user, asio::any_io_executor executor);
  // Marks every watch of the account. Called inside the storage job, after its commit.
  void publish(const std::string& user);

  std::size_t watch_count() const;

 private:
  void forget(const std::string& user, const Watch* watch);

  mutable std::mutex mutex_;
  struct Entry {
    const Watch* key;
    std::weak_ptr<Watch> watch;
  };
  std::unordered_map<std::string, std::vector<Entry>> watches_;
};

}  // namespace postkeep::server
