// Error: why something that a correct caller may ask for did not happen.
// Made where it happens, turned into OK/NO/BAD, response codes and LMTP codes in server/ alone.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace postkeep {

// What went wrong, in terms that every protocol can map to its own codes (RFC 5530 for IMAP).
enum class ErrorKind {
  bad_syntax,             // the peer's input does not follow the grammar          BAD
  not_found,              // no such mailbox, message or user                      NO [NONEXISTENT]
  already_exists,         //                                                       NO [ALREADYEXISTS]
  no_permission,          //                                                       NO [NOPERM]
  cannot,                 // can never work: invalid name, \NoSelect               NO [CANNOT]
  limit,                  // a configured limit                                    NO [LIMIT]
  too_big,                // one message or literal over its limit                 NO [TOOBIG]
  over_quota,             // the disk is full, or its own quota is                 NO [OVERQUOTA]
  quota_reached,          // the account's quota                                   NO [OVERQUOTA]
  has_children,           // DELETE of a name with inferiors                       NO [HASCHILDREN]
  use_attribute,          // special-use not possible (RFC 6154)                   NO [USEATTR]
  bad_charset,            // SEARCH CHARSET unknown                                NO [BADCHARSET (...)]
  unknown_cte,            // BINARY of an unknown transfer encoding                NO [UNKNOWN-CTE]
  expunge_issued,         // a message is gone                                     NO [EXPUNGEISSUED]
  authentication_failed,  // wrong user or wrong password, never told apart        NO [AUTHENTICATIONFAILED]
  authorization_failed,   //                                                       NO [AUTHORIZATIONFAILED]
  privacy_required,       // needs TLS                                             NO [PRIVACYREQUIRED]
  in_use,                 // another process holds it                              NO [INUSE]
  unavailable,            // temporary: backend down, I/O error, shutting down     NO [UNAVAILABLE]
  corruption,             // stored data is damaged                                NO [CORRUPTION]
  client_bug,             // legal syntax that makes no sense here                 BAD [CLIENTBUG]
  server_bug,             // ours                                                  NO [SERVERBUG]
};

// A value. `text` is a sentence fit for the client: no paths, no SQL, no hint about other users.
// `detail` is for the log only: what was tried, on what, why it failed.
struct Error {
  ErrorKind kind = ErrorKind::server_bug;
  std::string text;
  std::string detail;

  Error() = default;
  Error(ErrorKind k, std::string client_text, std::string log_detail = {})
      : kind(k), text(std::move(client_text)), detail(std::move(log_detail)) {}
};

// The name of a kind as logs and JSON print it, for instance "over_quota".
std::string_view to_string(ErrorKind kind);

}  // namespace postkeep
