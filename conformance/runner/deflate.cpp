// See deflate.h.
#include "conformance/runner/deflate.h"

#include <zlib.h>

#include <array>
#include <new>

namespace postkeep::conformance {

namespace {

constexpr int raw_deflate = -15;  // without zlib's header and checksum (RFC 4978 §4)
constexpr int memory_level = 8;

// Runs `step` until it leaves room in the output. The last status.
template <class Step>
int run(z_stream& stream, std::string_view octets, std::string& out, Step step) {
  // zlib does not write through next_in; its type only says const with ZLIB_CONST.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(octets.data()));  // NOLINT
  stream.avail_in = static_cast<uInt>(octets.size());
  int status = Z_OK;
  do {
    std::array<char, 16384> buffer;  // NOLINT: filled by the step
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    status = step(&stream, Z_SYNC_FLUSH);
    out.append(buffer.data(), buffer.size() - stream.avail_out);
  } while (stream.avail_out == 0);
  return status;
}

}  // namespace

Deflate::Deflate() : out_(new z_stream()), in_(new z_stream()) {
  if (deflateInit2(out_.get(), Z_DEFAULT_COMPRESSION, Z_DEFLATED, raw_deflate, memory_level, Z_DEFAULT_STRATEGY) !=
          Z_OK ||
      inflateInit2(in_.get(), raw_deflate) != Z_OK) {
    throw std::bad_alloc();
  }
}

Deflate::~Deflate() {
  deflateEnd(out_.get());
  inflateEnd(in_.get());
}

std::string Deflate::compress(std::string_view octets) {
  std::string out;
  run(*out_, octets, out, ::deflate);
  return out;
}

std::optional<std::string> Deflate::inflate(std::string_view octets) {
  std::string out;
  const int status = run(*in_, octets, out, ::inflate);
  if (status != Z_OK && status != Z_BUF_ERROR && status != Z_STREAM_END) return std::nullopt;
  return out;
}

}  // namespace postkeep::conformance
