#include "server/runtime/admission.h"

#include <asio/ip/address.hpp>
#include <utility>

namespace postkeep::server {
namespace {

// Whoever has one IPv6 address has its whole /64.
std::string address_key(const std::string& address) {
  asio::error_code error;
  const asio::ip::address parsed = asio::ip::make_address(address, error);
  if (error) return {};
  if (parsed.is_v4()) return parsed.to_string();
  asio::ip::address_v6::bytes_type bytes = parsed.to_v6().to_bytes();
  for (std::size_t i = 8; i < bytes.size(); ++i) bytes[i] = 0;
  return asio::ip::address_v6(bytes).to_string();
}

}  // namespace

Admission::Ticket::Ticket(Ticket&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)), kind_(other.kind_), key_(std::move(other.key_)) {}

Admission::Ticket& Admission::Ticket::operator=(Ticket&& other) noexcept {
  if (this != &other) {
    release();
    owner_ = std::exchange(other.owner_, nullptr);
    kind_ = other.kind_;
    key_ = std::move(other.key_);
  }
  return *this;
}

void Admission::Ticket::release() {
  if (owner_ != nullptr) std::exchange(owner_, nullptr)->leave(kind_, key_);
}

void Admission::set_limits(AdmissionLimits limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

Outcome Admission::count_address(const std::string& key) {
  if (key.empty()) return {};
  std::uint64_t& count = by_address_[key];
  if (limits_.per_address != 0 && count >= limits_.per_address) {
    return failure(ErrorKind::limit, "Too many connections from your address");
  }
  ++count;
  return {};
}

Result<Admission::Ticket> Admission::admit_address(const std::string& address) {
  std::string key = address_key(address);
  const std::lock_guard lock(mutex_);
  TRY(count_address(key));
  return Ticket(*this, Ticket::Kind::address, std::move(key));
}

Result<Admission::Ticket> Admission::admit_connection(const std::string& address) {
  std::string key = address_key(address);
  const std::lock_guard lock(mutex_);
  if (limits_.total != 0 && total_ >= limits_.total) {
    return failure(ErrorKind::limit, "Too many connections", "all places are taken");
  }
  TRY(count_address(key));
  ++total_;
  return Ticket(*this, Ticket::Kind::connection, std::move(key));
}

Result<Admission::Ticket> Admission::admit_user(const std::string& user) {
  const std::lock_guard lock(mutex_);
  std::uint64_t& count = by_user_[user];
  if (limits_.per_user != 0 && count >= limits_.per_user) {
    return failure(ErrorKind::limit, "Too many connections of this user");
  }
  ++count;
  return Ticket(*this, Ticket::Kind::user, user);
}

std::uint64_t Admission::connections() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

std::uint64_t Admission::sessions_of(const std::string& user) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_user_.find(user);
  return found == by_user_.end() ? 0 : found->second;
}

void Admission::leave(Ticket::Kind kind, const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (kind == Ticket::Kind::connection) --total_;
  if (key.empty()) return;
  auto& counts = kind == Ticket::Kind::user ? by_user_ : by_address_;
  const auto found = counts.find(key);
  if (found != counts.end() && --found->second == 0) counts.erase(found);
}

}  // namespace postkeep::server
