#include "auth/certificate_names.h"

#include <algorithm>

#include "auth/limits.h"
#include "auth/user_name.h"
#include "protocol/base/ascii.h"
#include "protocol/base/take_until.h"

namespace postkeep::auth {

namespace {

constexpr std::size_t fingerprint_digits = 64;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

// As `openssl x509 -fingerprint` prints it, or without colons.
Result<std::string> checked_fingerprint(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c == ':') continue;
    if (ascii::hex_value(c) < 0) return failure(ErrorKind::cannot, "a fingerprint is hexadecimal");
    digits += c;
  }
  if (digits.size() != fingerprint_digits) return failure(ErrorKind::cannot, "a SHA-256 fingerprint has 64 digits");
  return ascii::to_lower(digits);
}

Result<CertificateMapping> read_mapping(std::string_view line) {
  CertificateMapping mapping;
  const std::size_t name_end = std::min(line.find_first_of(" \t"), line.size());
  mapping.user = TRY(checked_user_name(line.substr(0, name_end)));
  std::string_view what = trimmed(line.substr(name_end));
  const std::string_view kind = take_until(what, ':');
  if (what.empty()) return failure(ErrorKind::cannot, "a line is a user's name and email:, cn:, subject: or sha256:");
  mapping.value = std::string(what);
  if (kind == "email") {
    mapping.kind = CertificateMapping::Kind::email;
  } else if (kind == "cn") {
    mapping.kind = CertificateMapping::Kind::common_name;
  } else if (kind == "subject") {
    mapping.kind = CertificateMapping::Kind::subject;
  } else if (kind == "sha256") {
    mapping.kind = CertificateMapping::Kind::fingerprint;
    mapping.value = TRY(checked_fingerprint(what));
  } else {
    return failure(ErrorKind::cannot, "what a certificate must have begins with email:, cn:, subject: or sha256:");
  }
  return mapping;
}

// RFC 5321 §2.4: the domain without regard to case; the local part is its owner's affair, and ours ignores case, too.
bool has_email(const CertificateNames& certificate, std::string_view address) {
  return std::ranges::any_of(certificate.emails,
                             [&](const std::string& email) { return user_key(email) == user_key(address); });
}

bool fits(const CertificateNames& certificate, const CertificateMapping& mapping) {
  switch (mapping.kind) {
    case CertificateMapping::Kind::email:
      return has_email(certificate, mapping.value);
    case CertificateMapping::Kind::common_name:
      return std::ranges::count(certificate.common_names, mapping.value) != 0;
    case CertificateMapping::Kind::subject:
      return certificate.subject == mapping.value;
    case CertificateMapping::Kind::fingerprint:
      return certificate.fingerprint == mapping.value;
  }
  return false;
}

}  // namespace

Result<CertificateRule> certificate_rule_from_text(std::string_view text) {
  CertificateRule rule;
  if (text == "email") return rule;
  if (text == "cn") {
    rule.kind = CertificateRule::Kind::common_name;
    return rule;
  }
  if (!text.starts_with("file:/")) {
    return failure(ErrorKind::cannot, "a rule is \"email\", \"cn\" or \"file:/path\"");
  }
  rule.kind = CertificateRule::Kind::map;
  rule.path = std::string(text.substr(5));
  return rule;
}

Result<std::vector<CertificateRule>> load_certificate_rules(storage::FileSystem& files,
                                                            const std::vector<std::string>& rules) {
  std::vector<CertificateRule> loaded;
  for (const std::string& text : rules) {
    CertificateRule rule = TRY(certificate_rule_from_text(text));
    if (rule.kind == CertificateRule::Kind::map) {
      const std::string lines = TRY(storage::read_file(files, rule.path, certificate_map_octets_max));
      Result<std::vector<CertificateMapping>> map = read_certificate_map(lines);
      if (!map) {
        return failure(ErrorKind::cannot, "The map of certificates cannot be read",
                       rule.path + ": " + map.error().text);
      }
      rule.map = std::move(*map);
    }
    loaded.push_back(std::move(rule));
  }
  return loaded;
}

Result<std::vector<CertificateMapping>> read_certificate_map(std::string_view text) {
  std::vector<CertificateMapping> map;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = trimmed(take_until(text, '\n'));
    if (line.empty() || line.front() == '#') continue;
    Result<CertificateMapping> mapping = read_mapping(line);
    if (!mapping) return failure(ErrorKind::cannot, "line " + std::to_string(number) + ": " + mapping.error().text);
    map.push_back(std::move(*mapping));
  }
  return map;
}

std::vector<std::string> users_of(const CertificateNames& certificate, const std::vector<CertificateRule>& rules) {
  std::vector<std::string> users;
  const auto add = [&users](const std::string& name) {
    if (std::ranges::count(users, name) == 0) users.push_back(name);
  };
  for (const CertificateRule& rule : rules) {
    if (rule.kind == CertificateRule::Kind::email) std::ranges::for_each(certificate.emails, add);
    if (rule.kind == CertificateRule::Kind::common_name) std::ranges::for_each(certificate.common_names, add);
    for (const CertificateMapping& mapping : rule.map) {
      if (fits(certificate, mapping)) add(mapping.user);
    }
  }
  return users;
}

}  // namespace postkeep::auth
