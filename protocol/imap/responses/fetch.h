// FETCH data, item by item. RFC 9051 §7.5.2. Bodies may be larger than memory, so the response is written in
// steps: items whose value is at hand, and for the others a literal's announcement behind which the caller sends
// the octets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/imap/commands/fetch.h"
#include "protocol/imap/writer.h"
#include "protocol/mail/date_time.h"
#include "protocol/mail/flags.h"
#include "protocol/mail/ids.h"

namespace postkeep::imap {

// The item's name as the response shows it: "BODY[HEADER.FIELDS (From)]<0>" for what was asked as
// "body.peek[header.fields (From)]<0.100>"; "BINARY[1]<0>", "BINARY.SIZE[1]", "RFC822.TEXT", "MODSEQ".
std::string response_name(const FetchItem& item, Utf8 utf8 = Utf8::no);

// Is \Recent shown?
enum class Recent { no, yes };

// Writes "* n FETCH (" when made, items in the order of the calls, ")" CRLF in finish().
class FetchResponse {
 public:
  FetchResponse(Writer& writer, SeqNum number);

  void uid(Uid uid);
  void flags(const Flags& flags, Recent recent);
  void internal_date(UnixTime time);
  void save_date(std::optional<UnixTime> time);
  void rfc822_size(std::uint64_t octets);
  void modseq(ModSeq modseq);
  void email_id(const EmailId& id);
  void thread_id(const std::optional<ThreadId>& id);
  void preview(const std::optional<std::string>& text);
  // ENVELOPE, BODY and BODYSTRUCTURE as ready-made bytes.
  void ready(const FetchItem& item, std::string_view value);
  // The items that need the message take their response_name(), made once for thousands of messages.
  void binary_size(std::string_view item_name, std::uint64_t octets);
  // Sections: NIL where there is none, an octet string at hand, or the announcement of a literal of which the
  // caller appends exactly `octets` octets. literal8 only for BINARY (RFC 9051 §6.4.5).
  void section_nil(std::string_view item_name);
  void section_bytes(std::string_view item_name, std::string_view bytes);
  void section_literal(std::string_view item_name, std::uint64_t octets, LiteralKind kind);
  void finish();

  Utf8 utf8() const { return writer_.utf8(); }  // as the session's writer has it

 private:
  Writer& name(std::string_view name);

  Writer& writer_;
  bool first_ = true;
};

}  // namespace postkeep::imap
