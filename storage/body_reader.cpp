#include "storage/body_reader.h"

#include <algorithm>

namespace postkeep::storage {
namespace {

constexpr std::size_t chunk_octets = 64 * 1024;

// `from` with each bare LF as CRLF, into `to`; `after_cr` carries over the border of chunks.
void convert(std::string_view from, bool& after_cr, std::string& to) {
  to.clear();
  while (!from.empty()) {
    const std::size_t lf = from.find('\n');
    if (lf == std::string_view::npos) {
      to.append(from);
      after_cr = from.back() == '\r';
      return;
    }
    const bool has_cr = lf == 0 ? after_cr : from[lf - 1] == '\r';
    to.append(from.substr(0, lf)).append(has_cr ? "\n" : "\r\n");
    after_cr = false;
    from.remove_prefix(lf + 1);
  }
}

}  // namespace

BodyReader::BodyReader(std::unique_ptr<File> file, LineEnds line_ends)
    : file_(std::move(file)), line_ends_(line_ends) {}

Result<std::unique_ptr<BodyReader>> BodyReader::open(FileSystem& files, const std::string& path, LineEnds line_ends,
                                                     std::optional<std::uint64_t> served_size) {
  std::unique_ptr<File> file = TRY(files.open_read(path));
  std::unique_ptr<BodyReader> reader(new BodyReader(std::move(file), line_ends));
  if (line_ends == LineEnds::as_stored) {
    const FileInfo info = TRY(reader->file_->info());
    reader->size_ = info.size;
    return reader;
  }
  reader->checkpoints_.emplace_back();
  if (served_size) {
    reader->size_ = *served_size;
    return reader;
  }
  while (true) {
    const Checkpoint last = reader->checkpoints_.back();
    const bool more = TRY(reader->convert_chunk(last));
    if (!more) {
      reader->size_ = last.served;
      return reader;
    }
  }
}

Outcome BodyReader::read(std::uint64_t offset, std::size_t count, std::string& out) {
  if (offset >= size_) return {};
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - offset));
  return line_ends_ == LineEnds::as_stored ? read_stored(offset, wanted, out) : read_converted(offset, wanted, out);
}

Outcome BodyReader::read_stored(std::uint64_t offset, std::size_t count, std::string& out) {
  const std::size_t before = out.size();
  out.resize(before + count);
  std::size_t filled = 0;
  while (filled < count) {
    const Result<std::size_t> got = file_->read_at(offset + filled, std::span(out).subspan(before + filled));
    if (!got || *got == 0) {
      out.resize(before);
      if (!got) return tl::unexpected<Error>(got.error());
      return failure(ErrorKind::corruption, "The stored message is damaged", "a message file got shorter");
    }
    filled += *got;
  }
  return {};
}

Outcome BodyReader::read_converted(std::uint64_t offset, std::size_t count, std::string& out) {
  const std::size_t before = out.size();
  // The last checkpoint at or before the offset.
  const auto after = std::upper_bound(checkpoints_.begin(), checkpoints_.end(), offset,
                                      [](std::uint64_t at, const Checkpoint& c) { return at < c.served; });
  auto index = static_cast<std::size_t>(after - checkpoints_.begin()) - 1;
  for (std::uint64_t at = offset; out.size() - before < count; ++index) {
    const Checkpoint start = checkpoints_[index];
    const Result<bool> more = convert_chunk(start);
    if (!more || !*more) {
      out.resize(before);
      if (!more) return tl::unexpected<Error>(more.error());
      return failure(ErrorKind::corruption, "The stored message is damaged", "a message file got shorter");
    }
    const std::uint64_t skip = at - start.served;
    if (skip >= converted_.size()) continue;  // on the way to a place that was not reached before
    const std::size_t missing = count - (out.size() - before);
    const std::string_view part = std::string_view(converted_).substr(static_cast<std::size_t>(skip), missing);
    out.append(part);
    at += part.size();
  }
  return {};
}

// Converts the chunk that starts there and remembers where the next one does; false at the end of the file.
Result<bool> BodyReader::convert_chunk(const Checkpoint& start) {
  stored_.resize(chunk_octets);
  std::size_t filled = 0;
  while (filled < chunk_octets) {
    const std::size_t got = TRY(file_->read_at(start.stored + filled, std::span(stored_).subspan(filled)));
    if (got == 0) break;
    filled += got;
  }
  if (filled == 0) return false;
  Checkpoint next = start;
  convert(std::string_view(stored_).substr(0, filled), next.after_cr, converted_);
  next.stored += filled;
  next.served += converted_.size();
  if (checkpoints_.back().stored < next.stored) checkpoints_.push_back(next);
  return true;
}

}  // namespace postkeep::storage
