// The handlers of all commands, one file per verb beside this one, named as in protocol/imap/commands. Called through
// the rows of server/imap/extensions.cpp. A handler answers with a Completion or an Error, writes its untagged data,
// and never writes a tagged reply.
#pragma once

#include "protocol/imap/commands/authenticate.h"
#include "protocol/imap/commands/compress.h"
#include "protocol/imap/commands/copy.h"
#include "protocol/imap/commands/enable.h"
#include "protocol/imap/commands/expunge.h"
#include "protocol/imap/commands/fetch.h"
#include "protocol/imap/commands/id.h"
#include "protocol/imap/commands/list.h"
#include "protocol/imap/commands/login.h"
#include "protocol/imap/commands/mailbox.h"
#include "protocol/imap/commands/notify.h"
#include "protocol/imap/commands/quota.h"
#include "protocol/imap/commands/search.h"
#include "protocol/imap/commands/select.h"
#include "protocol/imap/commands/sort.h"
#include "protocol/imap/commands/status.h"
#include "protocol/imap/commands/store.h"
#include "protocol/imap/commands/thread.h"
#include "server/imap/context.h"

namespace postkeep::imap {

// any_state.cpp
Answer run_capability(Context& context);
Answer run_noop(Context& context);  // and CHECK
Answer run_logout(Context& context);
// id.cpp
Answer run_id(Context& context, IdArgs arguments);

// starttls.cpp. The handler answers; switch_to_tls() is what follows its reply.
Answer run_starttls(Context& context);
server::Awaitable<void> switch_to_tls(Context& context);
// compress.cpp. Likewise; start_compression() is what follows its reply.
Answer run_compress(Context& context, CompressArgs arguments);
server::Awaitable<void> start_compression(Context& context);
// unauthenticate.cpp. Likewise; leave_user() is what follows its reply.
Answer run_unauthenticate(Context& context);
server::Awaitable<void> leave_user(Context& context);
// login.cpp, authenticate.cpp
Answer run_login(Context& context, LoginArgs arguments);
Answer run_authenticate(Context& context, AuthenticateArgs arguments);

// enable.cpp
Answer run_enable(Context& context, EnableArgs arguments);
// select.cpp
Answer run_select(Context& context, SelectArgs arguments);
Answer run_examine(Context& context, SelectArgs arguments);
Answer run_close(Context& context);
Answer run_unselect(Context& context);
// mailbox.cpp
Answer run_create(Context& context, CreateArgs arguments);
Answer run_delete(Context& context, MailboxArgs arguments);
Answer run_rename(Context& context, RenameArgs arguments);
Answer run_subscribe(Context& context, MailboxArgs arguments);
Answer run_unsubscribe(Context& context, MailboxArgs arguments);
// list.cpp
Answer run_list(Context& context, ListArgs arguments);
Answer run_lsub(Context& context, ListArgs arguments);
// namespace.cpp, status.cpp
Answer run_namespace(Context& context);
Answer run_status(Context& context, StatusArgs arguments);
// quota.cpp
Answer run_get_quota(Context& context, GetQuotaArgs arguments);
Answer run_get_quota_root(Context& context, MailboxArgs arguments);
Answer run_set_quota(Context& context, SetQuotaArgs arguments);
// May the session's user see and set everybody's quota (imap.quota_admins)?
bool is_quota_admin(const Context& context);
// append.cpp. An APPEND whose message is a literal never becomes a whole command: the framer stands before the
// literal and stream_append() takes it from there, to the end of the command. It may go on to commands behind it that
// have arrived: then `tag` is in the end that of the last one, and the others have been answered.
Answer stream_append(Context& context, std::string& tag);
Answer run_append_without_literal(Context& context, Cursor& cursor);
// notify.cpp
Answer run_notify(Context& context, NotifyArgs arguments);
// idle.cpp
Answer run_idle(Context& context);

// expunge.cpp, search.cpp, sort.cpp, thread.cpp, fetch.cpp, store.cpp, copy.cpp
Answer run_expunge(Context& context);
Answer run_uid_expunge(Context& context, UidExpungeArgs arguments);
Answer run_search(Context& context, SearchArgs arguments);
Answer run_sort(Context& context, SortArgs arguments);
Answer run_thread(Context& context, ThreadArgs arguments);
Answer run_fetch(Context& context, FetchArgs arguments);
Answer run_store(Context& context, StoreArgs arguments);
Answer run_copy(Context& context, CopyArgs arguments);
Answer run_move(Context& context, CopyArgs arguments);

// "+ OK", if a synchronising literal was accepted.
void send_continuation(Context& context);

}  // namespace postkeep::imap
