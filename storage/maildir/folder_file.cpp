#include "storage/maildir/folder_file.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace postkeep::storage::maildir {
namespace {

constexpr int account_version = 1;
constexpr int mailbox_version = 1;
constexpr std::uint64_t uid_floor_max = std::uint64_t{1} << 32;
constexpr std::uint64_t modseq_floor_max = std::uint64_t{1} << 63;
constexpr std::uint64_t u32_max = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t u64_max = std::numeric_limits<std::uint64_t>::max();

// Reads the lines of one file, remembering where it is for the error and which keys it has seen.
class Reader {
 public:
  Reader(std::string_view kind, const Lines& lines) : kind_(kind), lines_(lines) {}

  bool next() { return ++at_ <= lines_.size(); }
  const std::string& key() const { return lines_[at_ - 1].first; }
  const std::string& value() const { return lines_[at_ - 1].second; }
  tl::unexpected<Error> bad(std::string_view reason) const { return damaged(kind_, at_ + 1, reason); }

  // The value as a number from `least` to `most`; each such key at most once.
  Result<std::uint64_t> number(std::uint64_t least, std::uint64_t most) {
    TRY(only_once());
    const std::string& text = value();
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return bad(key() + " is not a number");
    if (number < least || number > most) return bad(key() + " is out of range");
    return number;
  }

  Outcome only_once() {
    if (!seen_.insert(key()).second) return bad(key() + " is there twice");
    return {};
  }

  Outcome require(std::initializer_list<const char*> keys) const {
    for (const char* key : keys) {
      if (!seen_.contains(key)) return damaged(kind_, 0, std::string(key) + " is missing");
    }
    return {};
  }

  Outcome metadata(Metadata& into) const {
    std::string_view rest = value();
    std::string entry(take_word(rest));
    if (entry.empty() || entry.front() != '/') return bad("metadata without an entry name");
    if (!into.emplace(std::move(entry), rest).second) return bad("metadata entry is there twice");
    return {};
  }

 private:
  std::string_view kind_;
  const Lines& lines_;
  std::size_t at_ = 0;
  std::set<std::string> seen_;
};

void add_metadata(Lines& lines, const Metadata& metadata) {
  // Entry names have no spaces (RFC 5464 §4.1), so the first space ends the name.
  for (const auto& [entry, value] : metadata) lines.emplace_back("metadata", entry + " " + value);
}

bool equal_without_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

// "a $Junk"
Outcome take_keyword(Reader& reader, MailboxFile& file) {
  const std::string& value = reader.value();
  if (value.size() < 3 || value[0] < 'a' || value[0] > 'z' || value[1] != ' ') {
    return reader.bad("keyword is not \"<letter> <keyword>\"");
  }
  std::string& slot = file.keywords[static_cast<std::size_t>(value[0] - 'a')];
  const std::string keyword = value.substr(2);
  if (!slot.empty() || file.letter_of(keyword)) return reader.bad("keyword or letter is there twice");
  slot = keyword;
  return {};
}

}  // namespace

std::string AccountFile::render() const {
  Lines lines;
  lines.emplace_back("generation", std::to_string(generation));
  lines.emplace_back("uid-validity-floor", std::to_string(uid_validity_floor.value()));
  lines.emplace_back("mailbox-id-floor", std::to_string(mailbox_id_floor));
  lines.emplace_back("defaults-made", defaults_made ? "yes" : "no");
  if (quota_octets) lines.emplace_back("quota-octets", std::to_string(*quota_octets));
  if (quota_messages) lines.emplace_back("quota-messages", std::to_string(*quota_messages));
  for (const std::string& name : subscriptions) lines.emplace_back("subscribed", name);
  add_metadata(lines, metadata);
  lines.insert(lines.end(), unknown.begin(), unknown.end());
  return render_text_file(account_file_name, account_version, lines);
}

