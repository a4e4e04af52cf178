#include "protocol/imap/responses/envelope_body.h"

#include <optional>
#include <string>
#include <vector>

namespace postkeep::imap {
namespace {

enum class Extensions { no, yes };  // BODY has none, BODYSTRUCTURE all

void write_non_empty_or_nil(Writer& out, const std::string& text) {
  if (text.empty()) {
    out.nil();
  } else {
    out.string(text);
  }
}

// RFC 9051 §7.5.2: a group starts with NIL as host and its name as mailbox, and ends with NIL for both. So the
// missing host of a mailbox must not be NIL: it is "".
void write_address(Writer& out, const Address& address) {
  out.open();
  switch (address.kind) {
    case Address::Kind::mailbox:
      write_non_empty_or_nil(out, address.name);
      out.sp();
      write_non_empty_or_nil(out, address.route);
      out.sp().string(address.local_part).sp().string(address.domain);
      break;
    case Address::Kind::group_start:
      out.raw("NIL NIL ").string(address.local_part).raw(" NIL");
      break;
    case Address::Kind::group_end:
      out.raw("NIL NIL NIL NIL");
      break;
  }
  out.close();
}

void write_addresses(Writer& out, const AddressList& list) {
  if (list.empty()) {
    out.nil();
    return;
  }
  out.open();
  for (const Address& address : list) write_address(out, address);  // env-from and its like: no space between
  out.close();
}

// body-fld-param. RFC 9051 §7.5.2: what the sender encoded by RFC 2231 comes decoded, in UTF-8, as "name*".
void write_parameters(Writer& out, const std::vector<mime::Parameter>& parameters) {
  if (parameters.empty()) {
    out.nil();
    return;
  }
  out.open();
  bool first = true;
  for (const mime::Parameter& parameter : parameters) {
    if (!first) out.sp();
    first = false;
    const bool extended = parameter.form == mime::Parameter::Form::extended;
    out.string(extended ? parameter.name + "*" : parameter.name).sp().string(parameter.value);
  }
  out.close();
}

void write_disposition(Writer& out, const std::optional<mime::Disposition>& disposition) {
  if (!disposition) {
    out.nil();
    return;
  }
  out.open().string(disposition->type).sp();
  write_parameters(out, disposition->parameters);
  out.close();
}

void write_languages(Writer& out, const std::vector<std::string>& languages) {
  if (languages.empty()) {
    out.nil();
    return;
  }
  out.open();
  for (std::size_t i = 0; i < languages.size(); ++i) {
    if (i > 0) out.sp();
    out.string(languages[i]);
  }
  out.close();
}

// The tail that body-ext-1part and body-ext-mpart share.
void write_common_extensions(Writer& out, const mime::Part& part) {
  out.sp();
  write_disposition(out, part.disposition);
  out.sp();
  write_languages(out, part.languages);
  out.sp().nstring(part.location);
}

void write_part(Writer& out, const mime::Part& part, Extensions extensions);

void write_multipart(Writer& out, const mime::Part& part, Extensions extensions) {
  for (const mime::Part& child : part.children) write_part(out, child, extensions);
  out.sp().string(part.subtype);
  if (extensions == Extensions::no) return;
  out.sp();
  write_parameters(out, part.parameters);
  write_common_extensions(out, part);
}

void write_single_part(Writer& out, const mime::Part& part, Extensions extensions) {
  out.string(part.type).sp().string(part.subtype).sp();
  write_parameters(out, part.parameters);
  out.sp().nstring(part.id).sp().nstring(part.description);
  out.sp().string(part.encoding_name).sp().number(part.octets());
  if (part.is_message()) {
    const mime::Part& message = part.children.front();
    out.sp();
    write_envelope(out, message.envelope.value_or(mime::Envelope()));
    out.sp();
    write_part(out, message, extensions);
    out.sp().number(part.lines);
  } else if (part.type == "text") {
    out.sp().number(part.lines);
  }
  if (extensions == Extensions::no) return;
  out.sp().nstring(part.md5);
  write_common_extensions(out, part);
}

void write_part(Writer& out, const mime::Part& part, Extensions extensions) {
  out.open();
  if (part.is_multipart()) {
    write_multipart(out, part, extensions);
  } else {
    write_single_part(out, part, extensions);
  }
  out.close();
}

}  // namespace

void write_envelope(Writer& out, const mime::Envelope& envelope) {
  out.open().nstring(envelope.date).sp().nstring(envelope.subject);
  for (const AddressList* list :
       {&envelope.from, &envelope.sender, &envelope.reply_to, &envelope.to, &envelope.cc, &envelope.bcc}) {
    out.sp();
    write_addresses(out, *list);
  }
  out.sp().nstring(envelope.in_reply_to).sp().nstring(envelope.message_id).close();
}

void write_body(Writer& out, const mime::Part& root) { write_part(out, root, Extensions::no); }
void write_bodystructure(Writer& out, const mime::Part& root) { write_part(out, root, Extensions::yes); }

}  // namespace postkeep::imap
