// Parameters of MAIL and RCPT behind the path. RFC 5321 §4.1.2 (esmtp-param), RFC 1870 (SIZE), RFC 3030 §3 (BODY),
// RFC 6531 §3.4 (SMTPUTF8), RFC 4954 §5 (AUTH), RFC 3461 §4 (RET, ENVID, NOTIFY, ORCPT), RFC 6533 §3 (ORCPT with
// UTF-8). Called by lmtp/command. Knows no session state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/base/result.h"

namespace postkeep::lmtp {

enum class BodyType { seven_bit, eight_bit_mime, binary_mime };

enum class ReturnWhat { full, headers };  // RET

// NOTIFY. `never` stands alone.
struct NotifyWhen {
  bool never = false, success = false, failure = false, delay = false;
  bool operator==(const NotifyWhen&) const = default;
};

// ORCPT: whom the sender named. `address` is decoded.
struct OriginalRecipient {
  std::string type;  // "rfc822", as written
  std::string address;
  bool operator==(const OriginalRecipient&) const = default;
};

// What may stand behind the path of MAIL. A value.
struct MailParameters {
  std::optional<std::uint64_t> size = std::nullopt;  // octets
  BodyType body = BodyType::seven_bit;
  bool smtputf8 = false;
  std::optional<ReturnWhat> ret = std::nullopt;
  std::optional<std::string> envid = std::nullopt;  // decoded
  bool auth = false;                                // AUTH (RFC 4954 §5): who submitted it; nothing is made of it
  bool operator==(const MailParameters&) const = default;
};

// What may stand behind the path of RCPT. A value.
struct RcptParameters {
  std::optional<NotifyWhen> notify = std::nullopt;
  std::optional<OriginalRecipient> original = std::nullopt;
  bool operator==(const RcptParameters&) const = default;
};

// Reads one parameter, "NAME" or "NAME=value", into `into`. Errors: bad_syntax (a value that is not valid, or a
// second RET, ENVID, NOTIFY or ORCPT: RFC 3461 §4.5); cannot (a parameter that is not known).
Outcome read_mail_parameter(std::string_view parameter, MailParameters& into);
Outcome read_rcpt_parameter(std::string_view parameter, RcptParameters& into);

// RFC 3461 §4 xtext to what it stands for: "+2B" to "+". Errors: bad_syntax.
Result<std::string> decode_xtext(std::string_view text);

}  // namespace postkeep::lmtp
