// See command_table.h: the tables.
#include "server/pop3/command_table.h"

#include "protocol/pop3/command.h"
#include "server/pop3/commands/handlers.h"
#include "server/runtime/login.h"

namespace postkeep::pop3 {

namespace {

// An answer that is known at once.
Answer answer_error(Error error) { co_return tl::unexpected<Error>(std::move(error)); }

// Not coroutines: what was parsed lives in the handler's frame alone.
template <auto Parse, auto Run>
Answer parse_and_run(Context& context, std::string_view arguments) {
  auto parsed = Parse(arguments);
  if (!parsed) return answer_error(std::move(parsed).error());
  return Run(context, std::move(parsed).value());
}

template <auto Run>
Answer run_plain(Context& context, std::string_view arguments) {
  if (Outcome nothing = parse_nothing(arguments); !nothing) return answer_error(std::move(nothing).error());
  return Run(context);
}

constexpr States any_state = State::authorization | State::transaction;
constexpr States before_login = State::authorization;
constexpr States in_maildrop = State::transaction;
constexpr Pipelining in_turn = Pipelining::in_turn;
constexpr Pipelining barrier = Pipelining::barrier;

// clang-format off
const CommandRow command_rows[] = {
  // name, where it is defined, states, parser and handler, pipelining, capability
  {"CAPA", "RFC 2449 §5", any_state,    run_plain<run_capa>,                     in_turn, ""},
  {"QUIT", "RFC 1939 §6", any_state,    run_plain<run_quit>,                     in_turn, ""},
  {"STLS", "RFC 2595 §4", before_login, run_plain<run_stls>,                     barrier, "STLS"},
  {"UTF8", "RFC 6856 §2.1", before_login, run_plain<run_utf8>,                   in_turn, "UTF8"},
  {"LANG", "RFC 6856 §3", any_state,    parse_and_run<parse_lang, run_lang>,     in_turn, "LANG"},
  {"USER", "RFC 1939 §7", before_login, parse_and_run<parse_user, run_user>,     in_turn, "USER"},
  {"PASS", "RFC 1939 §7", before_login, parse_and_run<parse_pass, run_pass>,     in_turn, "USER"},
  {"APOP", "RFC 1939 §7", before_login, parse_and_run<parse_apop, run_apop>,     in_turn, ""},
  {"AUTH", "RFC 5034 §4", before_login, parse_and_run<parse_auth, run_auth>,     in_turn, "SASL"},
  {"STAT", "RFC 1939 §5", in_maildrop,  run_plain<run_stat>,                     in_turn, ""},
  {"LIST", "RFC 1939 §5", in_maildrop,  parse_and_run<parse_list, run_list>,     in_turn, ""},
  {"UIDL", "RFC 1939 §7", in_maildrop,  parse_and_run<parse_list, run_uidl>,     in_turn, "UIDL"},
  {"RETR", "RFC 1939 §5", in_maildrop,  parse_and_run<parse_message, run_retr>,  in_turn, ""},
  {"TOP",  "RFC 1939 §7", in_maildrop,  parse_and_run<parse_top, run_top>,       in_turn, "TOP"},
  {"DELE", "RFC 1939 §5", in_maildrop,  parse_and_run<parse_message, run_dele>,  in_turn, ""},
  {"RSET", "RFC 1939 §5", in_maildrop,  run_plain<run_rset>,                     in_turn, ""},
  {"NOOP", "RFC 1939 §5", in_maildrop,  run_plain<run_noop>,                     in_turn, ""},
};
// clang-format on

bool takes_passwords(const Context& context) { return server::channel_of(context.host) == auth::Channel::confidential; }

bool has_mechanisms(const Context& context) { return !server::offered_mechanisms(context.host).empty(); }

std::string mechanism_names(const Context& context) {
  std::string names;
  for (const std::string_view name : server::offered_mechanisms(context.host)) {
    if (!names.empty()) names += ' ';
    names += name;
  }
  return names;
}

// Only where it may be given now, unlike the others (RFC 2595 §4).
bool offers_stls(const Context& context) {
  return !context.maildrop && !context.connection.is_tls() && context.services.tls.current() != nullptr;
}

bool delays_logins(const Context& context) { return context.settings().pop3.login_delay.count() > 0; }

std::string login_delay(const Context& context) { return std::to_string(context.settings().pop3.login_delay.count()); }

std::string retention(const Context& context) {
  const std::optional<std::uint64_t>& days = context.settings().pop3.expire_days;
  return days ? std::to_string(*days) : "NEVER";
}

std::string user(const Context&) { return "USER"; }

bool names_itself(const Context& context) {
  const NameProgram when = context.settings().pop3.implementation;
  return when == NameProgram::always || (when == NameProgram::after_login && context.maildrop);
}

std::string implementation(const Context&) { return "Postkeep"; }

// clang-format off
const CapabilityRow capability_rows[] = {
  // tag, where it is defined, offered when, parameters
  {"TOP",            "RFC 2449 §6.1", nullptr,         nullptr},
  {"USER",           "RFC 2449 §6.2", takes_passwords, nullptr},
  {"SASL",           "RFC 5034 §3",   has_mechanisms,  mechanism_names},
  {"RESP-CODES",     "RFC 2449 §6.4", nullptr,         nullptr},
  {"AUTH-RESP-CODE", "RFC 3206 §6",   nullptr,         nullptr},
  {"PIPELINING",     "RFC 2449 §6.6", nullptr,         nullptr},
  {"UIDL",           "RFC 2449 §6.8", nullptr,         nullptr},
  {"EXPIRE",         "RFC 2449 §6.7", nullptr,         retention},
  {"LOGIN-DELAY",    "RFC 2449 §6.5", delays_logins,   login_delay},
  {"UTF8",           "RFC 6856 §2",   nullptr,         user},
  {"LANG",           "RFC 6856 §3",   nullptr,         nullptr},
  {"STLS",           "RFC 2595 §4",   offers_stls,     nullptr},
  {"IMPLEMENTATION", "RFC 2449 §6.9", names_itself,    implementation},
};
// clang-format on

}  // namespace

std::span<const CommandRow> commands() { return command_rows; }
std::span<const CapabilityRow> capabilities() { return capability_rows; }

const CommandRow* find_command(std::string_view name) {
  for (const CommandRow& row : command_rows) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::vector<std::string> capability_list(const Context& context) {
  std::vector<std::string> list;
  for (const CapabilityRow& row : capability_rows) {
    if (row.offered != nullptr && !row.offered(context)) continue;
    std::string line(row.tag);
    if (row.parameters != nullptr) line += ' ' + row.parameters(context);
    list.push_back(std::move(line));
  }
  return list;
}

}  // namespace postkeep::pop3
