// Content-Transfer-Encoding: names and decoders. RFC 2045 §6; RFC 9051 §6.4.5 (BINARY).
// Called by BINARY FETCH and by mime/search_text. Never fails on broken input; says that it was broken.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace postkeep::mime {

enum class TransferEncoding {
  identity,  // 7bit, 8bit, binary, or nothing said
  base64,
  quoted_printable,
  uuencode,  // x-uuencode and its spellings
  unknown,   // RFC 2045 §6.4: to be treated as application/octet-stream; BINARY answers UNKNOWN-CTE
};

// `name` is the value of the field, in any case; white space and comments around it are ignored.
TransferEncoding parse_transfer_encoding(std::string_view name);

// Decodes a stream. Memory is constant. `unknown` passes octets through, like identity.
// base64 skips what is not of its alphabet and goes on after padding (mail programs concatenate);
// quoted-printable leaves what is no valid escape as it stands.
class TransferDecoder {
 public:
  explicit TransferDecoder(TransferEncoding encoding) : encoding_(encoding) {}

  void feed(std::string_view bytes, std::string& out);  // appends
  void finish(std::string& out);                        // the end of the body
  // True once something was met that the encoding does not allow (stray octets, cut quantum). Informative.
  bool broken() const { return broken_; }

 private:
  void feed_base64(std::string_view bytes, std::string& out);
  void flush_base64(std::string& out);
  void feed_quoted_printable(std::string_view bytes, std::string& out);
  void feed_uuencode(std::string_view bytes, std::string& out);
  bool hold_quoted_printable(char c, std::string& out);
  void uuencode_line(std::string& out);

  TransferEncoding encoding_;
  bool broken_ = false;
  std::uint32_t bits_ = 0;    // base64: sextets not yet written
  unsigned sextets_ = 0;      // how many of them
  std::string held_;          // quoted-printable: "=" escape or trailing white space; uuencode: the line so far
  bool in_uuencode_ = false;  // between "begin" and "end"
};

// A whole body at once.
std::string decode_body(TransferEncoding encoding, std::string_view body);

}  // namespace postkeep::mime
