// DeflateStream: compression of both directions of a connection. RFC 4978 (raw DEFLATE, RFC 1951). Used by Connection
// alone; no I/O. Lives on the connection's thread.
//
// Working memory is about 300 KiB. park() gives it back and keeps only what was said last, in both directions, from
// which work goes on at the next octet: an idle session pays for that alone.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/base/result.h"

struct z_stream_s;

namespace postkeep::server {

class DeflateStream {
 public:
  explicit DeflateStream(int level);  // 1 (fast) to 9 (small)
  ~DeflateStream();
  DeflateStream(const DeflateStream&) = delete;
  DeflateStream& operator=(const DeflateStream&) = delete;

  // Appends `bytes`, compressed, to `out`; the peer can read all of it.
  void compress(std::string_view bytes, std::string& out);
  // Takes what the peer has sent.
  void feed(std::string_view bytes) { pending_ += bytes; }
  // Appends at most `limit` octets of what was fed; 0: there is no more. Errors: bad_syntax where it is not DEFLATE.
  Result<std::size_t> inflate(std::string& into, std::size_t limit);
  // The peer has ended its stream: nothing more will come out.
  bool ended() const { return ended_; }
  // What was fed and is not part of the stream: all behind its end.
  std::string take_rest() { return std::exchange(pending_, {}); }
  // Gives back what it can; the peer notices nothing.
  void park();
  std::size_t memory_bytes() const;  // of what is kept, about

 private:
  struct End {
    int (*end)(z_stream_s*);
    void operator()(z_stream_s* stream) const;
  };
  using StreamPtr = std::unique_ptr<z_stream_s, End>;
  z_stream_s& deflater();
  z_stream_s& inflater();
  void park_inflater();
  void park_deflater();

  int level_;
  StreamPtr deflater_{nullptr, End{nullptr}};  // null while parked
  StreamPtr inflater_{nullptr, End{nullptr}};
  std::string said_;   // the last of what was compressed; only while parked
  std::string heard_;  // likewise decompressed
  std::string pending_;
  bool more_output_ = false;  // the last piece filled its room: there may be more without more input
  bool ended_ = false;
};

}  // namespace postkeep::server
