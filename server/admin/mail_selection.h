// Which messages a command about mail is about: those of one user, in the mailboxes that --mailbox or --all-mailboxes
// name (else INBOX), that match QUERY. Blocking, on the far side; the account is asked in small steps.
#pragma once

#include <string>
#include <vector>

#include "protocol/mail/search_key.h"
#include "server/admin/commands.h"
#include "server/admin/commands/arguments.h"
#include "server/admin/exchange.h"

namespace postkeep::admin {

// A mailbox to look in, and its name for people.
struct MailSource {
  storage::Mailbox mailbox;
  std::string name;
};

class MailSelection {
 public:
  // Errors: those of the user, the mailboxes and the query.
  static Result<MailSelection> read(Host& host, const nlohmann::json& arguments);

  const std::string& user() const { return finder_.user; }
  const MailboxFinder& finder() const { return finder_; }
  // With --all-mailboxes; then what others name may be left out: a target, say.
  bool all_mailboxes() const { return all_; }
  const std::vector<MailboxName>& names() const { return names_; }

  // The mailbox as it is now. Errors: not_found.
  Result<MailSource> open(Host& host, const MailboxName& name) const;
  // What matches in it now, by rising UID. Memory: ranges of UIDs.
  Result<UidSet> find(Host& host, const MailSource& source, Exchange& exchange) const;

 private:
  MailSelection(MailboxFinder finder, SearchKey key) : finder_(std::move(finder)), key_(std::move(key)) {}

  MailboxFinder finder_;
  SearchKey key_;
  std::vector<MailboxName> names_;
  bool all_ = false;
};

}  // namespace postkeep::admin
