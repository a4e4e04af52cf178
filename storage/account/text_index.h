// TextIndex: when search.sqlite of an open account is made, what goes into it, and what of it a search may believe.
// Held by MaildirAccount. One thread at a time. It never makes a search fail or its answer another one: whatever goes
// wrong with search.sqlite, messages are read from their files instead.
//
// An account has one from the first SEARCH BODY or TEXT on: most never see one, and pay nothing. From then on
// index.sqlite lists what search.sqlite may have wrongly or not at all (the table `unindexed`): whatever came or went,
// in the transaction that took it in or out. Background slices work the list off, the newest first: search.sqlite is
// committed before the list. A message is believed to be indexed if search.sqlite has it and the list has not. The two
// belong together by a number that both carry; with any other, or without its fellow, search.sqlite is thrown away. An
// index.sqlite that is made anew has none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "protocol/mail/uid_set.h"
#include "storage/account/background.h"
#include "storage/account/context.h"
#include "storage/account/mailbox_list.h"
#include "storage/search_eval.h"
#include "storage/search_index/search_index.h"

namespace postkeep::storage {

class TextIndex {
 public:
  TextIndex(AccountContext& context, MailboxList& mailboxes) : context_(context), mailboxes_(mailboxes) {}
  // After index.sqlite was opened, also anew.
  void reset();
  // Where index.sqlite is a fresh one, which knows of no search.sqlite.
  Outcome remove_file() { return SearchIndex::remove_file(context_.files(), path()); }
  void close() { index_.reset(); }

  struct Narrowed {
    UidSet candidates;  // the part of them that may match
    UidSet stored;      // of which text() may be asked
  };
  // For a batch of candidates that are there.
  Narrowed narrow(const MailboxState& box, UidSet candidates, const SearchEvaluator& evaluator);
  // None: it is not kept, or cannot be read.
  std::optional<StoredText> text(const MailboxState& box, Uid uid);

  // A slice of the work. `more`: there is some left.
  Result<Slice> slice();
  // Is there something for slice() to do? Costs a look at index.sqlite at most.
  Result<bool> has_work();
  // A search wants an index, and slice() was not called since.
  bool is_newly_wanted() const { return wanted_ && !filling_; }

 private:
  std::string path() const;
  bool is_on() const { return context_.store.options.search_index && !failed_; }
  Result<SearchIndex*> opened();
  // After an error of search.sqlite: without it from now on; a damaged one is thrown away.
  void give_up(const Error& error);
  Outcome forget();
  Outcome begin_filling();
  Result<Slice> fill();
  Result<Slice> index_some();
  Outcome take(SearchIndex& index, const MessageKey& message);

  AccountContext& context_;
  MailboxList& mailboxes_;
  std::unique_ptr<SearchIndex> index_;
  bool failed_ = false;  // not tried again while the account is open
  bool made_anew_ = false;
  bool wanted_ = false;                  // by a search, and there is none
  std::optional<MessageKey> filling_;    // the list gets all messages below this one
  std::optional<std::int64_t> to_pack_;  // a mailbox that may have messages enough for a block
  std::int64_t identity_ = 0;            // while filling
};

}  // namespace postkeep::storage
