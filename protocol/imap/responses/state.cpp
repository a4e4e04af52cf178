#include "protocol/imap/responses/state.h"

#include <string>

#include "protocol/base/ascii.h"

namespace postkeep::imap {
namespace {

// RFC 9051 §9: text is 1*TEXT-CHAR, and must not look like a code where there is none.
std::string printable(std::string_view text, Utf8 utf8, bool after_code) {
  std::string out(text.empty() ? "-" : text);
  for (char& c : out) {
    const bool allowed = ascii::is_eight_bit(c) ? utf8 == Utf8::yes : !ascii::is_ctl(c);
    if (!allowed) c = '?';
  }
  if (!after_code && out.front() == '[') out.front() = '(';
  return out;
}

}  // namespace

void write_tagged(Writer& writer, std::string_view tag, Condition condition, const std::optional<ResponseCode>& code,
                  std::string_view text) {
  writer.raw(tag).sp().raw(to_wire(condition)).sp();
  if (code) writer.raw("[").raw(code->text()).raw("] ");
  writer.raw(printable(text, writer.utf8(), code.has_value())).crlf();
}

void write_untagged(Writer& writer, Condition condition, const std::optional<ResponseCode>& code,
                    std::string_view text) {
  write_tagged(writer, "*", condition, code, text);
}

void write_tagged_error(Writer& writer, std::string_view tag, const Error& error,
                        const std::optional<ResponseCode>& code) {
  write_tagged(writer, tag, condition_of(error.kind), code ? code : ResponseCode::of(error.kind), error.text);
}

void write_continuation(Writer& writer, std::string_view text) {
  writer.raw("+ ");
  if (!text.empty()) writer.raw(printable(text, writer.utf8(), true));
  writer.crlf();
}

}  // namespace postkeep::imap
