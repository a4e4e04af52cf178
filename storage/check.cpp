#include "storage/check.h"

#include "storage/message_facts.h"

namespace postkeep::storage {
namespace {

enum class Forgetting { helps, does_not_help };

Finding damage(Uid uid, Forgetting forgetting, std::string what, std::string advice) {
  Finding finding;
  finding.state = Finding::State::damage;
  finding.what = std::move(what);
  finding.advice = std::move(advice);
  finding.uid = uid;
  finding.mended_by_forgetting = forgetting == Forgetting::helps;
  return finding;
}

Finding unreadable(Uid uid, const Error& error) {
  return damage(uid, Forgetting::does_not_help,
                "The message cannot be read: " + error.text + (error.detail.empty() ? "." : " (" + error.detail + ")."),
                "Look at the owner and the rights of its file, and at the disk; else restore it from a backup.");
}

Finding changed(Uid uid) {
  return damage(uid, Forgetting::helps, "The message's file is not what it was when the message came in.",
                "Restore it from a backup; or take it as it is by --repair.");
}

Finding badly_kept(Uid uid) {
  return damage(uid, Forgetting::helps, "The index has something else about the message than the message says.",
                "With --repair it is read anew.");
}

bool says_the_same(const MessageRow& a, const MessageRow& b) {
  return a.thread_id == b.thread_id && a.ends_in_crlf == b.ends_in_crlf && a.envelope == b.envelope &&
         a.body_structure == b.body_structure && a.cached_headers == b.cached_headers;
}

}  // namespace

std::string_view to_string(Finding::State state) {
  switch (state) {
    case Finding::State::note:
      return "note";
    case Finding::State::damage:
      return "damage";
    case Finding::State::repaired:
      return "repaired";
  }
  return "";
}

std::optional<Finding> check_message(const MessageToCheck& message) {
  if (message.error) return unreadable(message.uid, *message.error);
  // Before it is read: the reader may go by the size that it had.
  if (message.size_changed) return changed(message.uid);
  const Result<MessageRow> facts = read_facts(*message.reader);
  if (!facts) return unreadable(message.uid, facts.error());
  if (!message.kept) return std::nullopt;
  if (facts->size != message.kept->size || facts->email_id != message.kept->email_id) return changed(message.uid);
  if (!says_the_same(*facts, *message.kept)) return badly_kept(message.uid);
  return std::nullopt;
}

}  // namespace postkeep::storage
