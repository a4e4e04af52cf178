#include "protocol/lmtp/reply.h"

#include "protocol/base/ascii.h"

namespace postkeep::lmtp {
namespace {

void write_line(std::string& out, const Reply& reply, std::string_view text, bool last) {
  out += std::to_string(reply.code);
  out += last ? ' ' : '-';
  if (!reply.enhanced.empty()) {
    out += reply.enhanced;
    if (!text.empty()) out += ' ';
  }
  for (const char c : text) out += ascii::is_ctl(c) || ascii::is_eight_bit(c) ? '?' : c;
  out += "\r\n";
}

}  // namespace

void write_reply(std::string& out, const Reply& reply) {
  if (reply.lines.empty()) return write_line(out, reply, {}, true);
  for (std::size_t i = 0; i < reply.lines.size(); ++i) {
    write_line(out, reply, reply.lines[i], i + 1 == reply.lines.size());
  }
}

}  // namespace postkeep::lmtp
