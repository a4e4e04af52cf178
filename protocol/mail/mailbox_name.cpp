#include "protocol/mail/mailbox_name.h"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/base/ensure.h"
#include "protocol/base/seeded_fault.h"
#include "protocol/mail/limits.h"
#include "protocol/text/utf8.h"

namespace postkeep {
namespace {

constexpr std::string_view inbox_name = "INBOX";

struct SpecialUseName {
  SpecialUse use;
  std::string_view name;
};

constexpr std::array<SpecialUseName, 9> special_use_names = {{
    {SpecialUse::none, ""},
    {SpecialUse::all, "\\All"},
    {SpecialUse::archive, "\\Archive"},
    {SpecialUse::drafts, "\\Drafts"},
    {SpecialUse::flagged, "\\Flagged"},
    {SpecialUse::important, "\\Important"},
    {SpecialUse::junk, "\\Junk"},
    {SpecialUse::sent, "\\Sent"},
    {SpecialUse::trash, "\\Trash"},
}};

// RFC 9051 §5.1: no control characters (C0, DEL, C1), no line or paragraph separator (RFC 5198).
bool has_forbidden_character(std::string_view utf8) {
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    if (ascii::is_ctl(utf8[i])) return true;
    const std::string_view here = utf8.substr(i);
    if (here.size() >= 2 && here[0] == '\xC2' && static_cast<unsigned char>(here[1]) < 0xA0) return true;
    if (here.starts_with("\xE2\x80\xA8") || here.starts_with("\xE2\x80\xA9")) return true;
  }
  return false;
}

// With '.' on the wire the two separators change places, so that "a.b" inside a name stays expressible.
std::string swap_separators(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c == '.') {
      c = '/';
    } else if (c == '/') {
      c = '.';
    }
  }
  return out;
}

// How much of the front of `name` compares without case: INBOX, alone or as the top component.
std::size_t caseless_prefix(std::string_view name) {
  const bool is_inbox =
      ascii::istarts_with(name, inbox_name) && (name.size() == inbox_name.size() || name[inbox_name.size()] == '/');
  return is_inbox ? inbox_name.size() : 0;
}

}  // namespace

Result<MailboxName> MailboxName::from_utf8(std::string_view utf8) {
  if (utf8.empty()) return failure(ErrorKind::cannot, "Mailbox name is empty");
  if (utf8.size() > limits::mailbox_name_bytes_max) return failure(ErrorKind::cannot, "Mailbox name is too long");
  if (!text::is_valid_utf8(utf8)) return failure(ErrorKind::cannot, "Mailbox name is not valid UTF-8");
  if (has_forbidden_character(utf8)) return failure(ErrorKind::cannot, "Mailbox name contains a control character");
  if (utf8.front() == '/' || utf8.back() == '/' || utf8.find("//") != std::string_view::npos) {
    return failure(ErrorKind::cannot, "Mailbox name has an empty component");
  }
  std::string name = text::to_nfc(utf8);
  const std::size_t caseless = caseless_prefix(name);
  std::transform(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(caseless), name.begin(),
                 [](char c) { return ascii::to_upper(c); });
  return MailboxName(std::move(name));
}

MailboxName MailboxName::inbox() { return MailboxName(); }

Result<MailboxName> MailboxName::from_wire(std::string_view text, Encoding encoding, char separator) {
  ENSURE(separator == '/' || separator == '.', "the wire's separator is '/' or '.'");
  std::string utf8(text);
  const bool raw_utf8 = std::any_of(text.begin(), text.end(), ascii::is_eight_bit);
  if (encoding == Encoding::modified_utf7 && !raw_utf8) {
    auto decoded = decode_modified_utf7(text);
    if (!decoded) return failure(ErrorKind::cannot, "Mailbox name is not valid modified UTF-7");
    utf8 = *std::move(decoded);
  }
  if (separator == '.') utf8 = swap_separators(utf8);
  if (seeded(Fault::inbox_in_capitals) && utf8 == "inbox") utf8 = "inbox-";
  return from_utf8(utf8);
}

std::string MailboxName::to_wire(Encoding encoding, char separator) const {
  const std::string shown = separator == '.' ? swap_separators(utf8_) : utf8_;
  return encoding == Encoding::modified_utf7 ? encode_modified_utf7(shown) : shown;
}

std::vector<std::string_view> MailboxName::components() const {
  std::vector<std::string_view> parts;
  std::string_view rest = utf8_;
  while (true) {
    const std::size_t slash = rest.find('/');
    parts.push_back(rest.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    rest.remove_prefix(slash + 1);
  }
}

std::string_view MailboxName::last_component() const {
  const std::string_view whole = utf8_;
  const std::size_t slash = whole.rfind('/');
  return slash == std::string_view::npos ? whole : whole.substr(slash + 1);
}

std::optional<MailboxName> MailboxName::parent() const {
  const std::size_t slash = utf8_.rfind('/');
  if (slash == std::string::npos) return std::nullopt;
  return MailboxName(utf8_.substr(0, slash));
}

bool MailboxName::is_under(const MailboxName& ancestor) const {
  return utf8_.size() > ancestor.utf8_.size() && utf8_.starts_with(ancestor.utf8_) &&
         utf8_[ancestor.utf8_.size()] == '/';
}

MailboxName MailboxName::moved(const MailboxName& from, const MailboxName& to) const {
  ENSURE(*this == from || is_under(from), "a name that moves is the old name or under it");
  return MailboxName(to.utf8_ + utf8_.substr(from.utf8_.size()));
}

// One pass over the name per pattern character: reachable[i] says that the pattern so far can match
// the first i bytes. No backtracking, so no pattern is expensive.
bool matches_list_pattern(std::string_view pattern, std::string_view name) {
  const std::size_t caseless = caseless_prefix(name);
  std::vector<char> reachable(name.size() + 1, 0);
  reachable[0] = 1;
  char previous = 0;
  for (const char p : pattern) {
    const bool wildcard = p == '*' || p == '%';
    if (wildcard && p == previous) continue;
    previous = p;
    if (wildcard) {
      for (std::size_t i = 0; i < name.size(); ++i) {
        if (reachable[i] != 0 && (p == '*' || name[i] != '/' || seeded(Fault::percent_is_star))) reachable[i + 1] = 1;
      }
      continue;
    }
    for (std::size_t i = name.size(); i-- > 0;) {
      const bool same = i < caseless ? ascii::to_lower(p) == ascii::to_lower(name[i]) : p == name[i];
      reachable[i + 1] = reachable[i] != 0 && same ? 1 : 0;
    }
    reachable[0] = 0;
  }
  return reachable[name.size()] != 0;
}

std::string_view to_wire(SpecialUse use) {
  for (const SpecialUseName& known : special_use_names) {
    if (known.use == use) return known.name;
  }
  return {};
}

std::optional<SpecialUse> special_use_from_wire(std::string_view text) {
  for (const SpecialUseName& known : special_use_names) {
    if (known.use != SpecialUse::none && ascii::iequals(known.name, text)) return known.use;
  }
  return std::nullopt;
}

}  // namespace postkeep
