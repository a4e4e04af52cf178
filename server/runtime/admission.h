// Admission: how many connections there may be, in all, from one address, and of one user. A limit of 0 means none.
// Thread-safe; nothing blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "protocol/base/result.h"

namespace postkeep::server {

struct AdmissionLimits {
  std::uint64_t total = 0;
  std::uint64_t per_address = 0;
  std::uint64_t per_user = 0;
};

class Admission {
 public:
  explicit Admission(AdmissionLimits limits) : limits_(limits) {}
  void set_limits(AdmissionLimits limits);  // for those who come from now on

  // A place that is given back when it is destroyed. The Admission outlives it.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept;
    Ticket& operator=(Ticket&& other) noexcept;
    ~Ticket() { release(); }

   private:
    friend class Admission;
    enum class Kind { connection, address, user };
    Ticket(Admission& owner, Kind kind, std::string key) : owner_(&owner), kind_(kind), key_(std::move(key)) {}
    void release();
    Admission* owner_ = nullptr;
    Kind kind_ = Kind::connection;
    std::string key_;  // empty: not counted by key
  };

  // `address` as Peer has it; IPv6 counts by /64, Unix sockets only in the total. Errors: limit.
  Result<Ticket> admit_connection(const std::string& address);
  // The same for a connection that is in the total already, once it is known from where it comes.
  Result<Ticket> admit_address(const std::string& address);
  // After a login. Errors: limit.
  Result<Ticket> admit_user(const std::string& user);
  std::uint64_t connections() const;
  std::uint64_t sessions_of(const std::string& user) const;

 private:
  Outcome count_address(const std::string& key);  // with the mutex held
  void leave(Ticket::Kind kind, const std::string& key);

  mutable std::mutex mutex_;
  AdmissionLimits limits_;
  std::uint64_t total_ = 0;
  std::unordered_map<std::string, std::uint64_t> by_address_;
  std::unordered_map<std::string, std::uint64_t> by_user_;
};

}  // namespace postkeep::server
