// The handlers of POP3's commands, one for each row of command_table.cpp; and what is shared between them.
#pragma once

#include "protocol/pop3/command.h"
#include "server/pop3/context.h"

namespace postkeep::pop3 {

// any_state.cpp
Answer run_capa(Context& context);
Answer run_quit(Context& context);
Answer run_stls(Context& context);
Answer run_utf8(Context& context);
Answer run_lang(Context& context, LangArgs arguments);
// After the reply to STLS: hands over to TLS and starts anew.
server::Awaitable<void> switch_to_tls(Context& context);

// login.cpp
Answer run_user(Context& context, UserArgs arguments);
Answer run_pass(Context& context, PassArgs arguments);
Answer run_apop(Context& context, ApopArgs arguments);
Answer run_auth(Context& context, AuthArgs arguments);

// listing.cpp
Answer run_stat(Context& context);
Answer run_list(Context& context, ListArgs arguments);
Answer run_uidl(Context& context, ListArgs arguments);
Answer run_dele(Context& context, MessageArgs arguments);
Answer run_rset(Context& context);
Answer run_noop(Context& context);

// retrieve.cpp
Answer run_retr(Context& context, MessageArgs arguments);
Answer run_top(Context& context, TopArgs arguments);

}  // namespace postkeep::pop3
