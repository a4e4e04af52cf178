#include "storage/maildir/record_file.h"

#include <charconv>
#include <optional>

#include "storage/maildir/text_file.h"

namespace postkeep::storage::maildir {
namespace {

std::string head_line(std::string_view kind) { return std::string(kind) + " 1\n"; }

std::optional<Uid> uid_of(std::string_view word) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || value == 0) return std::nullopt;
  return Uid(value);
}

std::optional<Record> parse_line(std::string_view line) {
  const std::optional<std::string_view> text = text_of_checked_line(line);
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  const std::string_view kind = take_word(rest);
  const std::optional<Uid> uid = uid_of(take_word(rest));
  if (!uid) return std::nullopt;
  if (kind == "uid") {
    std::optional<std::string> base = unescape(rest);
    if (!base || base->empty()) return std::nullopt;
    return UidRecord{*uid, std::move(*base)};
  }
  if (kind == "gone") {
    const std::optional<Uid> last = uid_of(rest);
    if (!last || *last < *uid) return std::nullopt;
    return GoneRecord{*uid, *last};
  }
  if (kind == "keywords") {
    KeywordsRecord record{*uid, {}};
    while (!rest.empty()) {
      std::optional<std::string> keyword = unescape(take_word(rest));
      if (!keyword || keyword->empty()) return std::nullopt;
      record.keywords.push_back(std::move(*keyword));
    }
    return record;
  }
  return std::nullopt;
}

std::string render_all(const char* kind, const std::vector<Record>& records) {
  std::string text = head_line(kind);
  for (const Record& record : records) text += render_record(record);
  return text;
}

}  // namespace

std::string render_record(const Record& record) {
  if (const auto* uid = std::get_if<UidRecord>(&record)) {
    return checked_line("uid " + std::to_string(uid->uid.value()) + " " + escape_word(uid->base));
  }
  if (const auto* gone = std::get_if<GoneRecord>(&record)) {
    return checked_line("gone " + std::to_string(gone->first.value()) + " " + std::to_string(gone->last.value()));
  }
  const auto& extra = std::get<KeywordsRecord>(record);
  std::string line = "keywords " + std::to_string(extra.uid.value());
  for (const std::string& keyword : extra.keywords) line += " " + escape_word(keyword);
  return checked_line(std::move(line));
}

RecordFile parse_records(std::string_view kind, std::string_view text) {
  RecordFile file;
  file.octets = text.size();
  const std::string head = head_line(kind);
  // A torn or foreign head is a bad line like any other: the lines below it carry their own checksums.
  if (text.starts_with(head)) {
    text.remove_prefix(head.size());
  } else {
    ++file.damaged_lines;
  }
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      ++file.damaged_lines;  // the line end is part of the promise
      break;
    }
    if (std::optional<Record> record = parse_line(text.substr(0, end))) {
      file.records.push_back(std::move(*record));
    } else {
      ++file.damaged_lines;
    }
    text.remove_prefix(end + 1);
  }
  return file;
}

Result<RecordFile> read_records(FileSystem& files, const std::string& folder_path, const char* kind) {
  const Result<std::string> text = read_file(files, folder_path + "/" + kind, record_file_octets_max);
  if (text) return parse_records(kind, *text);
  if (text.error().kind == ErrorKind::not_found) return RecordFile();
  return tl::unexpected<Error>(text.error());
}

Outcome append_records(FileSystem& files, const std::string& folder_path, const char* kind,
                       const std::vector<Record>& records) {
  if (records.empty()) return {};
  const std::string path = folder_path + "/" + kind;
  if (const Result<FileInfo> there = files.info(path); !there) {
    if (there.error().kind != ErrorKind::not_found) return tl::unexpected<Error>(there.error());
    return rewrite_records(files, folder_path, kind, records);
  }
  std::string lines;
  for (const Record& record : records) lines += render_record(record);
  const std::unique_ptr<File> file = TRY(files.create(path, FileSystem::Existing::append));
  TRY(file->append(lines));
  return file->sync();
}

Outcome rewrite_records(FileSystem& files, const std::string& folder_path, const char* kind,
                        const std::vector<Record>& records) {
  return replace_file(files, folder_path + "/" + kind, render_all(kind, records));
}

}  // namespace postkeep::storage::maildir
