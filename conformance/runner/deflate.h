// Deflate: a client's side of COMPRESS=DEFLATE. RFC 4978, RFC 1951. No I/O.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct z_stream_s;

namespace postkeep::conformance {

class Deflate {
 public:
  Deflate();
  ~Deflate();
  Deflate(const Deflate&) = delete;
  Deflate& operator=(const Deflate&) = delete;

  // Compressed so that the peer can read all of it at once.
  std::string compress(std::string_view octets);
  // What these octets say; none: they are not DEFLATE.
  std::optional<std::string> inflate(std::string_view octets);

 private:
  const std::unique_ptr<z_stream_s> out_;
  const std::unique_ptr<z_stream_s> in_;
};

}  // namespace postkeep::conformance
