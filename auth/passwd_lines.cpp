#include "auth/passwd_lines.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "auth/limits.h"
#include "auth/user_name.h"
#include "protocol/base/take_until.h"

namespace postkeep::auth {

namespace {

// Cuts off what stands before `separator`; the rest if it is not there.
// What passwd(5) and shadow(5) write where no password fits.
bool is_locked(std::string_view password) {
  return password.empty() || password == "x" || password.front() == '!' || password.front() == '*';
}

struct ExtraFields {
  bool nologin = false;
  bool nopassword = false;
};

// "nologin", or "nologin=y": Dovecot looks for the name alone.
ExtraFields read_extra_fields(std::string_view text) {
  ExtraFields fields;
  while (!text.empty()) {
    std::string_view field = take_until(text, ' ');
    const std::string_view name = take_until(field, '=');
    fields.nologin |= name == "nologin";
    fields.nopassword |= name == "nopassword";
  }
  return fields;
}

class Reader {
 public:
  void read_line(std::string_view line) {
    ++line_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos || line.front() == '#') return;
    if (line.size() > passwd_line_octets_max) return report("The line is too long");
    if (line.find(':') == std::string_view::npos) return report("The line has no colon");
    const std::string_view given_name = take_until(line, ':');
    const std::string_view password = take_until(line, ':');
    for (int skipped = 0; skipped < 5; ++skipped) take_until(line, ':');  // uid, gid, gecos, home, shell
    Result<std::string> name = checked_user_name(given_name);
    if (!name) return report(name.error().text);
    PasswdEntry entry;
    entry.user.name = std::move(*name);
    if (!read_password(entry, password, read_extra_fields(line))) return;
    note_keys(entry);
    std::string key = user_key(entry.user.name);
    if (!table_.entries.try_emplace(std::move(key), std::move(entry)).second) {
      report("There is a line for this user already");
    }
  }

  PasswdTable take() { return std::move(table_); }

 private:
  void report(std::string text) { table_.problems.push_back({line_, std::move(text)}); }

  bool read_password(PasswdEntry& entry, std::string_view password, ExtraFields fields) {
    entry.user.enabled = !fields.nologin;
    if (fields.nopassword) {
      report("nopassword is not honoured: the user cannot log in");
      return true;
    }
    if (is_locked(password)) return true;
    Result<Verifier> verifier = verifier_from_text_or_crypt(password);
    if (!verifier) {
      report(verifier.error().text);
      return false;
    }
    entry.verifiers.push_back(std::move(*verifier));
    return true;
  }

  void note_keys(const PasswdEntry& entry) {
    if (!entry.user.enabled) return;
    for (const Verifier& verifier : entry.verifiers) {
      if (verifier.scheme == Scheme::plain) continue;
      if (verifier.scheme != Scheme::scram_sha_256) table_.all_have_keys = false;
      if (verifier.scheme != Scheme::scram_sha_1) table_.all_have_sha_1_keys = false;
    }
  }

  PasswdTable table_;
  std::size_t line_ = 0;
};

}  // namespace

PasswdTable read_passwd_lines(std::string_view text) {
  Reader reader;
  while (!text.empty()) reader.read_line(take_until(text, '\n'));
  return reader.take();
}

}  // namespace postkeep::auth
