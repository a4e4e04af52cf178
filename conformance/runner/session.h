// Session: what the runner itself says to an IMAP server: STARTTLS, login, and commands whose answers it needs.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/runner/connection.h"

namespace postkeep::conformance {

using Responses = std::vector<imap::client::Response>;

struct Account {
  std::string user;
  std::string password;
};

struct Target {
  Endpoint imap;
  std::array<Account, 2> accounts;  // the second one's user is "" if there is none
  std::optional<Endpoint> lmtp;
  std::optional<Endpoint> pop3;
};

enum class Mode { rev1, rev2 };
std::string_view to_string(Mode mode);

bool is_tagged(const imap::client::Response& response, std::string_view tag);
std::string quoted(std::string_view text);

// Behind the greeting, and behind STARTTLS where the endpoint asks for it. Errors: unavailable.
Result<std::unique_ptr<Connection>> open_imap(const Endpoint& endpoint, std::string name,
                                              std::vector<std::string>& log);
// The untagged responses of a command. Errors: unavailable, it was not answered; cannot, the answer is not OK.
Result<Responses> ask(Connection& connection, const std::string& tag, const std::string& command);
// The user, 1 or 2, is logged in, and in rev2 IMAP4rev2 is enabled.
Result<std::unique_ptr<Connection>> log_in(const Target& target, int user, Mode mode, std::string name,
                                           std::vector<std::string>& log);
// Delivers a message to the user by LMTP. RFC 2033.
Outcome deliver_by_lmtp(const Target& target, int user, std::string_view message, std::vector<std::string>& log);

}  // namespace postkeep::conformance
