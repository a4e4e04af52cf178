#include "auth/user_directory_chain.h"

#include <algorithm>
#include <unordered_set>

#include "auth/user_name.h"

namespace postkeep::auth {

Result<UserDirectory*> UserDirectoryChain::link_of(std::string_view name) {
  for (const auto& link : links_) {
    if (TRY(link->find(name))) return link.get();
  }
  return failure(ErrorKind::not_found, "No such user");
}

Result<std::optional<User>> UserDirectoryChain::find(std::string_view name) {
  for (const auto& link : links_) {
    std::optional<User> user = TRY(link->find(name));
    if (user) return user;
  }
  return std::optional<User>();
}

Result<std::vector<Verifier>> UserDirectoryChain::verifiers(std::string_view name) {
  return TRY(link_of(name))->verifiers(name);
}

Result<std::vector<User>> UserDirectoryChain::list() {
  std::vector<User> users;
  std::unordered_set<std::string> known;
  for (const auto& link : links_) {
    for (User& user : TRY(link->list())) {
      if (known.insert(user_key(user.name)).second) users.push_back(std::move(user));
    }
  }
  std::ranges::sort(users, {}, &User::name);
  return users;
}

bool UserDirectoryChain::can_supply_sha_1_keys() const {
  return std::ranges::all_of(links_, [](const auto& link) { return link->can_supply_sha_1_keys(); });
}

bool UserDirectoryChain::can_supply_keys() const {
  return std::ranges::all_of(links_, [](const auto& link) { return link->can_supply_keys(); });
}

bool UserDirectoryChain::is_writable(std::string_view name) {
  const Result<UserDirectory*> link = link_of(name);
  return link && (*link)->is_writable(name);
}

Outcome UserDirectoryChain::add(const User& user, const std::vector<Verifier>& verifiers) {
  if (TRY(find(user.name))) return failure(ErrorKind::already_exists, "There is already a user of that name");
  for (const auto& link : links_) {
    if (link->is_writable(user.name)) return link->add(user, verifiers);
  }
  return links_.front()->add(user, verifiers);  // it says why not
}

Outcome UserDirectoryChain::set_verifiers(std::string_view name, const std::vector<Verifier>& verifiers) {
  return TRY(link_of(name))->set_verifiers(name, verifiers);
}

Outcome UserDirectoryChain::add_verifier(std::string_view name, const Verifier& verifier,
                                         const std::vector<Verifier>& seen) {
  return TRY(link_of(name))->add_verifier(name, verifier, seen);
}

Outcome UserDirectoryChain::set_enabled(std::string_view name, bool enabled) {
  return TRY(link_of(name))->set_enabled(name, enabled);
}

Outcome UserDirectoryChain::remove(std::string_view name) { return TRY(link_of(name))->remove(name); }

Outcome UserDirectoryChain::rename(std::string_view name, const std::string& to) {
  UserDirectory* link = TRY(link_of(name));
  const std::optional<User> other = TRY(find(to));
  if (other && user_key(other->name) != user_key(name)) {
    return failure(ErrorKind::already_exists, "There is already a user of that name");
  }
  return link->rename(name, to);
}

}  // namespace postkeep::auth
