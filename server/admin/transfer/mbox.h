// Mbox files, read and written as streams: memory does not grow with a message. RFC 4155, and the rules of mboxrd for
// quoting: a line of a message that is ">"s (or none) and then "From " has one ">" more in the file.
//
// In a file a message begins with a line "From SENDER DATE" at the start or after an empty line, which belongs to the
// format. Lines end with LF; a CRLF that is in the file stays. Status, X-Status and X-Keywords hold a message's flags:
// they are the file's, not the message's, and so left out when it is read.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/result.h"
#include "protocol/mail/date_time.h"
#include "protocol/mail/flags.h"

namespace postkeep::admin {

using OctetSink = std::function<Outcome(std::string_view)>;

struct MboxMessage {
  std::uint64_t begin = 0;       // in the file: behind the "From " line
  std::uint64_t end = 0;         // in the file: of the next "From " line, or of the file
  std::optional<UnixTime> date;  // of the "From " line, taken as UTC
  Flags flags;
};

class MboxReader {
 public:
  // Errors: not_found, cannot (it is no mbox file, or no file), unavailable. An empty file has no messages.
  static Result<MboxReader> open(const std::string& path);
  MboxReader(MboxReader&& other) noexcept;
  MboxReader& operator=(MboxReader&&) = delete;
  ~MboxReader();

  // Goes to the next message and gives its octets to `sink`. nullopt: there is none. Errors: unavailable; the sink's.
  Result<std::optional<MboxMessage>> next(const OctetSink& sink);
  // The octets of one that next() returned, once more.
  Outcome read(const MboxMessage& message, const OctetSink& sink);
  std::uint64_t size() const { return size_; }  // of the file

 private:
  MboxReader(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}
  struct Piece;
  Result<bool> next_piece(Piece& piece);
  void seek(std::uint64_t offset);
  Outcome read_message(MboxMessage& message, const OctetSink& sink);

  int descriptor_;
  std::uint64_t size_;
  std::uint64_t next_message_ = 0;  // where its "From " line begins
  std::string buffer_;
  std::uint64_t buffer_offset_ = 0;  // in the file, of buffer_[0]
  std::size_t taken_ = 0;            // of buffer_
  bool line_begins_ = true;
};

// Is it a line that begins a message, and what date does it have? nullopt: it is none.
struct FromLine {
  std::optional<UnixTime> date;
};
std::optional<FromLine> parse_from_line(std::string_view line);

// Writes one message at a time, as MboxReader reads them; CRLF becomes LF.
class MboxWriter {
 public:
  explicit MboxWriter(OctetSink sink) : sink_(std::move(sink)) {}
  // `sender`: of the "From " line, without spaces. Errors of all: the sink's.
  Outcome begin(std::string_view sender, UnixTime date, const Flags& flags);
  Outcome write(std::string_view octets);
  Outcome end();

 private:
  Outcome line_part(std::string_view part);
  Outcome flush();

  OctetSink sink_;
  std::string line_start_;  // of a line that may need quoting
  bool deciding_ = true;    // line_start_ is all of the line so far
  bool after_cr_ = false;
  bool in_line_ = false;  // something of a line that has no end yet was written
  std::string out_;
};

}  // namespace postkeep::admin