Result<AccountFile> AccountFile::parse(std::string_view text) {
  const Lines lines = TRY(parse_text_file(account_file_name, account_version, text));
  AccountFile file;
  Reader reader(account_file_name, lines);
  while (reader.next()) {
    const std::string& key = reader.key();
    if (key == "generation") {
      file.generation = TRY(reader.number(0, u64_max));
    } else if (key == "uid-validity-floor") {
      file.uid_validity_floor = UidValidity(static_cast<std::uint32_t>(TRY(reader.number(0, u32_max))));
    } else if (key == "mailbox-id-floor") {
      file.mailbox_id_floor = TRY(reader.number(1, u64_max));
    } else if (key == "defaults-made") {
      TRY(reader.only_once());
      if (reader.value() != "yes" && reader.value() != "no") return reader.bad("defaults-made is not yes or no");
      file.defaults_made = reader.value() == "yes";
    } else if (key == "quota-octets") {
      file.quota_octets = TRY(reader.number(0, u64_max));
    } else if (key == "quota-messages") {
      file.quota_messages = TRY(reader.number(0, u64_max));
    } else if (key == "subscribed") {
      if (!file.subscriptions.insert(reader.value()).second) return reader.bad("subscribed twice");
    } else if (key == "metadata") {
      TRY(reader.metadata(file.metadata));
    } else {
      file.unknown.emplace_back(key, reader.value());
    }
  }
  TRY(reader.require({"generation", "uid-validity-floor", "mailbox-id-floor", "defaults-made"}));
  return file;
}

std::string MailboxFile::render() const {
  Lines lines;
  lines.emplace_back("uid-validity", std::to_string(uid_validity.value()));
  lines.emplace_back("mailbox-id", std::to_string(id.value()));
  if (special_use != SpecialUse::none) lines.emplace_back("special-use", to_wire(special_use));
  lines.emplace_back("uid-floor", std::to_string(uid_floor));
  lines.emplace_back("modseq-floor", std::to_string(modseq_floor));
  for (std::size_t i = 0; i < keywords.size(); ++i) {
    if (!keywords[i].empty()) lines.emplace_back("keyword", static_cast<char>('a' + i) + (" " + keywords[i]));
  }
  add_metadata(lines, metadata);
  lines.insert(lines.end(), unknown.begin(), unknown.end());
  return render_text_file(mailbox_file_name, mailbox_version, lines);
}

Result<MailboxFile> MailboxFile::parse(std::string_view text) {
  const Lines lines = TRY(parse_text_file(mailbox_file_name, mailbox_version, text));
  MailboxFile file;
  Reader reader(mailbox_file_name, lines);
  while (reader.next()) {
    const std::string& key = reader.key();
    if (key == "uid-validity") {
      file.uid_validity = UidValidity(static_cast<std::uint32_t>(TRY(reader.number(1, u32_max))));
    } else if (key == "mailbox-id") {
      file.id = MailboxId(TRY(reader.number(1, u64_max)));
    } else if (key == "special-use") {
      TRY(reader.only_once());
      const std::optional<SpecialUse> use = special_use_from_wire(reader.value());
      if (!use) return reader.bad("special-use is unknown");
      file.special_use = *use;
    } else if (key == "uid-floor") {
      file.uid_floor = TRY(reader.number(1, uid_floor_max));
    } else if (key == "modseq-floor") {
      file.modseq_floor = TRY(reader.number(1, modseq_floor_max));
    } else if (key == "keyword") {
      TRY(take_keyword(reader, file));
    } else if (key == "metadata") {
      TRY(reader.metadata(file.metadata));
    } else {
      file.unknown.emplace_back(key, reader.value());
    }
  }
  TRY(reader.require({"uid-validity", "mailbox-id", "uid-floor", "modseq-floor"}));
  return file;
}

std::optional<int> MailboxFile::letter_of(std::string_view keyword) const {
  for (int i = 0; i < keyword_letters_max; ++i) {
    if (equal_without_case(keywords[static_cast<std::size_t>(i)], keyword) && !keyword.empty()) return i;
  }
  return std::nullopt;
}

Result<AccountFile> read_account_file(FileSystem& files, const std::string& account_path) {
  const std::string text = TRY(read_file(files, account_path + "/" + account_file_name, folder_file_octets_max));
  return AccountFile::parse(text);
}

Outcome write_account_file(FileSystem& files, const std::string& account_path, const AccountFile& file) {
  return replace_file(files, account_path + "/" + account_file_name, file.render());
}

Result<MailboxFile> read_mailbox_file(FileSystem& files, const std::string& folder_path) {
  const std::string text = TRY(read_file(files, folder_path + "/" + mailbox_file_name, folder_file_octets_max));
  return MailboxFile::parse(text);
}

Outcome write_mailbox_file(FileSystem& files, const std::string& folder_path, const MailboxFile& file) {
  return replace_file(files, folder_path + "/" + mailbox_file_name, file.render());
}

}  // namespace postkeep::storage::maildir
