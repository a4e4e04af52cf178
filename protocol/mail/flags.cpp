#include "protocol/mail/flags.h"

#include <algorithm>
#include <array>
#include <optional>

#include "protocol/base/ascii.h"
#include "protocol/mail/limits.h"

namespace postkeep {
namespace {

struct SystemFlagName {
  SystemFlag flag;
  std::string_view name;
};

constexpr std::array<SystemFlagName, 5> system_flag_names = {{
    {SystemFlag::answered, "\\Answered"},
    {SystemFlag::flagged, "\\Flagged"},
    {SystemFlag::deleted, "\\Deleted"},
    {SystemFlag::seen, "\\Seen"},
    {SystemFlag::draft, "\\Draft"},
}};

std::vector<std::string>::const_iterator position_of(const std::vector<std::string>& keywords,
                                                     std::string_view keyword) {
  return std::lower_bound(keywords.begin(), keywords.end(), keyword, ascii::iless);
}

bool is_at(const std::vector<std::string>& keywords, std::vector<std::string>::const_iterator at,
           std::string_view keyword) {
  return at != keywords.end() && ascii::iequals(*at, keyword);
}

}  // namespace

bool Flags::has_keyword(std::string_view keyword) const {
  return is_at(keywords_, position_of(keywords_, keyword), keyword);
}

void Flags::add_keyword(std::string_view keyword) {
  const auto at = position_of(keywords_, keyword);
  if (!is_at(keywords_, at, keyword)) keywords_.emplace(at, keyword);
}

void Flags::remove_keyword(std::string_view keyword) {
  const auto at = position_of(keywords_, keyword);
  if (is_at(keywords_, at, keyword)) keywords_.erase(at);
}

void Flags::add(const Flags& other) {
  set_system_bits(static_cast<std::uint8_t>(system_ | other.system_));
  for (const std::string& keyword : other.keywords_) add_keyword(keyword);
}

void Flags::remove(const Flags& other) {
  set_system_bits(static_cast<std::uint8_t>(system_ & ~other.system_));
  for (const std::string& keyword : other.keywords_) remove_keyword(keyword);
}

std::string Flags::to_wire() const {
  std::string out;
  const auto append = [&out](std::string_view name) {
    if (!out.empty()) out += ' ';
    out += name;
  };
  for (const SystemFlagName& known : system_flag_names) {
    if (has(known.flag)) append(known.name);
  }
  for (const std::string& keyword : keywords_) append(keyword);
  return out;
}

Outcome Flags::add_from_wire(std::string_view text) {
  if (text.starts_with('\\')) {
    for (const SystemFlagName& known : system_flag_names) {
      if (ascii::iequals(known.name, text)) {
        set(known.flag);
        return {};
      }
    }
    if (ascii::iequals(text, "\\Recent")) {
      return failure(ErrorKind::client_bug, "\\Recent cannot be set by clients");
    }
    return failure(ErrorKind::bad_syntax, "Unknown system flag");
  }
  // RFC 9051 §9: flag-keyword is an atom.
  if (!ascii::all(text, ascii::is_atom_char)) return failure(ErrorKind::bad_syntax, "Invalid keyword");
  if (text.size() > limits::keyword_bytes_max) return failure(ErrorKind::bad_syntax, "Keyword is too long");
  add_keyword(text);
  return {};
}

bool Flags::operator==(const Flags& other) const {
  return system_ == other.system_ &&
         std::equal(keywords_.begin(), keywords_.end(), other.keywords_.begin(), other.keywords_.end(), ascii::iequals);
}

Flags apply(Flags before, FlagChange change, const Flags& operand) {
  switch (change) {
    case FlagChange::add:
      before.add(operand);
      return before;
    case FlagChange::remove:
      before.remove(operand);
      return before;
    case FlagChange::replace:
      break;
  }
  // Keywords that stay keep the spelling that was there first.
  Flags after;
  after.set_system_bits(operand.system_bits());
  for (const std::string& keyword : before.keywords()) {
    if (operand.has_keyword(keyword)) after.add_keyword(keyword);
  }
  after.add(operand);
  return after;
}

}  // namespace postkeep
