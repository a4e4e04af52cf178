// UserDirectoryChain: several directories as one, asked in order. The first that knows a name decides, so a user in an
// earlier one hides the user of the same name in a later one; and one that fails ends the look-up, since a later one
// must not let somebody in whom it might have refused.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "auth/user_directory.h"

namespace postkeep::auth {

// As thread-safe as its links.
class UserDirectoryChain final : public UserDirectory {
 public:
  // At least one link.
  explicit UserDirectoryChain(std::vector<std::unique_ptr<UserDirectory>> links) : links_(std::move(links)) {}

  Result<std::optional<User>> find(std::string_view name) override;
  Result<std::vector<Verifier>> verifiers(std::string_view name) override;
  Result<std::vector<User>> list() override;
  bool can_supply_keys() const override;
  bool can_supply_sha_1_keys() const override;
  bool is_writable(std::string_view name) override;
  // To the first link that takes users. Errors besides: cannot when there is none.
  Outcome add(const User& user, const std::vector<Verifier>& verifiers) override;
  // These go to the link that has the user.
  Outcome set_verifiers(std::string_view name, const std::vector<Verifier>& verifiers) override;
  Outcome add_verifier(std::string_view name, const Verifier& verifier, const std::vector<Verifier>& seen) override;
  Outcome set_enabled(std::string_view name, bool enabled) override;
  Outcome remove(std::string_view name) override;
  Outcome rename(std::string_view name, const std::string& to) override;

 private:
  Result<UserDirectory*> link_of(std::string_view name);  // errors: not_found

  const std::vector<std::unique_ptr<UserDirectory>> links_;
};

}  // namespace postkeep::auth
