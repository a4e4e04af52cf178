// See extensions.h: the tables.
#include "server/imap/extensions.h"

#include <string>
#include <utility>

#include "protocol/base/seeded_fault.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/condstore.h"
#include "server/imap/run_command.h"
#include "server/runtime/login.h"

namespace postkeep::imap {

namespace {

constexpr States any_state = State::not_authenticated | State::authenticated | State::selected;
constexpr States logged_in = State::authenticated | State::selected;
constexpr States not_logged_in = State::not_authenticated;
constexpr States in_mailbox = State::selected;

constexpr UidForm plain = UidForm::no;
constexpr UidForm uid = UidForm::yes;
constexpr ExpungeRule allowed = ExpungeRule::allowed;
constexpr ExpungeRule held = ExpungeRule::held;
constexpr Pipelining in_turn = Pipelining::in_turn;
constexpr Pipelining barrier = Pipelining::barrier;

// clang-format off
const CommandRow command_rows[] = {
  // name, form, where it is defined, states, parser and handler, EXPUNGE, pipelining, capability
  {"CAPABILITY",   plain, "RFC 9051 §6.1.1",  any_state,     run_plain<run_capability>,                            allowed, in_turn, ""},
  {"NOOP",         plain, "RFC 9051 §6.1.2",  any_state,     run_plain<run_noop>,                                  allowed, in_turn, ""},
  {"LOGOUT",       plain, "RFC 9051 §6.1.3",  any_state,     run_plain<run_logout>,                                allowed, in_turn, ""},
  {"ID",           plain, "RFC 2971 §3.1",    any_state,     parse_and_run<parse_id, run_id>,                      allowed, in_turn, "ID"},
  {"STARTTLS",     plain, "RFC 9051 §6.2.1",  not_logged_in, run_plain<run_starttls>,                              allowed, barrier, "STARTTLS"},
  {"AUTHENTICATE", plain, "RFC 9051 §6.2.2",  not_logged_in, parse_and_run<parse_authenticate, run_authenticate>,  allowed, in_turn, ""},
  {"LOGIN",        plain, "RFC 9051 §6.2.3",  not_logged_in, parse_and_run<parse_login, run_login>,                allowed, in_turn, ""},
  {"COMPRESS",     plain, "RFC 4978 §3",      logged_in,     parse_and_run<parse_compress, run_compress>,          allowed, barrier, "COMPRESS=DEFLATE"},
  {"UNAUTHENTICATE", plain, "RFC 8437 §3",    logged_in,     run_plain<run_unauthenticate>,                        allowed, in_turn, "UNAUTHENTICATE"},
  {"ENABLE",       plain, "RFC 9051 §6.3.1",  logged_in,     parse_and_run<parse_enable, run_enable>,              allowed, in_turn, "ENABLE"},
  {"SELECT",       plain, "RFC 9051 §6.3.2",  logged_in,     parse_and_run<parse_select, run_select>,              allowed, in_turn, ""},
  {"EXAMINE",      plain, "RFC 9051 §6.3.3",  logged_in,     parse_and_run<parse_select, run_examine>,             allowed, in_turn, ""},
  {"CREATE",       plain, "RFC 9051 §6.3.4",  logged_in,     parse_and_run<parse_create, run_create>,              allowed, in_turn, ""},
  {"DELETE",       plain, "RFC 9051 §6.3.5",  logged_in,     parse_and_run<parse_mailbox_only, run_delete>,        allowed, in_turn, ""},
  {"RENAME",       plain, "RFC 9051 §6.3.6",  logged_in,     parse_and_run<parse_rename, run_rename>,              allowed, in_turn, ""},
  {"SUBSCRIBE",    plain, "RFC 9051 §6.3.7",  logged_in,     parse_and_run<parse_mailbox_only, run_subscribe>,     allowed, in_turn, ""},
  {"UNSUBSCRIBE",  plain, "RFC 9051 §6.3.8",  logged_in,     parse_and_run<parse_mailbox_only, run_unsubscribe>,   allowed, in_turn, ""},
  {"LIST",         plain, "RFC 9051 §6.3.9",  logged_in,     parse_and_run<parse_list, run_list>,                  allowed, in_turn, ""},
  {"LSUB",         plain, "RFC 3501 §6.3.9",  logged_in,     parse_and_run<parse_lsub, run_lsub>,                  allowed, in_turn, ""},
  {"NAMESPACE",    plain, "RFC 9051 §6.3.10", logged_in,     run_plain<run_namespace>,                             allowed, in_turn, "NAMESPACE"},
  {"STATUS",       plain, "RFC 9051 §6.3.11", logged_in,     parse_and_run<parse_status, run_status>,              allowed, in_turn, ""},
  {"GETQUOTA",     plain, "RFC 9208 §4.1.1",  logged_in,     parse_and_run<parse_get_quota, run_get_quota>,        allowed, in_turn, "QUOTA"},
  {"GETQUOTAROOT", plain, "RFC 9208 §4.1.2",  logged_in,     parse_and_run<parse_mailbox_only, run_get_quota_root>, allowed, in_turn, "QUOTA"},
  {"SETQUOTA",     plain, "RFC 9208 §4.1.3",  logged_in,     parse_and_run<parse_set_quota, run_set_quota>,        allowed, in_turn, "QUOTASET"},
  {"APPEND",       plain, "RFC 9051 §6.3.12", logged_in,     run_append_without_literal,                           allowed, in_turn, ""},
  {"REPLACE",      plain, "RFC 8508 §3.2",    in_mailbox,    run_append_without_literal,                           allowed, in_turn, "REPLACE"},
  {"REPLACE",      uid,   "RFC 8508 §3.3",    in_mailbox,    run_append_without_literal,                           allowed, in_turn, "REPLACE"},
  {"IDLE",         plain, "RFC 9051 §6.3.13", logged_in,     run_plain<run_idle>,                                  allowed, in_turn, "IDLE"},
  {"NOTIFY",       plain, "RFC 5465 §3.1",    logged_in,     parse_and_run<parse_notify, run_notify>,              allowed, in_turn, "NOTIFY"},
  {"CHECK",        plain, "RFC 3501 §6.4.1",  in_mailbox,    run_plain<run_noop>,                                  allowed, in_turn, ""},
  {"CLOSE",        plain, "RFC 9051 §6.4.1",  in_mailbox,    run_plain<run_close>,                                 allowed, in_turn, ""},
  {"UNSELECT",     plain, "RFC 9051 §6.4.2",  in_mailbox,    run_plain<run_unselect>,                              allowed, in_turn, "UNSELECT"},
  {"EXPUNGE",      plain, "RFC 9051 §6.4.3",  in_mailbox,    run_plain<run_expunge>,                               allowed, in_turn, ""},
  {"EXPUNGE",      uid,   "RFC 9051 §6.4.9",  in_mailbox,    parse_and_run<parse_uid_expunge, run_uid_expunge>,    allowed, in_turn, "UIDPLUS"},
  {"SEARCH",       plain, "RFC 9051 §6.4.4",  in_mailbox,    parse_and_run<parse_search, run_search>,              held,    in_turn, ""},
  {"SEARCH",       uid,   "RFC 9051 §6.4.9",  in_mailbox,    parse_and_run<parse_search, run_search>,              allowed, in_turn, ""},
  {"SORT",         plain, "RFC 5256 §3",      in_mailbox,    parse_and_run<parse_sort, run_sort>,                  held,    in_turn, "SORT"},
  {"SORT",         uid,   "RFC 5256 §3",      in_mailbox,    parse_and_run<parse_sort, run_sort>,                  allowed, in_turn, "SORT"},
  {"THREAD",       plain, "RFC 5256 §3",      in_mailbox,    parse_and_run<parse_thread, run_thread>,              held,    in_turn, "THREAD=REFERENCES"},
  {"THREAD",       uid,   "RFC 5256 §3",      in_mailbox,    parse_and_run<parse_thread, run_thread>,              allowed, in_turn, "THREAD=REFERENCES"},
  {"FETCH",        plain, "RFC 9051 §6.4.5",  in_mailbox,    parse_and_run<parse_fetch, run_fetch>,                held,    in_turn, ""},
  {"FETCH",        uid,   "RFC 9051 §6.4.9",  in_mailbox,    parse_and_run<parse_fetch, run_fetch>,                allowed, in_turn, ""},
  {"STORE",        plain, "RFC 9051 §6.4.6",  in_mailbox,    parse_and_run<parse_store, run_store>,                held,    in_turn, ""},
  {"STORE",        uid,   "RFC 9051 §6.4.9",  in_mailbox,    parse_and_run<parse_store, run_store>,                allowed, in_turn, ""},
  {"COPY",         plain, "RFC 9051 §6.4.7",  in_mailbox,    parse_and_run<parse_copy, run_copy>,                  allowed, in_turn, ""},
  {"COPY",         uid,   "RFC 9051 §6.4.9",  in_mailbox,    parse_and_run<parse_copy, run_copy>,                  allowed, in_turn, ""},
  {"MOVE",         plain, "RFC 9051 §6.4.8",  in_mailbox,    parse_and_run<parse_copy, run_move>,                  allowed, in_turn, "MOVE"},
  {"MOVE",         uid,   "RFC 9051 §6.4.9",  in_mailbox,    parse_and_run<parse_copy, run_move>,                  allowed, in_turn, "MOVE"},
};
// clang-format on

bool offers_starttls(const Context& context) {
  return !context.account && !context.connection.is_tls() && context.services.tls.current() != nullptr;
}

bool refuses_login(const Context& context) { return !context.account && context.channel() == auth::Channel::exposed; }

bool offers_compression(const Context& context) {
  return context.account && context.settings().imap.compression != 0 && !context.connection.is_compressed();
}

bool before_login(const Context& context) { return !context.account; }
bool after_login(const Context& context) { return !before_login(context); }

std::string append_limit(const Context& context) { return std::to_string(context.settings().limits.message_size); }

bool enable_utf8(Context& context) { return !std::exchange(context.enabled.utf8, true); }
bool enable_rev2(Context& context) { return !std::exchange(context.enabled.rev2, true); }

// clang-format off
const CapabilityRow capability_rows[] = {
  // token, where it is defined, offered when, value, ENABLE
  {"IMAP4rev1",          "RFC 3501",          nullptr,         nullptr,      nullptr},
  {"IMAP4rev2",          "RFC 9051",          nullptr,         nullptr,      enable_rev2},
  {"STARTTLS",           "RFC 9051 §6.2.1",   offers_starttls, nullptr,      nullptr},
  {"LOGINDISABLED",      "RFC 9051 §6.2.3",   refuses_login,   nullptr,      nullptr},
  {"SASL-IR",            "RFC 4959",          before_login,    nullptr,      nullptr},
  {"LITERAL+",           "RFC 7888",          nullptr,         nullptr,      nullptr},
  {"ID",                 "RFC 2971",          nullptr,         nullptr,      nullptr},
  {"ENABLE",             "RFC 5161",          nullptr,         nullptr,      nullptr},
  {"CONDSTORE",          "RFC 7162 §3.1",     nullptr,         nullptr,      enable_condstore},
  {"QRESYNC",            "RFC 7162 §3.2",     nullptr,         nullptr,      enable_qresync},
  {"UTF8=ACCEPT",        "RFC 9755",          nullptr,         nullptr,      enable_utf8},
  {"IDLE",               "RFC 2177",          nullptr,         nullptr,      nullptr},
  {"NOTIFY",             "RFC 5465",          nullptr,         nullptr,      nullptr},
  {"NAMESPACE",          "RFC 2342",          nullptr,         nullptr,      nullptr},
  {"UIDPLUS",            "RFC 4315",          nullptr,         nullptr,      nullptr},
  {"UNSELECT",           "RFC 3691",          nullptr,         nullptr,      nullptr},
  {"MOVE",               "RFC 6851",          nullptr,         nullptr,      nullptr},
  {"REPLACE",            "RFC 8508",          nullptr,         nullptr,      nullptr},
  {"CHILDREN",           "RFC 3348",          nullptr,         nullptr,      nullptr},
  {"LIST-EXTENDED",      "RFC 5258",          nullptr,         nullptr,      nullptr},
  {"LIST-STATUS",        "RFC 5819",          nullptr,         nullptr,      nullptr},
  {"SPECIAL-USE",        "RFC 6154",          nullptr,         nullptr,      nullptr},
  {"CREATE-SPECIAL-USE", "RFC 6154 §3",       nullptr,         nullptr,      nullptr},
  {"STATUS=SIZE",        "RFC 8438",          nullptr,         nullptr,      nullptr},
  {"ESEARCH",            "RFC 4731",          nullptr,         nullptr,      nullptr},
  {"SEARCHRES",          "RFC 5182",          nullptr,         nullptr,      nullptr},
  {"WITHIN",             "RFC 5032",          nullptr,         nullptr,      nullptr},
  {"COMPRESS=DEFLATE",   "RFC 4978",          offers_compression, nullptr,   nullptr},
  {"UNAUTHENTICATE",     "RFC 8437",          after_login,     nullptr,      nullptr},
  {"SORT",               "RFC 5256",          nullptr,         nullptr,      nullptr},
  {"SORT=DISPLAY",       "RFC 5957",          nullptr,         nullptr,      nullptr},
  {"ESORT",              "RFC 5267 §3",       nullptr,         nullptr,      nullptr},
  {"THREAD=ORDEREDSUBJECT", "RFC 5256",       nullptr,         nullptr,      nullptr},
  {"THREAD=REFERENCES",  "RFC 5256",          nullptr,         nullptr,      nullptr},
  {"THREAD=REFS",        "draft-ietf-morg-inthread", nullptr,  nullptr,      nullptr},
  {"I18NLEVEL=1",        "RFC 5255 §4",       nullptr,         nullptr,      nullptr},
  {"MULTIAPPEND",        "RFC 3502",          nullptr,         nullptr,      nullptr},
  {"BINARY",             "RFC 3516",          nullptr,         nullptr,      nullptr},
  {"QUOTA",              "RFC 9208",          nullptr,         nullptr,      nullptr},
  {"QUOTASET",           "RFC 9208 §4.1.3",   is_quota_admin,  nullptr,      nullptr},
  {"QUOTA=RES-STORAGE",  "RFC 9208 §5.1",     nullptr,         nullptr,      nullptr},
  {"QUOTA=RES-MESSAGE",  "RFC 9208 §5.2",     nullptr,         nullptr,      nullptr},
  {"QUOTA=RES-MAILBOX",  "RFC 9208 §5.3",     nullptr,         nullptr,      nullptr},
  {"PARTIAL",            "RFC 9394",          nullptr,         nullptr,      nullptr},
  {"PREVIEW",            "RFC 8970",          nullptr,         nullptr,      nullptr},
  {"SAVEDATE",           "RFC 8514",          nullptr,         nullptr,      nullptr},
  {"OBJECTID",           "RFC 8474",          nullptr,         nullptr,      nullptr},
  {"APPENDLIMIT",        "RFC 7889",          nullptr,         append_limit, nullptr},
};
// clang-format on

bool same_letters(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
    if (upper(a[i]) != upper(b[i])) return false;
  }
  return true;
}

}  // namespace

