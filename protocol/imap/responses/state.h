// OK, NO, BAD, BYE, PREAUTH and the continuation request. RFC 9051 §7.1, §7.6. The tagged ones are written by
// server/imap/dispatch and nobody else.
#pragma once

#include <optional>
#include <string_view>

#include "protocol/base/error.h"
#include "protocol/imap/response_code.h"
#include "protocol/imap/writer.h"

namespace postkeep::imap {

// `text` may be anything: what resp-text cannot carry is replaced.
void write_tagged(Writer& writer, std::string_view tag, Condition condition, const std::optional<ResponseCode>& code,
                  std::string_view text);
void write_untagged(Writer& writer, Condition condition, const std::optional<ResponseCode>& code,
                    std::string_view text);

// NO or BAD with the error's own code, or with `code` instead; its `text`, never its `detail`.
void write_tagged_error(Writer& writer, std::string_view tag, const Error& error,
                        const std::optional<ResponseCode>& code = std::nullopt);

// "+ text": for literals and IDLE. For AUTHENTICATE `text` is base64, possibly empty ("+ ").
void write_continuation(Writer& writer, std::string_view text);

}  // namespace postkeep::imap
