// Housekeeper: makes the mailboxes that cases want and removes them afterwards, on a connection of its own that lives
// as long as the run. It asks by IMAP alone, so that any server will do.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "conformance/runner/script.h"
#include "conformance/runner/session.h"

namespace postkeep::conformance {

class Housekeeper {
 public:
  // Both outlive the object.
  Housekeeper(const Target& target, const Fixtures& fixtures) : target_(target), fixtures_(fixtures) {}

  // Connects where that is not done; begins a new log. Errors: unavailable.
  Outcome get_ready();
  // In capitals, of before and after login.
  const std::set<std::string>& capabilities() const { return capabilities_; }
  const std::string& separator() const { return separator_; }
  // Names begin with `prefix`, INBOX aside; each is bound to its variable. Errors: as ask().
  Outcome make(const std::vector<Given>& given, const std::string& prefix, Variables& variables);
  // Removes mailboxes and subscriptions that begin with `prefix` (none if that is empty), and empties the INBOX if
  // `inbox`. What fails here makes another case fail if it matters.
  void tidy_up(const std::string& prefix, bool inbox);
  const std::vector<std::string>& log() const { return log_; }

 private:
  Outcome connect();
  // Behind an answer that did not come the connection is of no use any more.
  Result<Responses> command(const std::string& text);
  Outcome append(const std::string& mailbox, const Message& message);
  std::vector<std::string> names_below(const std::string& prefix);
  void empty_inbox();
  void note_capabilities(const Responses& responses);

  const Target& target_;
  const Fixtures& fixtures_;
  std::vector<std::string> log_;
  std::unique_ptr<Connection> connection_;
  int tags_ = 0;
  std::set<std::string> capabilities_;
  std::string separator_ = "/";
};

}  // namespace postkeep::conformance
