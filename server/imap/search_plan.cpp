// See search_plan.h.
#include "server/imap/search_plan.h"

#include <utility>
#include <vector>

namespace postkeep::imap {

namespace {

using Key = SearchKey::Kind;

// Replaces the session-relative parts of `key` by uid_set, in place.
class Rewriter {
 public:
  Rewriter(const MailboxView& view, const UidSet& saved) : view_(view), saved_(saved) {}

  void rewrite(SearchKey& key) const {
    switch (key.kind) {
      case Key::recent:
        become_set(key, view_.recent());
        break;
      case Key::not_recent:
        become_set(key, all().subtract(view_.recent()));
        break;
      case Key::unseen_recent:
        become_set(key, view_.recent().subtract(seen()));
        break;
      case Key::uid_sequence:
        become_set(key, key.numbers.saved_result ? saved_ : view_.resolve_uids(key.numbers));
        break;
      case Key::sequence_set:
        if (key.numbers.saved_result) {
          become_set(key, saved_);
        } else {
          become_set(key, by_number(key.numbers));
        }
        break;
      case Key::and_:
      case Key::or_:
      case Key::not_:
        for (SearchKey& child : key.children) rewrite(child);
        break;
      default:
        break;
    }
  }

 private:
  static void become_set(SearchKey& key, UidSet uids) {
    key = SearchKey();
    key.kind = Key::uid_set;
    key.uids = std::move(uids);
  }
  // Numbers of no message match nothing: the rule that makes them an error names COPY, FETCH and STORE (RFC 9051
  // §9 seq-number).
  UidSet by_number(const SequenceSet& numbers) const {
    const std::uint32_t count = view_.messages().count();
    if (count == 0) return {};
    const UidSet existing = numbers.resolve(count).intersect(UidSet::of_range(Uid(1), Uid(count)));
    return view_.messages().uids_of_seqs(existing);
  }
  UidSet all() const { return view_.messages().all_uids(); }
  UidSet seen() const { return view_.messages().uids_with(SystemFlag::seen); }

  const MailboxView& view_;
  const UidSet& saved_;
};

// Messages of the view that `wanted(const Flags&)` accepts; each flag combination is asked about once.
template <class Wanted>
UidSet with_flags(const storage::MailboxVersion& messages, Wanted wanted) {
  const storage::FlagTable& table = *messages.flag_table();
  std::vector<bool> accepted(table.size());
  for (std::size_t code = 0; code < table.size(); ++code) {
    accepted[code] = wanted(table.flags(static_cast<storage::FlagCode>(code)));
  }
  UidSet found;
  messages.for_each([&](SeqNum, const storage::MessageState& message) {
    if (accepted[message.flags]) found.add(message.uid);
  });
  return found;
}

// The exact answer to `key` from the view alone; none where storage must be asked.
std::optional<UidSet> answer_from_view(const SearchKey& key, const MailboxView& view);

std::optional<UidSet> answer_combination(const SearchKey& key, const MailboxView& view) {
  std::optional<UidSet> sum;
  for (const SearchKey& child : key.children) {
    std::optional<UidSet> part = answer_from_view(child, view);
    if (!part) return std::nullopt;
    if (!sum) {
      sum = std::move(part);
    } else {
      sum = key.kind == Key::or_ ? sum->union_with(*part) : sum->intersect(*part);
    }
  }
  if (!sum) return view.messages().all_uids();  // AND of nothing
  if (key.kind == Key::not_) return view.messages().all_uids().subtract(*sum);
  return sum;
}

std::optional<UidSet> answer_from_view(const SearchKey& key, const MailboxView& view) {
  const storage::MailboxVersion& messages = view.messages();
  switch (key.kind) {
    case Key::all:
    case Key::save_date_supported:
      return messages.all_uids();
    case Key::has_flag:
      return messages.uids_with(key.flag);
    case Key::lacks_flag:
      return messages.all_uids().subtract(messages.uids_with(key.flag));
    case Key::has_keyword:
      return with_flags(messages, [&](const Flags& flags) { return flags.has_keyword(key.text); });
    case Key::lacks_keyword:
      return with_flags(messages, [&](const Flags& flags) { return !flags.has_keyword(key.text); });
    case Key::uid_set:
      return messages.existing(key.uids);
    case Key::modseq:
      return key.number == 0 ? messages.all_uids() : messages.changed_since(ModSeq(key.number - 1));
    case Key::and_:
    case Key::or_:
    case Key::not_:
      return answer_combination(key, view);
    default:
      return std::nullopt;
  }
}

// `key` without what only the session knows.
SearchPlan plan_rewritten(SearchKey key, const MailboxView& view) {
  SearchPlan plan;
  if (std::optional<UidSet> answer = answer_from_view(key, view)) {
    plan.candidates = std::move(*answer);
    return plan;
  }
  plan.candidates = view.messages().all_uids();
  if (key.kind != Key::and_) {
    plan.residue = std::move(key);
    return plan;
  }
  // An AND: what the view can answer narrows the candidates, the rest is asked of storage.
  SearchKey rest;
  rest.kind = Key::and_;
  for (SearchKey& child : key.children) {
    if (std::optional<UidSet> part = answer_from_view(child, view)) {
      plan.candidates = plan.candidates.intersect(*part);
    } else {
      rest.children.push_back(std::move(child));
    }
  }
  plan.residue = std::move(rest);
  return plan;
}

}  // namespace

bool mentions(const SearchKey& key, SearchKey::Kind kind) {
  if (key.kind == kind) return true;
  for (const SearchKey& child : key.children) {
    if (mentions(child, kind)) return true;
  }
  return false;
}

bool has_message_numbers(const SearchKey& key) {
  if (key.kind == Key::sequence_set && !key.numbers.saved_result) return true;
  for (const SearchKey& child : key.children) {
    if (has_message_numbers(child)) return true;
  }
  return false;
}

SearchPlan plan_search(SearchKey key, const MailboxView& view, const UidSet& saved) {
  Rewriter(view, saved).rewrite(key);
  SearchPlan plan = plan_rewritten(std::move(key), view);
  plan.candidates = plan.candidates.subtract(view.ghosts());
  return plan;
}

}  // namespace postkeep::imap
