// BodyReader: ranges of a stored message as they are served. A file of ours is served as it lies; a file that
// another program wrote is served with each bare LF as CRLF. Made by the store's open_message; used while a session
// streams a body. Buffers are bounded, whatever the size of the message.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/file_system.h"
#include "storage/types.h"

namespace postkeep::storage {

enum class LineEnds {
  as_stored,  // a file with our valid tag
  to_crlf,    // any other: each LF that does not follow a CR becomes CRLF
};

// A message that was read at once.
class ReadMessage final : public MessageReader {
 public:
  explicit ReadMessage(std::string content) : content_(std::move(content)) {}
  std::uint64_t size() const override { return content_.size(); }
  Outcome read(std::uint64_t offset, std::size_t count, std::string& out) override {
    if (offset < content_.size()) out.append(content_, static_cast<std::size_t>(offset), count);
    return {};
  }

 private:
  const std::string content_;
};

// Holds the file open, so that it can be read to the end after it was expunged. One thread at a time.
class BodyReader final : public MessageReader {
 public:
  // `served_size`: octets as served, if the index knows them; otherwise a to_crlf file is read through once here.
  static Result<std::unique_ptr<BodyReader>> open(FileSystem& files, const std::string& path, LineEnds line_ends,
                                                  std::optional<std::uint64_t> served_size = std::nullopt);

  std::uint64_t size() const override { return size_; }
  Outcome read(std::uint64_t offset, std::size_t count, std::string& out) override;

 private:
  // A place in both the stored and the served message, between octets that belong to different chunks.
  struct Checkpoint {
    std::uint64_t stored = 0;
    std::uint64_t served = 0;
    bool after_cr = false;
  };
  BodyReader(std::unique_ptr<File> file, LineEnds line_ends);
  Outcome read_stored(std::uint64_t offset, std::size_t count, std::string& out);
  Outcome read_converted(std::uint64_t offset, std::size_t count, std::string& out);
  Result<bool> convert_chunk(const Checkpoint& start);

  std::unique_ptr<File> file_;
  LineEnds line_ends_;
  std::uint64_t size_ = 0;
  // One for each chunk start that was reached so far, so that a range does not begin at the message's start.
  std::vector<Checkpoint> checkpoints_;
  std::string stored_;     // one chunk as stored
  std::string converted_;  // the same as served
};

}  // namespace postkeep::storage
