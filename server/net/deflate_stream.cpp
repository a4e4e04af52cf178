// See deflate_stream.h.
#include "server/net/deflate_stream.h"

#include <zlib.h>

#include <array>
#include <new>
#include <span>

namespace postkeep::server {

namespace {

constexpr int raw_deflate = -15;  // without zlib's header and checksum (RFC 4978 §4)
constexpr int memory_level = 8;
constexpr std::size_t window_bytes = 32 * 1024;
constexpr std::size_t said_bytes_max = 4 * 1024;  // enough for the words of IMAP
constexpr std::size_t working_bytes = (1U << 17) + (1U << 17) + window_bytes;

Bytef* octets(std::string_view text) {
  // zlib does not write through next_in; its type only says const with ZLIB_CONST.
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));  // NOLINT
}

// Where output lands before it is handed on. Never used across a suspension, so one for each thread does.
std::span<char> unpacked() {
  thread_local std::array<char, 16 * 1024> buffer;
  return buffer;
}

void aim(z_stream& stream, std::span<char> at) {
  stream.next_out = reinterpret_cast<Bytef*>(at.data());
  stream.avail_out = static_cast<uInt>(at.size());
}

}  // namespace

void DeflateStream::End::operator()(z_stream* stream) const {
  end(stream);
  delete stream;
}

DeflateStream::DeflateStream(int level) : level_(level) {}
DeflateStream::~DeflateStream() = default;

z_stream& DeflateStream::deflater() {
  if (deflater_) return *deflater_;
  deflater_ = StreamPtr(new z_stream(), End{deflateEnd});
  if (deflateInit2(deflater_.get(), level_, Z_DEFLATED, raw_deflate, memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  if (!said_.empty()) deflateSetDictionary(deflater_.get(), octets(said_), static_cast<uInt>(said_.size()));
  std::string().swap(said_);
  return *deflater_;
}

z_stream& DeflateStream::inflater() {
  if (inflater_) return *inflater_;
  inflater_ = StreamPtr(new z_stream(), End{inflateEnd});
  if (inflateInit2(inflater_.get(), raw_deflate) != Z_OK) throw std::bad_alloc();
  if (!heard_.empty()) inflateSetDictionary(inflater_.get(), octets(heard_), static_cast<uInt>(heard_.size()));
  std::string().swap(heard_);
  return *inflater_;
}

void DeflateStream::compress(std::string_view bytes, std::string& out) {
  z_stream& stream = deflater();
  stream.next_in = octets(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  do {
    const std::span<char> buffer = unpacked();
    aim(stream, buffer);
    // Cannot fail: the stream is whole and there is room (Z_BUF_ERROR only says that nothing was left to do).
    deflate(&stream, Z_SYNC_FLUSH);
    out.append(buffer.data(), buffer.size() - stream.avail_out);
  } while (stream.avail_out == 0);
}

Result<std::size_t> DeflateStream::inflate(std::string& into, std::size_t limit) {
  // Also for the sake of park(): a call without input forgets that the stream stands between two blocks.
  if (ended_ || (pending_.empty() && !more_output_)) return std::size_t{0};
  z_stream& stream = inflater();
  const std::span<char> buffer = unpacked().first(std::min(limit, unpacked().size()));
  aim(stream, buffer);
  stream.next_in = octets(pending_);
  stream.avail_in = static_cast<uInt>(pending_.size());
  const int status = ::inflate(&stream, Z_SYNC_FLUSH);
  pending_.erase(0, pending_.size() - stream.avail_in);
  if (pending_.empty()) std::string().swap(pending_);
  ended_ = status == Z_STREAM_END;
  if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
    return failure(ErrorKind::bad_syntax, "The compressed stream is damaged", stream.msg == nullptr ? "" : stream.msg);
  }
  more_output_ = stream.avail_out == 0;
  const std::size_t count = buffer.size() - stream.avail_out;
  into.append(buffer.data(), count);
  return count;
}

void DeflateStream::park() {
  park_deflater();
  park_inflater();
}

// What was compressed ends with a flush, at an octet's boundary: whatever begins there is read as well, and may refer
// to all that came before.
void DeflateStream::park_deflater() {
  if (!deflater_) return;
  std::array<char, window_bytes> window;  // NOLINT: filled by the next call
  uInt size = 0;
  deflateGetDictionary(deflater_.get(), reinterpret_cast<Bytef*>(window.data()), &size);
  const std::string_view all(window.data(), size);
  said_ = all.substr(all.size() - std::min(all.size(), said_bytes_max));
  deflater_.reset();
}

// Only between two blocks, and with no bits of the last octet left over (data_type, see zlib.h at inflate()).
void DeflateStream::park_inflater() {
  constexpr int between_blocks = 128;
  if (!inflater_ || !pending_.empty() || inflater_->data_type != between_blocks) return;
  std::array<char, window_bytes> window;  // NOLINT: filled by the next call
  uInt size = 0;
  inflateGetDictionary(inflater_.get(), reinterpret_cast<Bytef*>(window.data()), &size);
  heard_.assign(window.data(), size);
  inflater_.reset();
}

std::size_t DeflateStream::memory_bytes() const {
  return sizeof *this + said_.capacity() + heard_.capacity() + pending_.capacity() +
         (deflater_ || inflater_ ? working_bytes : 0);
}

}  // namespace postkeep::server
