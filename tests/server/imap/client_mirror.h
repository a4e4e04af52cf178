// ClientMirror: what a client believes about the mailbox that it has selected, from nothing but what it was sent. It
// holds the server to the rules for that (RFC 9051 §5.2, §7.4.1, §7.5.1, §7.5.2) and notes each breach as a fault. With
// CONDSTORE and QRESYNC it also keeps what a client keeps to resynchronize later (RFC 7162 §6).
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postkeep::test {

using FlagSet = std::set<std::string>;

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The decimal number that `text` starts with; none if there is no digit.
inline std::optional<std::uint32_t> leading_number(std::string_view text) {
  if (text.empty() || !is_digit(text[0])) return std::nullopt;
  std::uint32_t number = 0;
  for (const char c : text) {
    if (!is_digit(c)) break;
    number = number * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return number;
}

// The words of a list as it stands on the wire, without its parentheses; \Recent left out: it is each session's own.
inline FlagSet flag_words(std::string_view list) {
  FlagSet words;
  std::istringstream in{std::string(list)};
  for (std::string word; in >> word;) {
    if (word != "\\Recent") words.insert(word);
  }
  return words;
}

// "1:3,5" to its numbers.
inline std::set<std::uint32_t> set_numbers(std::string_view text) {
  std::set<std::uint32_t> numbers;
  while (const std::optional<std::uint32_t> first = leading_number(text)) {
    text.remove_prefix(std::to_string(*first).size());
    std::uint32_t last = *first;
    if (!text.empty() && text[0] == ':') {
      last = leading_number(text.substr(1)).value_or(0);
      text.remove_prefix(1 + std::to_string(last).size());
    }
    for (std::uint32_t number = *first; number <= last; ++number) numbers.insert(number);
    if (text.empty() || text[0] != ',') break;
    text.remove_prefix(1);
  }
  return numbers;
}

// One FETCH response, as far as the mirror cares.
struct FetchedItems {
  std::optional<std::uint32_t> uid;
  std::optional<FlagSet> flags;
  std::optional<std::uint64_t> modseq;
  std::optional<std::string> body;  // of BODY[]
};

inline std::optional<std::uint64_t> number_behind(std::string_view text, std::string_view word) {
  const std::size_t at = text.find(word);
  if (at == std::string_view::npos || at + word.size() >= text.size() || !is_digit(text[at + word.size()])) return {};
  return std::stoull(std::string(text.substr(at + word.size())));
}

inline FetchedItems fetched_items(const std::string& line) {
  FetchedItems items;
  std::string attributes = line;
  const std::size_t body = line.find("BODY[] {");
  if (body != std::string::npos) {
    const std::size_t size = leading_number(line.substr(body + 8)).value_or(0);
    const std::size_t start = line.find("\r\n", body) + 2;
    items.body = line.substr(start, size);
    attributes.erase(body, start + size - body);
  }
  if (const std::size_t uid = attributes.find("UID "); uid != std::string::npos) {
    items.uid = leading_number(std::string_view(attributes).substr(uid + 4));
  }
  if (const std::size_t flags = attributes.find("FLAGS ("); flags != std::string::npos) {
    items.flags = flag_words(std::string_view(attributes).substr(flags + 7, attributes.find(')', flags) - flags - 7));
  }
  items.modseq = number_behind(attributes, "MODSEQ (");
  return items;
}

// So that a failed check shows it. "" if there is none.
inline std::string first_of(const std::vector<std::string>& faults) { return faults.empty() ? "" : faults.front(); }

// What is going on between client and server while a response comes.
enum class During {
  nothing,    // the server may not say EXPUNGE (RFC 9051 §7.5.1)
  by_number,  // FETCH, STORE or SEARCH with message numbers: nor here
  other,      // any other command, or IDLE
};

class ClientMirror {
 public:
  struct Message {
    std::optional<std::uint32_t> uid;  // none: not told yet
    std::optional<FlagSet> flags;
  };
  // What outlives the connection.
  struct Memory {
    std::uint64_t uid_validity = 0;
    std::uint64_t modseq = 0;                                  // HIGHESTMODSEQ as the client works it out; 0: none yet
    std::map<std::uint32_t, std::optional<FlagSet>> messages;  // by UID; no flags: not told yet
  };

  // A mailbox is being selected, or no longer is.
  void reset() {
    messages_.clear();
    found_.clear();
    bodies_.clear();
    vanished_earlier_.clear();
    changed_.clear();
    uid_validity_ = 0;
    highest_modseq_ = 0;
    modseq_told_ = 0;
    modseq_of_code_.reset();
  }
  enum class Wants { nothing, modseq, vanished };
  void want(Wants wants) { wants_ = wants; }
  // One untagged response.
  void take(const std::string& line, During during) {
    const std::string_view text = std::string_view(line).substr(std::min<std::size_t>(2, line.size()));
    if (const std::optional<std::uint32_t> number = leading_number(text)) {
      take_numbered(line, *number, text.substr(std::to_string(*number).size() + 1), during);
    } else if (text.starts_with("SEARCH")) {
      std::istringstream in{std::string(text.substr(6))};
      for (std::uint32_t found = 0; in >> found;) found_.insert(found);
    } else if (text.starts_with("ESEARCH")) {
      const std::size_t all = text.find(" ALL ");
      if (all != std::string_view::npos) found_ = set_numbers(text.substr(all + 5));
    } else if (text.starts_with("VANISHED ")) {
      take_vanished(line, text.substr(9), during);
    } else if (text.starts_with("OK [UIDVALIDITY ")) {
      uid_validity_ = number_behind(text, "[UIDVALIDITY ").value_or(0);
    }
    note_modseq_code(text);
  }
  // The tagged reply: only now may the client move its HIGHESTMODSEQ (RFC 7162 §6).
  void take_reply(const std::string& reply) {
    note_modseq_code(reply);
    highest_modseq_ = modseq_of_code_.value_or(std::max(highest_modseq_, modseq_told_));
    modseq_of_code_.reset();
    modseq_told_ = 0;
  }
  // What the client keeps of this mailbox. Only messages of which it knows the UID.
  Memory memory() const {
    Memory kept;
    kept.uid_validity = uid_validity_;
    kept.modseq = highest_modseq_;
    for (const Message& message : messages_) {
      if (message.uid) kept.messages[*message.uid] = message.flags;
    }
    return kept;
  }
  // SELECT with QRESYNC has been answered: what was kept and has not vanished is what the mailbox begins with.
  void resume(const Memory& kept) {
    std::size_t index = 0;
    for (const auto& [uid, flags] : kept.messages) {
      if (vanished_earlier_.count(uid) == 1) continue;
      if (index == messages_.size()) {
        fault("a message is gone and was not told", std::to_string(uid));
        return;
      }
      Message& message = messages_[index++];
      if (message.uid && message.uid != uid) fault("another message has the number of", std::to_string(uid));
      message.uid = uid;
      if (!message.flags) message.flags = flags;
    }
  }
  // This client's own STORE .SILENT: it works out the result itself (RFC 9051 §6.4.6).
  void work_out(std::size_t index, char sign, const FlagSet& flags) {
    std::optional<FlagSet>& known = messages_[index].flags;
    if (sign == '=') known = flags;
    if (!known) return;
    for (const std::string& flag : flags) {
      if (sign == '+') known->insert(flag);
      if (sign == '-') known->erase(flag);
    }
  }
  // Told by other ways than a response: what the test knows.
  void know_uid(std::size_t index, std::uint32_t uid) { messages_[index].uid = uid; }

  const std::vector<Message>& messages() const { return messages_; }  // message number n is at n - 1
  // Of SEARCH and of FETCH BODY[] by UID, since the last call.
  std::set<std::uint32_t> take_found() { return std::exchange(found_, {}); }
  std::map<std::uint32_t, std::string> take_bodies() { return std::exchange(bodies_, {}); }
  // Of VANISHED (EARLIER), and the UIDs of FETCH responses, since the last call.
  std::set<std::uint32_t> take_vanished_earlier() { return std::exchange(vanished_earlier_, {}); }
  std::set<std::uint32_t> take_changed() { return std::exchange(changed_, {}); }
  const std::vector<std::string>& faults() const { return faults_; }

 private:
  void note_modseq_code(std::string_view text) {
    if (const auto modseq = number_behind(text, "[HIGHESTMODSEQ ")) modseq_of_code_ = modseq;
  }
  void take_vanished(const std::string& line, std::string_view what, During during) {
    if (wants_ != Wants::vanished) fault("VANISHED without QRESYNC", line);
    if (what.starts_with("(EARLIER) ")) {
      for (const std::uint32_t uid : set_numbers(what.substr(10))) {
        for (const Message& message : messages_) {
          if (message.uid == uid) fault("EARLIER for a message that is here", line);
        }
        vanished_earlier_.insert(uid);
      }
      return;
    }
    if (during != During::other) fault("VANISHED where numbers must not move", line);
    for (const std::uint32_t uid : set_numbers(what)) {
      auto gone = std::find_if(messages_.begin(), messages_.end(),
                               [uid](const Message& message) { return message.uid == uid; });
      if (gone == messages_.end()) gone = unknown_at(uid);
      if (gone == messages_.end()) {
        fault("VANISHED of an unknown message", line);
      } else {
        messages_.erase(gone);
      }
    }
  }
  // A message whose UID was not told, where this one can be: between those that were, one is as good as another.
  std::vector<Message>::iterator unknown_at(std::uint32_t uid) {
    auto found = messages_.end();
    for (auto message = messages_.begin(); message != messages_.end(); ++message) {
      if (message->uid && *message->uid > uid) break;
      if (message->uid) {
        found = messages_.end();
      } else if (found == messages_.end()) {
        found = message;
      }
    }
    return found;
  }
  void take_numbered(const std::string& line, std::uint32_t number, std::string_view what, During during) {
    if (what == "EXISTS") {
      if (number < messages_.size()) fault("EXISTS takes messages away", line);
      messages_.resize(std::max<std::size_t>(number, messages_.size()));
    } else if (what == "RECENT") {
      if (number > messages_.size()) fault("more are recent than there are", line);
    } else if (number < 1 || number > messages_.size()) {
      fault("there is no such message", line);
    } else if (what == "EXPUNGE") {
      if (during != During::other) fault("EXPUNGE where numbers must not move", line);
      if (wants_ == Wants::vanished) fault("EXPUNGE in spite of QRESYNC", line);
      messages_.erase(messages_.begin() + number - 1);
    } else if (what.starts_with("FETCH ")) {
      take_fetch(line, number - 1);
    } else {
      fault("not known", line);
    }
  }
  void take_fetch(const std::string& line, std::size_t index) {
    Message& message = messages_[index];
    FetchedItems items = fetched_items(line);
    if (items.uid) {
      if (message.uid && message.uid != items.uid) fault("another message has this number", line);
      message.uid = items.uid;
      check_order(index, line);
      if (items.body) bodies_[*items.uid] = *items.body;
    }
    if (wants_ != Wants::nothing && !items.body && (!items.uid || !items.modseq)) fault("no UID or MODSEQ", line);
    if (items.uid) changed_.insert(*items.uid);
    if (items.flags) message.flags = std::move(items.flags);
    if (items.modseq) modseq_told_ = std::max(modseq_told_, *items.modseq);
  }
  // UIDs ascend with the numbers.
  void check_order(std::size_t index, const std::string& line) {
    for (std::size_t i = index; i-- > 0;) {
      if (!messages_[i].uid) continue;
      if (*messages_[i].uid >= *messages_[index].uid) fault("UIDs do not ascend", line);
      break;
    }
    for (std::size_t i = index + 1; i < messages_.size(); ++i) {
      if (!messages_[i].uid) continue;
      if (*messages_[i].uid <= *messages_[index].uid) fault("UIDs do not ascend", line);
      break;
    }
  }
  void fault(const std::string& what, const std::string& line) { faults_.push_back(what + ": " + line); }

  std::vector<Message> messages_;
  std::set<std::uint32_t> found_;
  std::map<std::uint32_t, std::string> bodies_;
  std::set<std::uint32_t> vanished_earlier_;
  std::set<std::uint32_t> changed_;
  Wants wants_ = Wants::nothing;
  std::uint64_t uid_validity_ = 0;
  std::uint64_t highest_modseq_ = 0;
  std::uint64_t modseq_told_ = 0;                // since the last reply
  std::optional<std::uint64_t> modseq_of_code_;  // likewise
  std::vector<std::string> faults_;
};

}  // namespace postkeep::test
