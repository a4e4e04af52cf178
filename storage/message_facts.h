// MessageFacts: what the index keeps of a message that can be computed from its bytes alone. Fed with the bytes as
// they are served, in any cuts; used by every backend, so that they agree. Memory does not grow with the message.
#pragma once

#include <string>
#include <string_view>

#include "protocol/base/result.h"
#include "protocol/mime/structure.h"
#include "storage/digest.h"
#include "storage/types.h"

namespace postkeep::storage {

// cached_headers beyond this many octets are not cached: a header field that long is a recipient list or an attack.
inline constexpr std::size_t cached_headers_octets_max = 32 * 1024;

class MessageFacts {
 public:
  void feed(std::string_view bytes);
  // size, ends_in_crlf, email_id, thread_id, envelope, body_structure, cached_headers. Once.
  MessageRow finish();

 private:
  void feed_header(std::string_view bytes);

  mime::StructureParser parser_;
  Sha256 hash_;
  std::uint64_t size_ = 0;
  bool after_cr_ = false;
  bool ends_in_crlf_ = true;
  std::string header_;  // the first mime::Limits::header_octets_max octets of the message's header
  bool header_complete_ = false;
};

// All of a message, read to its end. Errors: those of the reader; corruption when it ends too early.
Result<MessageRow> read_facts(MessageReader& reader);

// The message's header block with the empty line that ends it, if it has one, or the first
// mime::Limits::header_octets_max octets. Errors: those of the reader.
Result<std::string> read_header_block(MessageReader& reader);

// EMAILID: the first half of the SHA-256 of the message as served.
EmailId email_id_of(const Sha256Digest& digest);
// THREADID: from the first Message-ID of References, else In-Reply-To, else its own, else the EMAILID.
ThreadId thread_id_of(std::string_view header, const EmailId& email_id);

}  // namespace postkeep::storage
