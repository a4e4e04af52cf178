#include "protocol/base/error.h"

namespace postkeep {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::bad_syntax:
      return "bad_syntax";
    case ErrorKind::not_found:
      return "not_found";
    case ErrorKind::already_exists:
      return "already_exists";
    case ErrorKind::no_permission:
      return "no_permission";
    case ErrorKind::cannot:
      return "cannot";
    case ErrorKind::limit:
      return "limit";
    case ErrorKind::too_big:
      return "too_big";
    case ErrorKind::over_quota:
      return "over_quota";
    case ErrorKind::quota_reached:
      return "quota_reached";
    case ErrorKind::has_children:
      return "has_children";
    case ErrorKind::use_attribute:
      return "use_attribute";
    case ErrorKind::bad_charset:
      return "bad_charset";
    case ErrorKind::unknown_cte:
      return "unknown_cte";
    case ErrorKind::expunge_issued:
      return "expunge_issued";
    case ErrorKind::authentication_failed:
      return "authentication_failed";
    case ErrorKind::authorization_failed:
      return "authorization_failed";
    case ErrorKind::privacy_required:
      return "privacy_required";
    case ErrorKind::in_use:
      return "in_use";
    case ErrorKind::unavailable:
      return "unavailable";
    case ErrorKind::corruption:
      return "corruption";
    case ErrorKind::client_bug:
      return "client_bug";
    case ErrorKind::server_bug:
      return "server_bug";
  }
  return "unknown";
}

}  // namespace postkeep
