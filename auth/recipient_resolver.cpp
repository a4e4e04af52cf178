#include "auth/recipient_resolver.h"

#include <algorithm>
#include <utility>

#include "auth/limits.h"
#include "auth/user_name.h"
#include "protocol/base/ascii.h"

namespace postkeep::auth {

namespace {

// Addresses looked at for one: aliases that share targets could make very many of few lines.
constexpr std::size_t expansions_max = 10 * resolved_recipients_max;

tl::unexpected<Error> nobody_here() { return failure(ErrorKind::not_found, "No such user here"); }

// An address in its parts: `local` with the detail, `base` without.
struct AddressParts {
  std::string_view local, domain;  // domain: without '@', empty if there is none
  std::string base, detail;
  bool has_detail = false;
  AddressParts(std::string_view address, const std::string& delimiters) {
    const std::size_t at = address.rfind('@');
    local = address.substr(0, at);
    if (at != std::string_view::npos) domain = address.substr(at + 1);
    const std::size_t end = delimiters.empty() ? std::string_view::npos : local.find_first_of(delimiters);
    has_detail = end != std::string_view::npos && end != 0;
    if (!has_detail) return;
    base = local.substr(0, end);
    detail = local.substr(end + 1);
  }
  std::string with_domain(std::string_view name) const {
    return domain.empty() ? std::string(name) : std::string(name) + '@' + std::string(domain);
  }
};

// The names that `local` may mean there: with its domain, and alone where the domain is ours.
std::vector<std::string> names_of(std::string_view local, const AddressParts& parts, const RecipientRules& rules) {
  std::vector<std::string> names = {parts.with_domain(local)};
  if (!parts.domain.empty() && is_own_domain(parts.domain, rules.domains)) names.emplace_back(local);
  return names;
}

// Follows aliases. One call of resolve_recipients().
class AliasWalk {
 public:
  AliasWalk(const RecipientRules& rules, const FindUser& find) : rules_(rules), find_(find) {}

  // `detail` goes to whom the address means if it has none of its own.
  Outcome expand(std::string_view address, const std::string& detail) {
    if (++expansions_ > expansions_max) return too_many();
    if (address.empty() || address.size() > login_octets_max) return note_nobody(address);
    const AddressParts parts(address, rules_.delimiters);
    if (TRY(meant_by(names_of(parts.local, parts, rules_), detail))) return {};
    if (parts.has_detail && TRY(meant_by(names_of(parts.base, parts, rules_), parts.detail))) return {};
    // What stood in an address that nobody has is no wish of anybody's.
    if (!parts.domain.empty() && TRY(follow('@' + std::string(parts.domain), {}))) return {};
    return note_nobody(address);
  }

  Result<RecipientSet> finish() {
    if (!found_.recipients.empty()) return std::move(found_);
    if (in_circle_) return failure(ErrorKind::unavailable, "The alias cannot be followed", std::move(found_.problem));
    return nobody_here();
  }

 private:
  // Aliases first, since one may stand for a user as well.
  Result<bool> meant_by(const std::vector<std::string>& names, const std::string& detail) {
    for (const std::string& name : names) {
      if (TRY(follow(name, detail))) return true;
    }
    for (const std::string& name : names) {
      const std::optional<std::string> user = TRY(find_(name));
      if (!user) continue;
      TRY(add(*user, detail));
      return true;
    }
    return false;
  }

  // False: there is no such alias, or it is being followed already.
  Result<bool> follow(const std::string& name, const std::string& detail) {
    const std::vector<std::string>* targets = rules_.aliases ? rules_.aliases->find(name) : nullptr;
    if (targets == nullptr) return false;
    std::string key = user_key(name);
    const bool circle = std::ranges::find(path_, key) != path_.end();
    if (circle || path_.size() == alias_depth_max) {
      in_circle_ = true;
      return false;
    }
    path_.push_back(std::move(key));
    for (const std::string& target : *targets) TRY(expand(target, detail));
    path_.pop_back();
    return true;
  }

  Outcome add(const std::string& user, const std::string& detail) {
    Recipient recipient;
    recipient.user = user;
    recipient.detail = detail;
    if (std::ranges::find(found_.recipients, recipient) != found_.recipients.end()) return {};
    if (found_.recipients.size() == resolved_recipients_max) {
      return too_many();
    }
    found_.recipients.push_back(std::move(recipient));
    return {};
  }

  static Outcome too_many() {
    return failure(ErrorKind::unavailable, "The alias cannot be followed", "an alias stands for too many users");
  }

  Outcome note_nobody(std::string_view address) {
    constexpr std::size_t problem_octets_max = 500;
    if (path_.empty() || found_.problem.size() > problem_octets_max) return {};
    found_.problem += (found_.problem.empty() ? "targets that are nobody: " : ", ") + std::string(address);
    return {};
  }

  const RecipientRules& rules_;
  const FindUser& find_;
  std::vector<std::string> path_;  // the aliases that are being followed, by their keys
  bool in_circle_ = false;
  std::size_t expansions_ = 0;
  RecipientSet found_;
};

}  // namespace

bool is_own_domain(std::string_view domain, const std::vector<std::string>& domains) {
  return ascii::iequals(domain, "localhost") ||
         std::ranges::any_of(domains, [&](const std::string& own) { return ascii::iequals(own, domain); });
}

Result<Recipient> resolve_user(std::string_view address, const RecipientRules& rules, const FindUser& find) {
  if (address.empty() || address.size() > login_octets_max) return nobody_here();
  RecipientRules without_aliases = rules;
  without_aliases.aliases = nullptr;
  RecipientSet found = TRY(resolve_recipients(address, without_aliases, find));
  return std::move(found.recipients.front());
}

Result<RecipientSet> resolve_recipients(std::string_view address, const RecipientRules& rules, const FindUser& find) {
  AliasWalk walk(rules, find);
  TRY(walk.expand(address, {}));
  return walk.finish();
}

}  // namespace postkeep::auth
