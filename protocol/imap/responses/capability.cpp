#include "protocol/imap/responses/capability.h"

#include <string_view>

namespace postkeep::imap {
namespace {

void write_tokens(Writer& writer, std::string_view name, const std::vector<std::string>& tokens) {
  writer.raw("* ").raw(name);
  for (const std::string& token : tokens) writer.sp().raw(token);
  writer.crlf();
}

}  // namespace

void write_capability(Writer& writer, const std::vector<std::string>& capabilities) {
  write_tokens(writer, "CAPABILITY", capabilities);
}

void write_enabled(Writer& writer, const std::vector<std::string>& capabilities) {
  write_tokens(writer, "ENABLED", capabilities);
}

}  // namespace postkeep::imap
