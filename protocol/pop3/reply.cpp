#include "protocol/pop3/reply.h"

#include "protocol/base/ascii.h"

namespace postkeep::pop3 {
namespace {

void write_line(std::string& out, std::string_view status, std::string_view code, std::string_view text) {
  const std::size_t begin = out.size();
  out += status;
  if (!code.empty()) ((out += " [") += code) += ']';
  // A client must not take the text for a code.
  while (code.empty() && text.starts_with('[')) text.remove_prefix(1);
  if (!text.empty()) out += ' ';
  const std::size_t room = reply_line_octets_max - 2 - (out.size() - begin);
  for (const char c : text.substr(0, room)) {
    out += ascii::is_ctl(c) || ascii::is_eight_bit(c) ? '?' : c;
  }
  out += "\r\n";
}

}  // namespace

void write_ok(std::string& out, std::string_view text) { write_line(out, "+OK", {}, text); }

void write_error(std::string& out, std::string_view code, std::string_view text) {
  write_line(out, "-ERR", code, text);
}

void write_challenge(std::string& out, std::string_view base64) { ((out += "+ ") += base64) += "\r\n"; }

void write_listing(std::string& out, std::uint32_t number, std::string_view value) {
  (((out += std::to_string(number)) += ' ') += value) += "\r\n";
}

void write_end(std::string& out) { out += ".\r\n"; }

}  // namespace postkeep::pop3
