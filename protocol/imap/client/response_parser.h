// ResponseParser: the other direction, what a server says, for tests and for conformance/. RFC 9051 §7, §9. The
// server itself never uses it. It knows the shape of responses, not the meaning of their names: data are values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/imap/framer.h"

namespace postkeep::imap::client {

// One datum: an atom ("UID", "12", "\Seen", "BODY[HEADER.FIELDS (From)]<0>"), a string, NIL or a list.
struct Value {
  enum class Kind { atom, string, nil, list };
  Kind kind = Kind::nil;
  std::string text;          // atom as written; octets of a string
  std::vector<Value> items;  // of a list
  bool operator==(const Value&) const = default;
};

// As IMAP would write it, strings always quoted or literal: for test output.
std::string show(const Value& value);

struct Response {
  enum class Kind { continuation, untagged, tagged };
  Kind kind = Kind::untagged;
  std::string tag;                      // of a tagged one
  std::string name;                     // in capitals: "OK", "FETCH", "EXISTS"; "" of a continuation
  std::optional<std::uint32_t> number;  // "* 12 FETCH"
  std::string code;                     // what stands between the brackets behind OK, NO, BAD, BYE, PREAUTH
  std::string text;                     // behind these and "+"
  std::vector<Value> data;              // of all others

  // The value behind an atom, as in "FETCH (UID 7 FLAGS ())"; looked for in the last datum if that is a list.
  // nullptr if it is not there. The pointer lives as long as the response.
  const Value* item(std::string_view item_name) const;
};

// One per connection. Literals are kept in memory, so the limits say how much a server may send.
class ResponseParser {
 public:
  explicit ResponseParser(FramerLimits limits = default_limits()) : framer_(limits) {}

  void feed(std::string_view bytes) { framer_.feed(bytes); }
  // nullopt: need more. Error: bad_syntax, with what is wrong; the stream goes on behind the response.
  Result<std::optional<Response>> next();

  static FramerLimits default_limits();

 private:
  Framer framer_;
};

}  // namespace postkeep::imap::client
