// LIST with its selection and return options, and LSUB. RFC 9051 §6.3.9, RFC 5258, RFC 5819, RFC 6154,
// RFC 3501 §6.3.9 (LSUB).
#pragma once

#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/imap/commands/status.h"
#include "protocol/imap/cursor.h"

namespace postkeep::imap {

// Selection options; absent ones are false. Every combination here is legal.
struct ListSelect {
  bool subscribed = false;
  bool remote = false;
  bool recursive_match = false;  // only with a base option (RFC 5258 §3.1)
  bool special_use = false;      // RFC 6154 §5.2
};

struct ListReturn {
  bool subscribed = false;
  bool children = false;
  bool special_use = false;
  std::vector<StatusItem> status;  // RFC 5819; empty: not asked
};

struct ListArgs {
  enum class Form { basic, extended };  // extended: options or several patterns were given (RFC 5258 §3)
  Form form = Form::basic;
  std::string reference;
  std::vector<std::string> patterns;  // wire form, at least one; "" asks for the separator (basic form only)
  ListSelect select;
  ListReturn returns;
};

Result<ListArgs> parse_list(Cursor& cursor);
// LSUB: reference and one pattern; the rest is as by default.
Result<ListArgs> parse_lsub(Cursor& cursor);

}  // namespace postkeep::imap
