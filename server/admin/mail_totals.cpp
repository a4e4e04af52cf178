#include "server/admin/mail_totals.h"

#include "server/admin/text_table.h"

namespace postkeep::admin {

void MailTotals::add(const storage::MailboxStatus& status) {
  ++mailboxes;
  messages += status.messages;
  octets += status.size;
}

nlohmann::json MailTotals::to_json() const {
  return {{"mailboxes", mailboxes}, {"messages", messages}, {"octets", octets}};
}

Result<MailTotals> mail_totals(storage::AccountStore& account) {
  MailTotals totals;
  for (const storage::Mailbox& mailbox : TRY(account.list_mailboxes())) {
    if (!mailbox.exists) continue;
    TRY(account.refresh(mailbox.id));
    totals.add(TRY(account.status(mailbox.id)));
  }
  return totals;
}

std::string shown_totals(const nlohmann::json& totals) {
  std::string text;
  const auto mailboxes = totals.find("mailboxes");
  if (mailboxes != totals.end() && mailboxes->is_number())
    text = counted(mailboxes->get<std::uint64_t>(), "mailbox") + ", ";
  return text + counted(totals["messages"].get<std::uint64_t>(), "message") + ", " +
         shown_octets(totals["octets"].get<std::uint64_t>());
}

}  // namespace postkeep::admin