std::span<const CommandRow> commands() { return command_rows; }
std::span<const CapabilityRow> capabilities() { return capability_rows; }

const CommandRow* find_command(std::string_view name, UidForm form) {
  for (const CommandRow& row : command_rows) {
    if (row.name == name && row.uid == form) return &row;
  }
  return nullptr;
}

bool is_token(const CapabilityRow& row, std::string_view word) { return same_letters(row.token, word); }

bool is_hidden(const Context& context, std::string_view token) {
  for (const HiddenCapability& hidden : context.settings().imap.hidden_capabilities) {
    if (hidden.token != token) continue;
    if (!hidden.user.empty() && (!context.account || context.account->user() != hidden.user)) continue;
    if (!hidden.client.empty() && !same_letters(context.client_name, hidden.client)) continue;
    return true;
  }
  return false;
}

std::vector<std::string> capability_list(const Context& context) {
  std::vector<std::string> list;
  for (const CapabilityRow& row : capability_rows) {
    if (row.offered != nullptr && !row.offered(context)) continue;
    if (is_hidden(context, row.token)) continue;
    if (seeded(Fault::enable_hides_rev1) && context.enabled.rev2 && row.token == "IMAP4rev1") continue;
    std::string token(row.token);
    if (row.value != nullptr) token += "=" + row.value(context);
    list.push_back(std::move(token));
  }
  if (before_login(context)) {
    for (const std::string_view mechanism : server::offered_mechanisms(context.host)) {
      list.push_back("AUTH=" + std::string(mechanism));
    }
  }
  return list;
}

}  // namespace postkeep::imap
