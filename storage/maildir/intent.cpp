#include "storage/maildir/intent.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace postkeep::storage::maildir {
namespace {

constexpr int intent_version = 1;

struct KindName {
  Intent::Kind kind;
  std::string_view name;
};
constexpr KindName kind_names[] = {
    {Intent::Kind::append, "append"},
    {Intent::Kind::copy, "copy"},
    {Intent::Kind::move, "move"},
    {Intent::Kind::rename, "rename"},
};

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "5 1005 <source> <target>", names as words.
std::optional<Intent::Entry> parse_entry(std::string_view text) {
  const auto source_uid = number_of<std::uint32_t>(take_word(text));
  const auto target_uid = number_of<std::uint32_t>(take_word(text));
  std::optional<std::string> source = unescape(take_word(text));
  std::optional<std::string> target = unescape(take_word(text));
  if (!source_uid || !target_uid || !source || !target || !text.empty()) return std::nullopt;
  return Intent::Entry{Uid(*source_uid), Uid(*target_uid), std::move(*source), std::move(*target)};
}

std::string render_entry(const Intent::Entry& entry) {
  std::string text;
  text.reserve(entry.source_name.size() + entry.target_name.size() + 2 * std::size("4294967295 "));
  text.append(std::to_string(entry.source_uid.value())) += ' ';
  text.append(std::to_string(entry.target_uid.value())) += ' ';
  append_word(text, entry.source_name);
  text += ' ';
  append_word(text, entry.target_name);
  return text;
}

std::string path_of(const std::string& account_path, std::uint64_t number) {
  return account_path + "/" + intent_file_name + "." + std::to_string(number);
}

}  // namespace

std::string Intent::render() const {
  const auto* row = std::find_if(std::begin(kind_names), std::end(kind_names),
                                 [this](const KindName& name) { return name.kind == kind; });
  Lines lines;
  lines.reserve(entries.size() + unknown.size() + 3);
  lines.emplace_back("kind", row->name);
  lines.emplace_back("source", source);
  lines.emplace_back("target", target);
  for (const Entry& entry : entries) lines.emplace_back("message", render_entry(entry));
  lines.insert(lines.end(), unknown.begin(), unknown.end());
  return render_text_file(intent_file_name, intent_version, lines);
}

Result<Intent> Intent::parse(std::string_view text) {
  const Lines lines = TRY(parse_text_file(intent_file_name, intent_version, text));
  Intent intent;
  bool kind_seen = false;
  std::size_t number = 1;
  for (const auto& line : lines) {
    const std::string& key = line.first;
    const std::string& value = line.second;  // named one by one: clang 14 lets no lambda use a structured binding
    ++number;
    if (key == "kind") {
      const auto* row = std::find_if(std::begin(kind_names), std::end(kind_names),
                                     [&](const KindName& name) { return name.name == value; });
      if (row == std::end(kind_names)) return damaged(intent_file_name, number, "kind is unknown");
      intent.kind = row->kind;
      kind_seen = true;
    } else if (key == "source") {
      intent.source = value;
    } else if (key == "target") {
      intent.target = value;
    } else if (key == "message") {
      std::optional<Entry> entry = parse_entry(value);
      if (!entry) return damaged(intent_file_name, number, "message is not two numbers and two names");
      intent.entries.push_back(std::move(*entry));
    } else {
      intent.unknown.emplace_back(key, value);
    }
  }
  if (!kind_seen) return damaged(intent_file_name, 0, "kind is missing");
  return intent;
}

Outcome write_intent(FileSystem& files, const std::string& account_path, std::uint64_t number, const Intent& intent) {
  const std::string path = path_of(account_path, number);
  const auto write = [&](File& file) -> Outcome {
    TRY(file.append(intent.render()));
    TRY(file.sync());
    return files.sync_directory(account_path);
  };
  // No rename is needed: until the directory is synced nothing is begun, and a torn file has a wrong checksum.
  const std::unique_ptr<File> file = TRY(files.create(path, FileSystem::Existing::fail));
  Outcome written = write(*file);
  if (!written) (void)files.unlink(path);
  return written;
}

Outcome remove_intent(FileSystem& files, const std::string& account_path, std::uint64_t number, Durable durable) {
  TRY(files.unlink(path_of(account_path, number)));
  return durable == Durable::now ? files.sync_directory(account_path) : Outcome();
}

Result<IntentListing> list_intents(FileSystem& files, const std::string& account_path) {
  const std::vector<std::string> names = TRY(files.list(account_path));
  return list_intents(files, account_path, names);
}

Result<IntentListing> list_intents(FileSystem& files, const std::string& account_path,
                                   const std::vector<std::string>& names) {
  const std::string prefix = std::string(intent_file_name) + ".";
  IntentListing listing;
  for (const std::string& name : names) {
    if (!name.starts_with(prefix)) continue;
    const std::string path = account_path + "/" + name;
    const auto number = number_of<std::uint64_t>(std::string_view(name).substr(prefix.size()));
    const std::string text = TRY(read_file(files, path, intent_file_octets_max));
    Result<Intent> intent = Intent::parse(text);
    if (number && intent) {
      listing.intents.push_back(StoredIntent{*number, std::move(*intent)});
    } else {
      listing.torn.push_back(path);
    }
  }
  std::sort(listing.intents.begin(), listing.intents.end(),
            [](const StoredIntent& a, const StoredIntent& b) { return a.number < b.number; });
  return listing;
}

}  // namespace postkeep::storage::maildir
