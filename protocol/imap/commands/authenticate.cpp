#include "protocol/imap/commands/authenticate.h"

#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/base/base64.h"

namespace postkeep::imap {

Result<AuthenticateArgs> parse_authenticate(Cursor& cursor) {
  AuthenticateArgs args;
  TRY(cursor.sp());
  args.mechanism = TRY(cursor.keyword());
  if (!cursor.end()) {
    TRY(cursor.sp());
    // RFC 4959 §3: "=" is an empty response, as opposed to none.
    const std::string text = cursor.take_while([](char c) { return ascii::is_base64_char(c) || c == '='; });
    args.initial_response = Secret(text == "=" ? std::string() : TRY(base64_decode(text)));
    TRY(cursor.end());
  }
  return args;
}

Result<std::optional<Secret>> parse_authenticate_line(std::string_view line) {
  if (line == "*") return std::optional<Secret>();
  return std::optional<Secret>(Secret(TRY(base64_decode(line))));
}

}  // namespace postkeep::imap
