#include "storage/account/message_files.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "storage/body_reader.h"
#include "storage/index/message_sql.h"

namespace postkeep::storage {
namespace {

class FilesOfMessages final : public MessageFiles {
 public:
  FilesOfMessages(FileSystem& files, maildir::MessageFolder folder, std::vector<FileRow> rows)
      : files_(files), folder_(std::move(folder)), rows_(std::move(rows)) {}

  Result<std::unique_ptr<MessageReader>> open(Uid uid) const override {
    const auto row =
        std::lower_bound(rows_.begin(), rows_.end(), uid, [](const FileRow& a, Uid wanted) { return a.uid < wanted; });
    if (row == rows_.end() || row->uid != uid) return failure(ErrorKind::not_found, "The message is gone");
    const std::string path = folder_.file_path(row->place, row->name);
    const bool ours = row->origin == Origin::ours;
    if (ours && row->octets <= read_at_once_octets_max) {
      std::string content;
      const bool whole = TRY(files_.read_exactly(path, static_cast<std::size_t>(row->octets), content));
      if (whole) return std::make_unique<ReadMessage>(std::move(content));
    }
    std::optional<std::uint64_t> served;
    if (row->served != served_unknown) served = static_cast<std::uint64_t>(row->served);
    return TRY(BodyReader::open(files_, path, ours ? LineEnds::as_stored : LineEnds::to_crlf, served));
  }

 private:
  FileSystem& files_;
  const maildir::MessageFolder folder_;
  const std::vector<FileRow> rows_;  // ascending
};

}  // namespace

Result<std::unique_ptr<MessageFiles>> files_of_messages(AccountContext& context, const MailboxState& box,
                                                        const UidSet& uids) {
  std::vector<FileRow> rows = TRY(load_files(*context.index, box.row.key, box.version->existing(uids)));
  return std::make_unique<FilesOfMessages>(context.files(), box.folder, std::move(rows));
}

}  // namespace postkeep::storage
