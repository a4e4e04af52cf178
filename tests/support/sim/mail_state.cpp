#include "tests/support/sim/mail_state.h"

#include <algorithm>
#include <sstream>

namespace postkeep::test {
namespace {

using storage::AccountStore;
using storage::MailboxVersionPtr;

std::string title(const KnownMessage& message) {
  const std::size_t at = message.content.find("Subject: ");
  const std::string subject =
      at == std::string::npos ? "no subject" : message.content.substr(at + 9, message.content.find('\r', at) - at - 9);
  return (message.uid ? std::to_string(message.uid->value()) : "?") + " \"" + subject + "\" (" + message.flags + ")";
}

Result<std::string> whole_content(AccountStore& account, MailboxId mailbox, Uid uid) {
  const auto reader = TRY(account.open_message(mailbox, uid));
  std::string content;
  TRY(reader->read(0, static_cast<std::size_t>(reader->size()), content));
  return content;
}

Result<KnownMailbox> observe_mailbox(AccountStore& account, const storage::Mailbox& mailbox) {
  TRY(account.refresh(mailbox.id));
  const MailboxVersionPtr version = TRY(account.version(mailbox.id));
  KnownMailbox known;
  known.id = mailbox.id;
  known.uid_validity = version->facts().uid_validity;
  known.uid_next = version->facts().uid_next;
  known.highest_modseq = version->facts().highest_modseq;
  known.special_use = mailbox.special_use;
  storage::FetchWants wants;
  wants.dates = true;
  wants.size = true;
  const std::vector<storage::MessageRow> rows = TRY(account.fetch(mailbox.id, version->all_uids(), wants));
  if (rows.size() != version->count()) return failure(ErrorKind::corruption, "fetch and version differ");
  for (const storage::MessageRow& row : rows) {
    const auto state = version->find(row.uid);
    if (!state || row.uid >= known.uid_next || state->modseq > known.highest_modseq) {
      return failure(ErrorKind::corruption, "a message above UIDNEXT or HIGHESTMODSEQ");
    }
    KnownMessage message;
    message.uid = row.uid;
    message.content = TRY(whole_content(account, mailbox.id, row.uid));
    message.flags = version->flags_of(*state).to_wire();
    message.internal_date = row.internal_date.seconds;
    message.modseq = state->modseq;
    if (row.size != message.content.size()) return failure(ErrorKind::corruption, "size and content differ");
    known.messages.push_back(std::move(message));
  }
  return known;
}

bool same_message(const KnownMessage& expected, const KnownMessage& found) {
  return expected.content == found.content &&
         (!expected.internal_date || expected.internal_date == found.internal_date);
}

bool has_word(const std::string& words, const std::string& word) {
  return (" " + words + " ").find(" " + word + " ") != std::string::npos;
}

// Each flag is as in one of `known`.
bool is_mixed_of(const std::string& found, const std::vector<std::string>& known) {
  std::string words = found;
  for (const std::string& flags : known) words += " " + flags;
  std::istringstream all(words);
  for (std::string word; all >> word;) {
    const bool is_there = has_word(found, word);
    const auto agrees = [&](const std::string& flags) { return has_word(flags, word) == is_there; };
    if (std::none_of(known.begin(), known.end(), agrees)) return false;
  }
  return true;
}

bool same_flags(const KnownMessage& expected, const KnownMessage& found, const std::string& mailbox, FlagsAre flags_are,
                const std::vector<MailState>& earlier) {
  if (expected.flags == found.flags) return true;
  if (flags_are == FlagsAre::exact) return false;
  std::vector<std::string> known{expected.flags};
  for (const MailState& state : earlier) {
    const auto there = state.mailboxes.find(mailbox);
    if (there == state.mailboxes.end()) continue;
    for (const KnownMessage& message : there->second.messages) {
      if (message.uid == found.uid && message.content == found.content) known.push_back(message.flags);
    }
  }
  return is_mixed_of(found.flags, known);
}

std::string mailbox_difference(const std::string& name, const KnownMailbox& expected, const KnownMailbox& found,
                               FlagsAre flags_are, const std::vector<MailState>& earlier) {
  if (expected.id.value() != 0 && expected.id != found.id) return name + ": another mailbox id";
  if (expected.uid_validity.value() != 0 && expected.uid_validity != found.uid_validity) {
    return name + ": another UIDVALIDITY";
  }
  if (expected.special_use != found.special_use) {
    return name + ": its special use is \"" + std::string(to_wire(found.special_use)) + "\"";
  }
  std::vector<KnownMessage> rest = found.messages;
  const auto take = [&](const KnownMessage& wanted) {
    const auto at = std::find_if(rest.begin(), rest.end(), [&](const KnownMessage& message) {
      return (wanted.uid ? message.uid == wanted.uid : true) && same_message(wanted, message) &&
             same_flags(wanted, message, name, flags_are, earlier);
    });
    if (at == rest.end()) return false;
    rest.erase(at);
    return true;
  };
  // Those with a UID first, so that none of them is taken for one without.
  for (const bool told : {true, false}) {
    for (const KnownMessage& message : expected.messages) {
      if (message.uid.has_value() == told && !take(message)) {
        const KnownMessage* other = message.uid ? found.find(*message.uid) : nullptr;
        return name + ": lacks " + title(message) + (other != nullptr ? ", has " + title(*other) : "");
      }
    }
  }
  return rest.empty() ? "" : name + ": has also " + title(rest.front());
}

// What the quota counts is what is there.
Outcome check_usage(storage::AccountStore& account, const std::string& user, const MailState& state) {
  std::uint64_t messages = 0;
  for (const auto& [name, mailbox] : state.mailboxes) {
    if (address_of(name).user == user) messages += mailbox.messages.size();
  }
  if (TRY(account.quota()).used.messages == messages) return {};
  return failure(ErrorKind::corruption, "the quota counts other messages than there are");
}

}  // namespace

const KnownMessage* KnownMailbox::find(Uid uid) const {
  const auto at = std::find_if(messages.begin(), messages.end(), [&](const KnownMessage& m) { return m.uid == uid; });
  return at == messages.end() ? nullptr : &*at;
}

Uid KnownMailbox::uid_of(std::string_view content) const {
  const auto at =
      std::find_if(messages.begin(), messages.end(), [&](const KnownMessage& m) { return m.content == content; });
  return at == messages.end() ? Uid() : at->uid.value_or(Uid());
}

UidSet KnownMailbox::uids_of(const std::vector<std::string>& contents) const {
  UidSet uids;
  for (const std::string& content : contents) uids.add(uid_of(content));
  return uids;
}

Flags flags_of_words(const std::string& words) {
  std::istringstream each(words);
  Flags flags;
  for (std::string word; each >> word;) (void)flags.add_from_wire(word);
  return flags;
}

Result<MailState> observe(Machine& machine) {
  MailState state;
  for (const auto& [user, account] : machine.accounts()) {
    const std::vector<storage::Mailbox> mailboxes = TRY(account->list_mailboxes());
    for (const storage::Mailbox& mailbox : mailboxes) {
      const std::string address = address_text(user, mailbox.name);
      if (mailbox.subscribed) state.subscribed.insert(address);
      if (mailbox.exists) state.mailboxes[address] = TRY(observe_mailbox(*account, mailbox));
    }
    TRY(check_usage(*account, user, state));
    if (user == "anna") state.quota = TRY(account->quota()).own;
  }
  return state;
}

std::string difference(const MailState& expected, const MailState& found, FlagsAre flags_are,
                       const std::vector<MailState>& earlier) {
  for (const auto& [name, mailbox] : expected.mailboxes) {
    const auto there = found.mailboxes.find(name);
    if (there == found.mailboxes.end()) return name + " is not there";
    std::string differs = mailbox_difference(name, mailbox, there->second, flags_are, earlier);
    if (!differs.empty()) return differs;
  }
  for (const auto& [name, mailbox] : found.mailboxes) {
    if (!expected.mailboxes.contains(name)) return name + " is there";
  }
  for (const std::string& name : expected.subscribed) {
    if (!found.subscribed.contains(name)) return name + " is not subscribed";
  }
  if (!(expected.quota == found.quota)) return "another quota";
  for (const std::string& name : found.subscribed) {
    if (!expected.subscribed.contains(name)) return name + " is subscribed";
  }
  return "";
}

}  // namespace postkeep::test
