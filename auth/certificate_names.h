// Client certificates as logins: what a certificate says of its owner, and which user that is (SASL EXTERNAL, RFC 4422
// Appendix A). The server reads the names of a certificate that TLS has verified (server/net/transport); the rules are
// those of auth.certificate_users. Pure, but for load_certificate_rules().
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "storage/file_system.h"

namespace postkeep::auth {

// Of one certificate, verified.
struct CertificateNames {
  std::string subject;                    // whole, as RFC 2253 writes it: for the log, and for maps
  std::string fingerprint;                // SHA-256 of the certificate, in lower-case hexadecimal digits
  std::vector<std::string> common_names;  // subject CN
  std::vector<std::string> emails;        // subjectAltName rfc822Name
};

// One line of a map: whoever shows such a certificate is this user.
struct CertificateMapping {
  enum class Kind { email, common_name, subject, fingerprint };
  Kind kind = Kind::email;
  std::string value;
  std::string user;
};

// One way from a certificate to users, tried in the order of the setting.
struct CertificateRule {
  enum class Kind { email, common_name, map };
  Kind kind = Kind::email;
  std::string path;                     // of a map
  std::vector<CertificateMapping> map;  // what the file has
};

// "email", "cn" or "file:/path"; a map's lines come later. Errors: cannot, with the reason.
Result<CertificateRule> certificate_rule_from_text(std::string_view text);
// All rules, their maps read. Blocking. Errors: cannot (malformed; detail says which file), those of the file system.
Result<std::vector<CertificateRule>> load_certificate_rules(storage::FileSystem& files,
                                                            const std::vector<std::string>& rules);

// The text of a map: on each line a user's name, then what the certificate must have, `email:`, `cn:`, `subject:` or
// `sha256:` before it. Empty lines and those that begin with # say nothing.
//
//   alice    cn:Alice Smith
//   backup   sha256:9F:86:D0:...
//
// Errors: cannot, with the number of the first line that is malformed.
Result<std::vector<CertificateMapping>> read_certificate_map(std::string_view text);

// The names of users that the certificate may stand for, in the order of the rules. They need not exist.
std::vector<std::string> users_of(const CertificateNames& certificate, const std::vector<CertificateRule>& rules);

}  // namespace postkeep::auth
