// See mailbox_view.h.
#include "server/imap/mailbox_view.h"

#include <algorithm>
#include <utility>

#include "protocol/base/seeded_fault.h"

namespace postkeep::imap {

using storage::MailboxVersion;
using storage::MailboxVersionPtr;
using storage::MessageState;
using storage::VersionDiff;

namespace {

// `newest` with the messages of `ghosts` put back as `older` has them.
MailboxVersionPtr with_ghosts(const MailboxVersionPtr& newest, const MailboxVersion& older, const UidSet& ghosts) {
  std::vector<MessageState> kept;
  older.for_each_in(ghosts, [&](SeqNum, const MessageState& message) { kept.push_back(message); });
  if (kept.empty()) return newest;
  return newest->with_changes(newest->facts(), newest->flag_table(), kept, UidSet());
}

// The part of `uids` from `first` on; nothing when `first` is 0.
UidSet from_uid(const UidSet& uids, Uid first) {
  if (first == Uid(0)) return {};
  return uids.intersect(UidSet::of_range(first, Uid(UINT32_MAX)));
}

// "n:*" with n above the last message is the last one: clients ask so for what is new since EXISTS was n-1. UIDs behave
// so by RFC 9051 §6.4.9. A number alone or a closed range above it stays an error.
SequenceSet with_open_ends_inside(SequenceSet numbers, std::uint32_t count) {
  for (SequenceSet::Range& range : numbers.ranges) {
    if (range.first != SequenceSet::star && range.last != SequenceSet::star) continue;
    range.first = std::min(range.first, count);  // a star is 0 and stays one
    range.last = std::min(range.last, count);
  }
  return numbers;
}

}  // namespace

MailboxView::MailboxView(MailboxVersionPtr version, Uid recent_from)
    : version_(std::move(version)), settled_(version_->facts().highest_modseq) {
  if (recent_from == Uid(0) || version_->count() == 0 || version_->last_uid() < recent_from) return;
  recent_ = version_->existing(UidSet::of_range(recent_from, version_->last_uid()));
}

Result<UidSet> MailboxView::resolve_sequence(const SequenceSet& numbers) const {
  const UidSet meant = with_open_ends_inside(numbers, version_->count()).resolve(version_->count());
  if (version_->count() == 0 || (!meant.empty() && meant.max().value() > version_->count())) {
    return failure(ErrorKind::client_bug, "There is no message of that number");
  }
  return version_->uids_of_seqs(meant);
}

UidSet MailboxView::resolve_uids(const SequenceSet& numbers) const {
  if (version_->count() == 0) return {};
  return version_->existing(numbers.resolve(version_->last_uid().value()));
}

ViewReport MailboxView::apply(MailboxVersionPtr newest, ExpungeRule rule, Uid recent_from, const OwnStore* own,
                              const UidSet* flags_of) {
  ViewReport report;
  VersionDiff difference;
  if (newest != version_) difference = storage::diff(*version_, *newest);
  const std::size_t recent_before = static_cast<std::size_t>(recent_.size());

  report_flags(difference.changed, *newest, own, report);
  if (flags_of != nullptr) withhold_flags(*flags_of, report);
  withheld_ = withheld_.subtract(report.changed).subtract(difference.expunged);
  if (rule == ExpungeRule::held) {
    ghosts_ = difference.expunged;
    newest = with_ghosts(newest, *version_, ghosts_);
  } else {
    report.expunged = numbers_of(difference.expunged);
    report.expunged_uids = difference.expunged;
    recent_ = recent_.subtract(difference.expunged);
    ghosts_ = UidSet();
  }
  report.new_keywords = newest->facts().keywords.size() > version_->facts().keywords.size();
  recent_.add_all(from_uid(difference.added, recent_from));
  if (!difference.added.empty()) report.exists = newest->count();
  if (recent_.size() != recent_before) report.recent = static_cast<std::uint32_t>(recent_.size());
  report.added = std::move(difference.added);
  version_ = std::move(newest);
  if (ghosts_.empty() && withheld_.empty()) settled_ = version_->facts().highest_modseq;
  return report;
}

// The UIDs whose flags the client must be told: what others changed, and what its own STORE asks for.
void MailboxView::report_flags(const UidSet& changed, const MailboxVersion& newest, const OwnStore* own,
                               ViewReport& report) const {
  if (own == nullptr) {
    report.changed = changed;
    return;
  }
  if (own->answer == OwnStore::Answer::told) {
    report.changed = changed.union_with(newest.existing(own->uids)).union_with(newest.existing(own->refused));
    return;
  }
  // Silent: the client computes the flags itself. Where another session meddled the outcome differs, and
  // must be told (RFC 9051 §6.4.6).
  newest.for_each_in(changed, [&](SeqNum, const MessageState& now) {
    const std::optional<MessageState> before = version_->find(now.uid);
    const bool expected = own->uids.contains(now.uid) && before &&
                          postkeep::apply(version_->flags_of(*before), own->change, own->flags) == newest.flags_of(now);
    const bool silent = expected || seeded(Fault::silent_hides_others);
    (silent ? report.silent : report.changed).add(now.uid);
  });
  report.changed.add_all(newest.existing(own->refused));
  if (own->conditional) report.silent = newest.existing(own->uids).subtract(report.changed);
}

void MailboxView::withhold_flags(const UidSet& told, ViewReport& report) {
  withheld_.add_all(report.changed.subtract(told));
  report.changed = report.changed.intersect(told);
}

std::vector<ViewReport::SeqRange> MailboxView::numbers_of(const UidSet& uids) const {
  std::vector<ViewReport::SeqRange> numbers;
  version_->for_each_in(uids, [&](SeqNum seq, const MessageState&) {
    if (!numbers.empty() && numbers.back().last + 1 == seq.value()) {
      numbers.back().last = seq.value();
    } else {
      numbers.push_back({seq.value(), seq.value()});
    }
  });
  return numbers;
}

}  // namespace postkeep::imap
