// COPY and MOVE between two mailboxes of one account (or within one). Called by MaildirAccount, and by recovery for
// the single files. Both mailboxes are loaded, the source's version too.
#pragma once

#include <string>

#include "protocol/base/result.h"
#include "storage/account/context.h"
#include "storage/account/mailbox_state.h"
#include "storage/index/message_sql.h"
#include "storage/types.h"

namespace postkeep::storage {

enum class TransferKind { copy, move };

// All or nothing, durable when it returns; see storage/account_store.h. Errors: not_found means that a file of the
// source is not under its name any more: the caller reconciles the source and tries again.
Result<CopyResult> transfer_messages(AccountContext& context, TransferKind kind, MailboxState& from, const UidSet& uids,
                                     MailboxState& to);

// Gives the message in `source` the name <to>/cur/<name>: a file of ours by link or rename; one of another program
// converted to what it was served as. What a converted file was moved from is still there: the caller unlinks it when
// <to>/cur is synced, since a power cut may keep the unlinking alone.
enum class SourceIs { gone, there };
Result<SourceIs> transfer_file(AccountContext& context, TransferKind kind, const std::string& source, Origin origin,
                               maildir::MessageFolder& to, const std::string& name);

}  // namespace postkeep::storage
