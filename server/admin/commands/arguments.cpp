#include "server/admin/commands/arguments.h"

#include <vector>

#include "protocol/text/similar.h"

namespace postkeep::admin {

namespace {

// "; did you mean alice?" or nothing.
std::string suggestion(const std::string& wanted, const std::vector<std::string>& names) {
  text::NearestName nearest(wanted);
  for (const std::string& name : names) nearest.offer(name);
  return nearest.best().empty() ? "" : "; did you mean " + std::string(nearest.best()) + "?";
}

}  // namespace

Result<auth::User> existing_user(Host& host, const nlohmann::json& arguments, std::string_view parameter) {
  const std::string name = TRY(text_argument(arguments, parameter));
  std::optional<auth::User> user = TRY(host.users().find(name));
  if (user) return std::move(*user);
  std::vector<std::string> names;
  for (auth::User& other : TRY(host.users().list())) names.push_back(std::move(other.name));
  const std::string meant = suggestion(name, names);
  return failure(ErrorKind::not_found,
                 "There is no user " + name + ". `postkeep user list` lists them" + (meant.empty() ? "." : meant));
}

Result<MailboxName> mailbox_argument(Host& host, const nlohmann::json& arguments, std::string_view parameter) {
  const std::string name = TRY(text_argument(arguments, parameter));
  return MailboxName::from_wire(name, MailboxName::Encoding::utf8, host.settings().mailbox.separator);
}

std::string shown_name(const MailboxName& name, char separator) {
  return name.to_wire(MailboxName::Encoding::utf8, separator);
}

Result<storage::Mailbox> MailboxFinder::find(storage::AccountStore& account, const MailboxName& name) const {
  const Result<storage::Mailbox> found = account.find_mailbox(name);
  if (found && found->exists) {
    TRY(account.refresh(found->id));
    return found;
  }
  if (!found && found.error().kind != ErrorKind::not_found) return found;
  const std::string wanted = shown_name(name, separator);
  std::vector<std::string> names;
  for (const storage::Mailbox& other : TRY(account.list_mailboxes())) {
    if (other.exists) names.push_back(shown_name(other.name, separator));
  }
  const std::string meant = suggestion(wanted, names);
  return failure(ErrorKind::not_found, user + " has no mailbox " + wanted + ". `postkeep mailbox list " + user +
                                           "` lists them" + (meant.empty() ? "." : meant));
}

}  // namespace postkeep::admin
