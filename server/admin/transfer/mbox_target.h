// MboxTarget: an mbox file that export makes or completes. Beside it <file>.postkeep-export says how far it is:
// UIDVALIDITY, the last UID, how long the file was then, and whose messages they are; what lies behind that is a
// message cut short, and removed. A file that has become shorter, or of another mailbox, is refused.
#pragma once

#include <string>

#include "server/admin/transfer/export_end.h"
#include "server/admin/transfer/mbox.h"

namespace postkeep::admin {

class MboxTarget final : public ExportTarget {
 public:
  // Errors: already_exists (a file that no export made), cannot (it has changed), unavailable.
  static Result<std::unique_ptr<ExportTarget>> open(const std::string& path, const std::string& source);
  ~MboxTarget() override;

  Result<UidSet> present(UidValidity uid_validity, const UidSet& candidates) override;
  Outcome begin(const MaildirTarget::Message& message) override;
  Outcome write(std::string_view octets) override;
  Outcome end() override;
  void abandon() override;
  Outcome complete() override;

 private:
  MboxTarget(std::string path, std::string source, int descriptor)
      : path_(std::move(path)),
        source_(std::move(source)),
        descriptor_(descriptor),
        writer_([this](std::string_view octets) { return append(octets); }) {}
  Outcome append(std::string_view octets);
  Outcome read_record();
  Outcome write_record();

  const std::string path_;
  const std::string source_;
  const int descriptor_;
  MboxWriter writer_;
  UidValidity uid_validity_;
  Uid last_;                // of the messages that are whole
  std::uint64_t size_ = 0;  // of the file with them
  std::uint64_t recorded_size_ = 0;
  MaildirTarget::Message message_;  // under way
  std::string head_;                // its first octets: Return-Path stands there
  bool begun_ = false;              // the writer has its "From " line
  std::uint64_t written_ = 0;       // of the file
};

}  // namespace postkeep::admin
