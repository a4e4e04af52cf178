#include "storage/maildir/flag_letters.h"

namespace postkeep::storage::maildir {
namespace {

std::uint32_t bit_of(int letter) { return std::uint32_t{1} << letter; }

}  // namespace

NameFlags letters_of(const MailboxFile& table, const Flags& flags, const NameFlags& before) {
  NameFlags letters;
  letters.system_bits = flags.system_bits();
  letters.forwarded = flags.has_keyword(forwarded_keyword);
  letters.unknown = before.unknown;
  for (int i = 0; i < keyword_letters_max; ++i) {
    const std::string& keyword = table.keywords[static_cast<std::size_t>(i)];
    const bool set = keyword.empty() ? (before.keyword_bits & bit_of(i)) != 0 : flags.has_keyword(keyword);
    if (set) letters.keyword_bits |= bit_of(i);
  }
  return letters;
}

std::vector<std::string> keywords_without_letter(const MailboxFile& table, const Flags& flags) {
  Flags rest = flags;
  rest.remove_keyword(forwarded_keyword);
  for (const std::string& keyword : table.keywords) rest.remove_keyword(keyword);
  return rest.keywords();
}

Flags flags_of(const MailboxFile& table, const NameFlags& letters) {
  Flags flags;
  flags.set_system_bits(letters.system_bits);
  if (letters.forwarded) flags.add_keyword(forwarded_keyword);
  for (int i = 0; i < keyword_letters_max; ++i) {
    const std::string& keyword = table.keywords[static_cast<std::size_t>(i)];
    if ((letters.keyword_bits & bit_of(i)) != 0 && !keyword.empty()) flags.add_keyword(keyword);
  }
  return flags;
}

Flags merge_foreign(const Flags& ours, const Flags& agreed, const Flags& theirs) {
  Flags set = theirs;
  set.remove(agreed);
  Flags cleared = agreed;
  cleared.remove(theirs);
  Flags merged = ours;
  merged.add(set);
  merged.remove(cleared);
  return merged;
}

}  // namespace postkeep::storage::maildir
