#include "storage/account/context.h"

#include "storage/index/message_sql.h"
#include "storage/maildir/generation.h"

namespace postkeep::storage {

Outcome note_text(AccountContext& context, std::int64_t mailbox_key, Uid uid) {
  return context.tracks_text ? add_work(*context.index, Work::text, mailbox_key, uid) : Outcome();
}

Result<IndexChange> IndexChange::begin(AccountContext& context, Commit commit) {
  const bool first = context.facts.clean;
  const bool lazy = commit == Commit::lazy;
  if (first) TRY(context.store.in_use.enter(context.directory()));
  if (lazy != context.commits_are_lazy) {
    TRY(context.index->execute(lazy ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL"));
    context.commits_are_lazy = lazy;
  }
  Transaction transaction = TRY(Transaction::begin(*context.index));
  if (first) {
    IndexFacts used = context.facts;
    used.clean = false;
    ++used.generation;
    TRY(save_index_facts(*context.index, used));
  }
  return IndexChange(context, std::move(transaction), first);
}

Outcome IndexChange::commit() {
  TRY(transaction_.commit());
  if (first_) {
    context_->facts.clean = false;
    ++context_->facts.generation;
  }
  return {};
}

Outcome save_generation(AccountContext& context) {
  if (context.file_in_doubt) TRY(save_account_file(context));
  const auto generation = static_cast<std::uint64_t>(context.facts.generation);
  TRY(maildir::raise_generation(context.files(), context.path, context.told_generation, generation));
  context.told_generation = generation;
  return {};
}

Outcome save_account_file(AccountContext& context) {
  context.file_in_doubt = true;
  TRY(maildir::write_account_file(context.files(), context.path, context.file));
  context.file_in_doubt = false;
  return {};
}

Result<OpenIntent> OpenIntent::write(AccountContext& context, const maildir::Intent& intent) {
  // Recovery looks for intents after an unclean stop only: the index must say that the account is in use first.
  if (context.facts.clean) {
    IndexChange change = TRY(IndexChange::begin(context, Commit::durable));
    TRY(change.commit());
  }
  const std::uint64_t number = context.next_intent++;
  TRY(maildir::write_intent(context.files(), context.path, number, intent));
  return OpenIntent(context, number);
}

Outcome OpenIntent::remove(maildir::Durable durable) {
  return maildir::remove_intent(context_->files(), context_->path, number_, durable);
}

void OpenIntent::finish(maildir::Durable durable) {
  if (!remove(durable)) context_->spent_intents.insert(number_);
}

Outcome settle_intents(AccountContext& context) {
  while (!context.spent_intents.empty()) {
    const auto first = context.spent_intents.begin();
    // It may be gone from the directory but not from the disk.
    Outcome removed = maildir::remove_intent(context.files(), context.path, *first, maildir::Durable::now);
    if (!removed && removed.error().kind == ErrorKind::not_found)
      removed = context.files().sync_directory(context.path);
    TRY(std::move(removed));
    context.spent_intents.erase(first);
  }
  return {};
}

}  // namespace postkeep::storage
