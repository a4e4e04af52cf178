#include "storage/account/message_cache.h"

#include <algorithm>

#include "storage/account/reconcile.h"
#include "storage/body_reader.h"
#include "storage/message_facts.h"

namespace postkeep::storage {
namespace {

LineEnds line_ends_of(const FileRow& file) {
  return file.origin == Origin::ours ? LineEnds::as_stored : LineEnds::to_crlf;
}

}  // namespace

Result<std::unique_ptr<MessageReader>> open_as_named(AccountContext& context, const MailboxState& box,
                                                     const FileRow& file) {
  std::optional<std::uint64_t> served;
  if (file.served != served_unknown) served = static_cast<std::uint64_t>(file.served);
  std::unique_ptr<MessageReader> reader =
      TRY(BodyReader::open(context.files(), box.folder.file_path(file.place, file.name), line_ends_of(file), served));
  return reader;
}

ComputedFacts computed_from(MessageRow row) {
  ComputedFacts computed;
  computed.served = row.size;
  computed.cache.email_id = row.email_id;
  computed.cache.thread_id = row.thread_id;
  computed.cache.ends_in_crlf = row.ends_in_crlf;
  computed.cache.envelope = std::move(row.envelope);
  computed.cache.body_structure = std::move(row.body_structure);
  computed.cache.headers = std::move(row.cached_headers);
  return computed;
}

Result<ComputedFacts> compute_facts(MessageReader& reader) { return computed_from(TRY(read_facts(reader))); }

Result<ComputedFacts> compute_facts(FileSystem& files, const std::string& path) {
  const std::unique_ptr<BodyReader> reader = TRY(BodyReader::open(files, path, LineEnds::as_stored));
  return compute_facts(*reader);
}

Result<std::unique_ptr<MessageReader>> open_file(AccountContext& context, MailboxState& box, Uid uid) {
  const auto find = [&]() -> Result<FileRow> {
    const MailboxVersionPtr version = TRY(load_version(context, box));
    std::optional<FileRow> file = TRY(find_file(*context.index, box.row.key, uid));
    if (!file || !version->find(uid)) return failure(ErrorKind::expunge_issued, "The message is gone");
    return std::move(*file);
  };
  FileRow file = TRY(find());
  Result<std::unique_ptr<MessageReader>> reader = open_as_named(context, box, file);
  if (reader || reader.error().kind != ErrorKind::not_found) return reader;
  TRY(reconcile(context, box));  // another program renamed it, or took it away
  file = TRY(find());
  return open_as_named(context, box, file);
}

Result<CacheRow> cached_facts(AccountContext& context, MailboxState& box, FileRow& file, MailboxRow& row) {
  if (std::optional<CacheRow> cached = TRY(find_cache(*context.index, box.row.key, file.uid))) {
    return std::move(*cached);
  }
  const std::unique_ptr<MessageReader> reader = TRY(open_as_named(context, box, file));
  ComputedFacts computed = TRY(compute_facts(*reader));
  TRY(put_cache(*context.index, box.row.key, file.uid, computed.cache));
  TRY(set_served(*context.index, box.row.key, file.uid, computed.served));
  TRY(remove_work(*context.index, Work::cache, box.row.key, file.uid));
  row.octets -= std::min(counted_octets(file), row.octets);
  file.served = static_cast<std::int64_t>(computed.served);
  row.octets += counted_octets(file);
  return std::move(computed.cache);
}

Result<bool> ends_in_crlf(AccountContext& context, MailboxState& box, const FileRow& file) {
  if (const std::optional<bool> known = TRY(find_line_end(*context.index, box.row.key, file.uid))) return *known;
  const std::string path = box.folder.file_path(file.place, file.name);
  const std::unique_ptr<BodyReader> reader = TRY(BodyReader::open(context.files(), path, LineEnds::as_stored));
  if (reader->size() == 0) return true;
  std::string end;
  const std::uint64_t wanted = std::min<std::uint64_t>(reader->size(), 2);
  TRY(reader->read(reader->size() - wanted, wanted, end));
  // Of a foreign file each LF is served as CRLF.
  return file.origin == Origin::ours ? end == "\r\n" : end.ends_with('\n');
}

std::uint64_t counted_octets(const FileRow& file) {
  if (file.served != served_unknown) return static_cast<std::uint64_t>(file.served);
  return file.octets * 2;  // all bare LFs
}

}  // namespace postkeep::storage
