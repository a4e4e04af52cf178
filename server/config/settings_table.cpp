#include "server/config/settings_table.h"

#include <algorithm>
#include <array>
#include <string>

#include "auth/acting.h"
#include "auth/backends.h"
#include "auth/certificate_names.h"
#include "auth/mechanisms.h"
#include "auth/user_name.h"
#include "protocol/base/ascii.h"
#include "protocol/pop3/uidl_format.h"
#include "server/config/values.h"

namespace postkeep::config {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;

// The macros below keep a row to its facts: each makes `set` and `get` of a member, by the kind of its value.
// `member` is how it is reached from a Settings.
#define TEXT(section, key, member, doc)                             \
  Setting {                                                         \
    section, key, ValueType::text,                                  \
        [](Settings& s, const RawValue& v) -> Outcome {             \
          s.member = TRY(read_text(v));                             \
          return {};                                                \
        },                                                          \
        [](const Settings& s) -> RawValue { return s.member; }, doc \
  }
#define COUNT(section, key, member, min, max, doc)                                             \
  Setting {                                                                                    \
    section, key, ValueType::count,                                                            \
        [](Settings& s, const RawValue& v) -> Outcome {                                        \
          s.member = TRY(read_count(v, min, max));                                             \
          return {};                                                                           \
        },                                                                                     \
        [](const Settings& s) -> RawValue { return static_cast<std::int64_t>(s.member); }, doc \
  }
#define SIZE(section, key, member, min, max, doc)                               \
  Setting {                                                                     \
    section, key, ValueType::size,                                              \
        [](Settings& s, const RawValue& v) -> Outcome {                         \
          s.member = TRY(read_size(v, min, max));                               \
          return {};                                                            \
        },                                                                      \
        [](const Settings& s) -> RawValue { return write_size(s.member); }, doc \
  }
#define DURATION(section, key, member, min, max, doc)                               \
  Setting {                                                                         \
    section, key, ValueType::duration,                                              \
        [](Settings& s, const RawValue& v) -> Outcome {                             \
          s.member = TRY(read_duration(v, min, max));                               \
          return {};                                                                \
        },                                                                          \
        [](const Settings& s) -> RawValue { return write_duration(s.member); }, doc \
  }
#define BOOLEAN(section, key, member, doc)                          \
  Setting {                                                         \
    section, key, ValueType::boolean,                               \
        [](Settings& s, const RawValue& v) -> Outcome {             \
          s.member = TRY(read_boolean(v));                          \
          return {};                                                \
        },                                                          \
        [](const Settings& s) -> RawValue { return s.member; }, doc \
  }
#define ADDRESSES(key, member, doc)                                                  \
  Setting {                                                                          \
    "listen", key, ValueType::addresses,                                             \
        [](Settings& s, const RawValue& v) -> Outcome {                              \
          s.member = TRY(read_addresses(v));                                         \
          return {};                                                                 \
        },                                                                           \
        [](const Settings& s) -> RawValue { return write_addresses(s.member); }, doc \
  }
#define NETWORKS(section, key, member, doc)                                         \
  Setting {                                                                         \
    section, key, ValueType::networks,                                              \
        [](Settings& s, const RawValue& v) -> Outcome {                             \
          s.member = TRY(read_networks(v));                                         \
          return {};                                                                \
        },                                                                          \
        [](const Settings& s) -> RawValue { return write_networks(s.member); }, doc \
  }
// A choice among the values of an enum, by their names.
#define CHOICE(section, key, member, choices, doc)                                                    \
  Setting {                                                                                           \
    section, key, ValueType::choice,                                                                  \
        [](Settings& s, const RawValue& v) -> Outcome { return choose(s.member, v, choices); },       \
        [](const Settings& s) -> RawValue { return std::string(postkeep::to_string(s.member)); }, doc \
  }

constexpr std::array plaintext_choices = {AllowPlaintext::never, AllowPlaintext::loopback, AllowPlaintext::always};
constexpr std::array tls_choices = {TlsVersion::tls_1_2, TlsVersion::tls_1_3};
constexpr std::array profile_choices = {TlsProfile::intermediate, TlsProfile::modern};
constexpr std::array level_choices = {LogLevel::error, LogLevel::warn, LogLevel::info, LogLevel::debug,
                                      LogLevel::trace};
constexpr std::array over_quota_choices = {OverQuota::defer, OverQuota::reject};
constexpr std::array bare_lf_choices = {BareLf::repair, BareLf::reject};
constexpr std::array lmtp_auth_choices = {LmtpAuth::off, LmtpAuth::offered, LmtpAuth::required};
constexpr std::array detail_choices = {DetailFolder::off, DetailFolder::existing, DetailFolder::make};
constexpr std::array eight_bit_choices = {EightBitHeaders::accept, EightBitHeaders::refuse};
constexpr std::array name_program_choices = {NameProgram::always, NameProgram::after_login, NameProgram::never};
constexpr std::array utf8_message_choices = {Utf8Messages::send, Utf8Messages::refuse};
constexpr std::array format_choices = {LogFormat::text, LogFormat::json};

template <class Choice, std::size_t n>
Outcome choose(Choice& chosen, const RawValue& value, const std::array<Choice, n>& choices) {
  const auto* text = std::get_if<std::string>(&value);
  std::string names;
  for (const Choice choice : choices) {
    const std::string name(postkeep::to_string(choice));
    if (text != nullptr && *text == name) {
      chosen = choice;
      return {};
    }
    names += (names.empty() ? "\"" : ", \"") + name + "\"";
  }
  return failure(ErrorKind::cannot, "must be one of " + names);
}

Outcome set_data_dir(Settings& settings, const RawValue& value) {
  std::string path = TRY(read_text(value));
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (path.empty()) return failure(ErrorKind::cannot, "must not be empty");
  settings.data_dir = std::move(path);
  return {};
}

Outcome set_hostname(Settings& settings, const RawValue& value) {
  settings.hostname = TRY(read_domain(value));
  return {};
}

Outcome set_domains(Settings& settings, const RawValue& value) {
  std::vector<std::string> domains;
  for (const std::string& domain : TRY(read_text_list(value))) domains.push_back(TRY(read_domain(domain)));
  settings.domains = std::move(domains);
  return {};
}

Outcome set_backends(Settings& settings, const RawValue& value) {
  std::vector<std::string> backends = TRY(read_text_list(value));
  if (backends.empty()) return failure(ErrorKind::cannot, "must name at least one backend");
  for (const std::string& backend : backends) TRY(auth::check_backend(backend));
  settings.auth.backends = std::move(backends);
  return {};
}

Outcome set_certificates(Settings& settings, const RawValue& value) {
  std::vector<std::string> certificates = TRY(read_text_list(value));
  for (const std::string& files : certificates) {
    const bool one_space = files.find(' ') == files.rfind(' ');
    if (files.empty() || files.front() == ' ' || files.back() == ' ' || !one_space) {
      return failure(ErrorKind::cannot,
                     "must be a list of \"certificate.pem key.pem\" or \"both.pem\", not \"" + files + "\"");
    }
  }
  settings.tls.certificates = std::move(certificates);
  return {};
}

Outcome set_separator(Settings& settings, const RawValue& value) {
  const std::string text = TRY(read_text(value));
  if (text != "/" && text != ".") return failure(ErrorKind::cannot, "must be \"/\" or \".\"");
  settings.mailbox.separator = text.front();
  return {};
}

Outcome set_special_use(Settings& settings, const RawValue& value) {
  settings.mailbox.special_use = TRY(read_special_uses(value));
  return {};
}

Outcome set_hidden_capabilities(Settings& settings, const RawValue& value) {
  settings.imap.hidden_capabilities = TRY(read_hidden_capabilities(value));
  return {};
}

// Octets that a name may have and that are no part of an address's grammar.
Outcome set_delimiter(Settings& settings, const RawValue& value) {
  std::string delimiter = TRY(read_text(value));
  if (delimiter.size() > 8 || delimiter.find_first_not_of("!#$&'+-=^_`{|}~.") != std::string::npos) {
    return failure(ErrorKind::cannot, "must be some of ! # $ & ' + - = ^ _ ` { | } ~ . or empty");
  }
  settings.recipients.delimiter = std::move(delimiter);
  return {};
}

Result<std::vector<std::string>> read_user_names(const RawValue& value) {
  std::vector<std::string> names;
  for (const std::string& given : TRY(read_text_list(value))) {
    Result<std::string> name = auth::checked_user_name(given);
    if (!name) return failure(ErrorKind::cannot, "must be a list of names of users: " + name.error().text);
    names.push_back(std::move(*name));
  }
  return names;
}

Outcome set_quota_admins(Settings& settings, const RawValue& value) {
  settings.imap.quota_admins = TRY(read_user_names(value));
  return {};
}

Outcome set_mechanisms(Settings& settings, const RawValue& value) {
  std::vector<std::string> names;
  for (const std::string& given : TRY(read_text_list(value))) {
    const auth::MechanismRow* row = auth::find_mechanism(given);
    if (row == nullptr) return failure(ErrorKind::cannot, "there is no mechanism \"" + given + "\"");
    names.emplace_back(row->name);
  }
  settings.auth.mechanisms = std::move(names);
  return {};
}

Outcome set_masters(Settings& settings, const RawValue& value) {
  settings.auth.masters = TRY(read_user_names(value));
  return {};
}

Outcome set_delegates(Settings& settings, const RawValue& value) {
  std::vector<std::string> rights;
  for (const std::string& given : TRY(read_text_list(value))) {
    rights.push_back(auth::to_text(TRY(auth::acting_right_from_text(given))));
  }
  settings.auth.delegates = std::move(rights);
  return {};
}

// A separator that a name could have would make other users of some names.
Outcome set_master_separator(Settings& settings, const RawValue& value) {
  const std::string text = TRY(read_text(value));
  if (text.size() > 1 || (!text.empty() && std::string_view("*%/:").find(text) == std::string_view::npos)) {
    return failure(ErrorKind::cannot, "must be empty or one of * % / :");
  }
  settings.auth.master_separator = text;
  return {};
}

Outcome set_certificate_users(Settings& settings, const RawValue& value) {
  std::vector<std::string> rules = TRY(read_text_list(value));
  for (const std::string& rule : rules) TRY(auth::certificate_rule_from_text(rule));
  settings.auth.certificate_users = std::move(rules);
  return {};
}

Outcome set_anonymous_user(Settings& settings, const RawValue& value) {
  const std::string name = TRY(read_text(value));
  settings.auth.anonymous_user = name.empty() ? name : TRY(auth::checked_user_name(name));
  return {};
}

Outcome set_uidl_format(Settings& settings, const RawValue& value) {
  std::string text = TRY(read_text(value));
  TRY(pop3::UidlFormat::parse(text));
  settings.pop3.uidl_format = std::move(text);
  return {};
}

constexpr std::string_view never_expires = "never";
constexpr std::uint64_t expire_days_max = 36'500;

// "never", or a number of days with or without quotes.
Outcome set_expire_days(Settings& settings, const RawValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text != nullptr && *text == never_expires) {
    settings.pop3.expire_days.reset();
    return {};
  }
  RawValue number = value;
  if (text != nullptr && !text->empty() && text->size() <= 5 && ascii::all(*text, ascii::is_digit)) {
    number = static_cast<std::int64_t>(std::stol(*text));
  }
  const auto days = read_count(number, 0, expire_days_max);
  if (!days) {
    return failure(ErrorKind::cannot, "must be \"never\" or a number of days up to " + std::to_string(expire_days_max));
  }
  settings.pop3.expire_days = *days;
  return {};
}

RawValue get_expire_days(const Settings& settings) {
  const std::optional<std::uint64_t>& days = settings.pop3.expire_days;
  return days ? std::to_string(*days) : std::string(never_expires);
}

const std::array table = {
    Setting{
        "", "data_dir", ValueType::text, set_data_dir, [](const Settings& s) -> RawValue { return s.data_dir; },
        "The directory of all data: mail, indexes, users, spool, lock and admin socket. One server process owns it. "
        "Made if it is missing."},
    Setting{"", "hostname", ValueType::text, set_hostname, [](const Settings& s) -> RawValue { return s.hostname; },
            "The name by which this server greets and that stands in Received fields and file names; also one of our "
            "domains. Not set: the machine's own name."},
    Setting{"", "domains", ValueType::text_list, set_domains, [](const Settings& s) -> RawValue { return s.domains; },
            "Domains that are ours besides `hostname` and localhost: `name@domain` may mean the user `name`."},

    ADDRESSES("imap", listen.imap,
              "Where to listen for IMAP with STARTTLS, usually port 143. At least one list in this section must have "
              "an address for the server to start."),
    ADDRESSES("imaps", listen.imaps, "Where to listen for IMAP under TLS from the start, usually port 993."),
    ADDRESSES("pop3", listen.pop3, "Where to listen for POP3 with STLS, usually port 110."),
    ADDRESSES("pop3s", listen.pop3s, "Where to listen for POP3 under TLS from the start, usually port 995."),
    ADDRESSES("lmtp", listen.lmtp,
              "Where to take in mail by LMTP. Whoever can connect can deliver: a Unix socket or loopback is meant."),
    ADDRESSES("mta_auth", listen.mta_auth,
              "Where an MTA has its own clients' passwords checked, by the Dovecot authentication protocol (Postfix's "
              "`smtpd_sasl_type = dovecot`, Exim's `dovecot` authenticator). Whoever can connect is believed when it "
              "says whom it asks for: a Unix socket in a folder of the MTA's is meant."),
    ADDRESSES(
        "socketmap", listen.socketmap,
        "Where an MTA looks up recipients (`users`) and full mailboxes (`quota`), by Postfix's socketmap. Whoever "
        "can connect can find out who has mail here: a Unix socket or loopback is meant."),

    NETWORKS("proxy", "trusted", proxy.trusted,
             "Who may connect to listeners whose address has ` proxy` behind it, as in `\"10.0.0.7:993 proxy\"`: load "
             "balancers such as HAProxy, which tell by the PROXY protocol (version 1 or 2) who the client is. All "
             "others are "
             "turned away there. Unix sockets need not be named."),
    DURATION("proxy", "timeout", proxy.timeout, seconds(1), minutes(1),
             "How long such a listener waits for the header."),

    TEXT("tls", "certificate", tls.certificate,
         "PEM file with the certificate and its chain. With `private_key` not set either, a self-signed certificate is "
         "made in `data_dir` at the first start."),
    TEXT("tls", "private_key", tls.private_key, "PEM file with the key of the certificate."),
    Setting{
        "tls", "certificates", ValueType::text_list, set_certificates,
        [](const Settings& s) -> RawValue { return s.tls.certificates; },
        "More certificates, each `\"certificate.pem key.pem\"`, or one file with both. A client gets the one for the "
        "name "
        "that it asks for (SNI), of the key that it can use: an ECDSA and an RSA certificate for one name stand side "
        "by side. Who asks for no name, or another, gets `certificate`."},
    CHOICE(
        "tls", "profile", tls.profile, profile_choices,
        "\"intermediate\": TLS 1.2 and 1.3 as RFC 9325 recommends, forward secrecy and AEAD only. \"modern\": TLS 1.3 "
        "alone."),
    CHOICE("tls", "min_version", tls.min_version, tls_choices,
           "The oldest version of TLS that is spoken: \"1.2\" or \"1.3\". `profile = \"modern\"` means \"1.3\" in any "
           "case."),
    TEXT(
        "tls", "client_ca", tls.client_ca,
        "PEM file with the authorities that sign certificates of clients. Clients are asked for one, and whoever shows "
        "one may log in by EXTERNAL, see `auth.certificate_users`. Empty: they are not asked."),

    Setting{
        "auth", "backends", ValueType::text_list, set_backends,
        [](const Settings& s) -> RawValue { return s.auth.backends; },
        "Where users are kept, asked in this order; the first that knows a name decides. \"database\" is users.sqlite "
        "in `data_dir`, which `postkeep user` writes; \"passwd-file:/path\" a text file that other programs write."},
    CHOICE("auth", "allow_plaintext", auth.allow_plaintext, plaintext_choices,
           "Where a password may travel without TLS: \"never\", \"loopback\" (from this machine) or \"always\"."),
    SIZE("auth", "argon2_memory", auth.argon2_memory, 64 * kib, 1 * gib,
         "Memory of one Argon2id run for passwords set from now on."),
    COUNT("auth", "argon2_iterations", auth.argon2_iterations, 1, 64,
          "Passes of one Argon2id run for passwords set from now on."),
    COUNT("auth", "scram_iterations", auth.scram_iterations, 4096, 1'000'000,
          "Iterations of SCRAM keys for passwords set from now on."),
    BOOLEAN("auth", "add_scram_keys", auth.add_scram_keys,
            "Add SCRAM keys to a user who has none when a login sends the right password, so that later ones "
            "need not."),
    COUNT("auth", "concurrent_hashes", auth.concurrent_hashes, 0, 1024,
          "Costly password hashes at one time; further logins wait. 0: as many as cores."),
    DURATION("auth", "remember_passwords", auth.remember_passwords, seconds(0), hours(24),
             "A password that was right is not hashed again for so long, unless it is changed. Kept in memory only, as "
             "a keyed hash. 0s: each login is hashed."),
    Setting{"auth", "mechanisms", ValueType::text_list, set_mechanisms,
            [](const Settings& s) -> RawValue { return s.auth.mechanisms; },
            "The SASL mechanisms that are offered where they can be used (docs/sasl.md). CRAM-MD5 is not among them "
            "unless it is named. The commands LOGIN, USER and PASS are not concerned."},
    Setting{"auth", "masters", ValueType::text_list, set_masters,
            [](const Settings& s) -> RawValue { return s.auth.masters; },
            "Users who may log in as everybody else, with their own password: by the authorization identity of a SASL "
            "mechanism, or see `master_separator`. Each such login is logged (`acting`)."},
    Setting{"auth", "delegates", ValueType::text_list, set_delegates,
            [](const Settings& s) -> RawValue { return s.auth.delegates; },
            "Users who may log in as some others, each \"NAME as USER\"; USER may be *@domain for all users of it."},
    Setting{"auth", "master_separator", ValueType::text, set_master_separator,
            [](const Settings& s) -> RawValue { return s.auth.master_separator; },
            "With \"*\", the login name `user*master` with the password of the user `master` is a login of that master "
            "as `user`, for programs that know no authorization identity. One of * % / : or empty: there is no such "
            "name."},
    Setting{"auth", "certificate_users", ValueType::text_list, set_certificate_users,
            [](const Settings& s) -> RawValue { return s.auth.certificate_users; },
            "Which user a client's certificate stands for (EXTERNAL), the first rule that names a user counting: "
            "\"email\", an address in its subjectAltName; \"cn\", its common name; \"file:/path\", a map with lines "
            "like `alice cn:Alice Smith` (also email:, subject:, sha256:), read at the start and by `reload`."},
    Setting{"auth", "anonymous_user", ValueType::text, set_anonymous_user,
            [](const Settings& s) -> RawValue { return s.auth.anonymous_user; },
            "The user as whom ANONYMOUS lets everybody in, an account like any other. Empty: nobody is let in so."},

    BOOLEAN("guard", "enabled", guard.enabled, "Slow down and ban those who guess passwords (docs/security.md)."),
    COUNT(
        "guard", "delay_after", guard.delay_after, 1, 1'000,
        "Different wrong passwords that cost no time, of an account from one address, of an account, and of an address "
        "(as many more for each account that logs in from there). The next try waits a second, then two, four..."),
    DURATION(
        "guard", "delay_max", guard.delay_max, seconds(0), minutes(5),
        "The longest that one login is made to wait; one that would have to wait longer is refused. An account under "
        "attack from everywhere waits a fifth of it. 0s: no delays."),
    COUNT(
        "guard", "ban_after", guard.ban_after, 0, 100'000,
        "Different wrong passwords from one address, or from the /64 of an IPv6 address, after which it is banned (as "
        "many more for each account that logs in from there). They fade by half in half an hour. 0: never."),
    DURATION("guard", "ban_time", guard.ban_time, seconds(1), hours(24 * 7),
             "How long the first ban lasts; each further one within a day takes twice as long, a day at most."),
    NETWORKS("guard", "exempt", guard.exempt,
             "Networks whose addresses are never slowed down or banned as such: this machine, where a webmail may run. "
             "Accounts are watched from there too."),

    CHOICE("log", "level", log.level, level_choices,
           "The least important events that are logged: \"error\", \"warn\", \"info\", \"debug\" or \"trace\"."),
    CHOICE("log", "format", log.format, format_choices, "One event a line, as \"text\" (key=value) or \"json\"."),
    TEXT("log", "file", log.file, "The log's file, opened anew on SIGHUP. Empty: standard error."),

    COUNT("limits", "connections", limits.connections, 1, 1'000'000, "Connections at one time, of all protocols."),
    COUNT("limits", "connections_per_user", limits.connections_per_user, 0, 1'000'000,
          "Connections at one time in which one user is logged in. 0: no limit."),
    COUNT("limits", "connections_per_address", limits.connections_per_address, 0, 1'000'000,
          "Connections at one time from one IP address. 0: no limit."),
    SIZE("limits", "line_length", limits.line_length, 8 * kib, 16 * mib,
         "One line of a command, without its literals."),
    SIZE("limits", "literal_size", limits.literal_size, 1 * kib, 64 * mib,
         "One literal that is not a message: a mailbox name, a search text."),
    SIZE("limits", "command_size", limits.command_size, 16 * kib, 256 * mib,
         "One whole command with its literals, messages not counted."),
    SIZE("limits", "message_size", limits.message_size, 1 * kib, 4 * gib - 1,
         "One message that is delivered or appended. Announced as LMTP SIZE and IMAP APPENDLIMIT."),
    COUNT("limits", "bad_commands", limits.bad_commands, 1, 10'000,
          "Commands that are not understood before a connection is ended."),
    COUNT("limits", "login_attempts", limits.login_attempts, 1, 10'000, "Failed logins before a connection is ended."),
    COUNT("limits", "recipients", limits.recipients, 100, 100'000, "Recipients of one LMTP transaction."),
    DURATION("limits", "time_to_authenticate", limits.time_to_authenticate, seconds(1), hours(1),
             "From connecting to being logged in."),
    DURATION("limits", "idle_timeout", limits.idle_timeout, seconds(1), hours(24 * 7),
             "A logged-in IMAP connection from which nothing is heard is ended after this. RFC 9051 asks for at least "
             "30 minutes."),
    DURATION("limits", "pop3_timeout", limits.pop3_timeout, seconds(1), hours(24),
             "A logged-in POP3 connection from which nothing is heard is ended after this; nothing is deleted then. "
             "RFC 1939 asks for at least 10 minutes."),
    DURATION("limits", "lmtp_timeout", limits.lmtp_timeout, seconds(1), hours(1),
             "An LMTP connection from which nothing is heard is ended after this."),
    DURATION("limits", "mta_timeout", limits.mta_timeout, seconds(1), hours(24 * 7),
             "A connection of `listen.mta_auth` or `listen.socketmap` from which nothing is heard is ended after this; "
             "the MTA makes a new one when it needs it."),
    DURATION("limits", "tls_handshake_timeout", limits.tls_handshake_timeout, seconds(1), minutes(10),
             "How long a TLS handshake may take."),
    DURATION("limits", "write_timeout", limits.write_timeout, seconds(1), hours(1),
             "A connection that takes nothing of what is sent is ended after this."),
    COUNT("limits", "mailboxes", limits.mailboxes, 10, 1'000'000, "Mailboxes of one user."),
    COUNT("limits", "keywords", limits.keywords, 26, 10'000, "Different keywords in one mailbox."),

    SIZE("quota", "storage", quota.storage, 0, quota_storage_max,
         "How much mail each user may have, all messages together; 0: no limit. `postkeep quota set` gives a user "
         "another limit."),
    COUNT("quota", "messages", quota.messages, 0, quota_messages_max, "How many messages likewise; 0: no limit."),
    CHOICE("quota", "on_delivery", quota.on_delivery, over_quota_choices,
           "What the MTA is told of mail for a user who has no room left: \"defer\" to try again for as long as it "
           "keeps mail (452), so that nothing comes back that could still be delivered; \"reject\" to send it back at "
           "once (552)."),
    Setting{"quota", "warn_at", ValueType::text_list,
            [](Settings& s, const RawValue& v) -> Outcome {
              s.quota.warn_at = TRY(read_percents(v));
              return {};
            },
            [](const Settings& s) -> RawValue { return write_percents(s.quota.warn_at); },
            "Levels of use of a quota, each a text such as \"80%\". When a user passes one, `event=quota_warning` is "
            "logged, once until the use has been below it. Empty: nothing is logged."},
    BOOLEAN("quota", "warn_by_mail", quota.warn_by_mail,
            "Also tell the user, by a short message from postmaster in INBOX."),

    CHOICE("lmtp", "bare_lf", lmtp.bare_lf, bare_lf_choices,
           "What becomes of a message with an LF that no CR stands before: \"repair\" makes it CR and LF, \"reject\" "
           "refuses the message (554). Whichever is chosen, only CR LF . CR LF ends a message."),

    DURATION("lmtp", "duplicate_window", lmtp.duplicate_window, seconds(0), hours(24 * 7),
             "A message is answered with 250 and dropped when the same mailbox was given one with the same Message-ID "
             "by LMTP within this time: mailing lists and retries of MTAs make such duplicates. What was delivered is "
             "remembered in memory, so a restart forgets it. 0s: everything is delivered."),

    BOOLEAN("lmtp", "starttls", lmtp.starttls,
            "Offer STARTTLS to MTAs on other machines. Off, since an MTA on this one may try it without need and then "
            "ask for a certificate that it trusts."),
    CHOICE("lmtp", "auth", lmtp.auth, lmtp_auth_choices,
           "AUTH for MTAs, as one of the users: \"off\", \"offered\", or \"required\" before mail is taken. Whoever is "
           "logged in may deliver to everybody, so this is for a port that only an MTA knows the password for."),
    COUNT("lmtp", "unknown_recipients", lmtp.unknown_recipients, 0, 1'000'000,
          "A connection that asks for more users than this who are not here is ended (421): it guesses names. An MTA "
          "that checks recipients here asks for some. 0: no limit."),

    NETWORKS("lmtp", "xclient_from", lmtp.xclient_from,
             "Peers that may say by XCLIENT for whom they speak, such as a proxy in front: that client stands in "
             "Received fields then. Who is on a Unix socket counts as 127.0.0.1."),
    NETWORKS(
        "lmtp", "vrfy_from", lmtp.vrfy_from,
        "Peers that VRFY tells who is here (250) and who is not (550); all others hear 252. Unix sockets likewise."),

    Setting{"recipients", "delimiter", ValueType::text, set_delimiter,
            [](const Settings& s) -> RawValue { return s.recipients.delimiter; },
            "What parts the detail from the user's name in an address, as in `user+detail@domain`: any of these "
            "characters, the first that comes. A user whose name has one is found first. Empty: there are no details."},
    CHOICE(
        "recipients", "detail_folder", recipients.detail_folder, detail_choices,
        "Where mail with a detail goes: \"off\" INBOX; \"existing\" the mailbox of that name, if the user has it; "
        "\"make\" likewise, and it is made and subscribed if it is not there. Whoever writes to the user chooses the "
        "detail. INBOX has what goes nowhere else."),
    BOOLEAN("recipients", "lower_case_detail", recipients.lower_case_detail,
            "Take the detail in lower case, since some senders change the case of addresses. Users and aliases are "
            "found in whatever case they are written."),
    TEXT("recipients", "aliases", recipients.aliases,
         "A file of aliases for LMTP, read at the start and on SIGHUP: lines `name: target, target`, where the name is "
         "`local`, `local@domain` or, for whatever nobody has in a domain, `@domain`, and targets are users, "
         "`user+detail` or other aliases. Empty: there are none."),

    COUNT("imap", "compression", imap.compression, 0, 9,
          "Level of COMPRESS=DEFLATE: 1 takes least time, 9 makes least octets. 0: not offered."),
    CHOICE(
        "imap", "eight_bit_headers", imap.eight_bit_headers, eight_bit_choices,
        "What becomes of a message by APPEND whose header has octets beyond ASCII, from a client that has enabled "
        "neither UTF8=ACCEPT nor IMAP4rev2. RFC 9755 wants it refused, so \"refuse\" does; \"accept\" takes it as it "
        "is, so that old mail can be moved here by programs that know nothing of this."),
    COUNT("imap", "notify_mailboxes", imap.notify_mailboxes, 1, 100'000,
          "How many mailboxes one session may have watched for messages by NOTIFY. One that asks for more is refused "
          "with NOTIFICATIONOVERFLOW, and so are the notices of one whose mailboxes become more."),
    Setting{"imap", "hidden_capabilities", ValueType::text_list, set_hidden_capabilities,
            [](const Settings& s) -> RawValue { return write_hidden_capabilities(s.imap.hidden_capabilities); },
            "IMAP capabilities that are not offered, since some clients misuse some: they are not in CAPABILITY, their "
            "commands are unknown and ENABLE ignores them. "
            "`\"TOKEN\"` for all, `\"TOKEN user=NAME\"` for a user, `\"TOKEN client=NAME\"` for clients that call "
            "themselves so (ID)."},
    Setting{
        "imap", "quota_admins", ValueType::text_list, set_quota_admins,
        [](const Settings& s) -> RawValue { return s.imap.quota_admins; },
        "Users who may see and set everybody's quota by IMAP: they are offered QUOTASET, and `user/NAME` is the quota "
        "root of the user NAME to them. A session keeps what held when it began."},

    Setting{"pop3", "uidl_format", ValueType::text, set_uidl_format,
            [](const Settings& s) -> RawValue { return s.pop3.uidl_format; },
            "What UIDL tells of a message, in Dovecot's `pop3_uidl_format`: `%u` is the UID, `%v` the UIDVALIDITY of "
            "INBOX, `%X` in front of the letter makes it hexadecimal, `%08X` of eight digits. `%u` is needed, since by "
            "it messages differ. Clients that leave mail here fetch all of it again when it changes."},
    Setting{"pop3", "expire_days", ValueType::text, set_expire_days, get_expire_days,
            "How many days messages stay that a POP3 client has fetched and left here: older ones are deleted when it "
            "ends its session by QUIT, those with \\Flagged aside. Days count from when a message came into INBOX. "
            "\"0\": what was fetched goes with the same session. \"never\": only the client deletes. CAPA tells it as "
            "EXPIRE."},
    DURATION("pop3", "login_delay", pop3.login_delay, seconds(0), hours(24),
             "How long a user has to wait between two POP3 logins; who comes sooner is told LOGIN-DELAY. All programs "
             "of a user count together. 0s: no wait."),
    BOOLEAN(
        "pop3", "apop", pop3.apop,
        "Whether APOP is offered: a time stamp in the greeting, and logins by an MD5 digest of it and the password. "
        "Only users whose password is kept as PLAIN can log in so. SCRAM-SHA-256 does better what it was made for."),
    CHOICE("pop3", "utf8_messages", pop3.utf8_messages, utf8_message_choices,
           "What a client that has not said UTF8 gets of a message whose header has octets beyond ASCII: \"send\" "
           "gives it as it is, since hardly any client knows UTF8 and nearly all can show it; RFC 6856 wants it "
           "refused, so \"refuse\" does."),
    CHOICE("pop3", "implementation", pop3.implementation, name_program_choices,
           "When CAPA tells that this is Postkeep: \"always\", \"after login\" or \"never\"."),

    Setting{"mailbox", "separator", ValueType::text, set_separator,
            [](const Settings& s) -> RawValue { return std::string(1, s.mailbox.separator); },
            "What stands between the parts of a mailbox name on the wire: \"/\" or \".\"."},
    Setting{"mailbox", "special_use", ValueType::special_uses, set_special_use,
            [](const Settings& s) -> RawValue { return write_special_uses(s.mailbox.special_use); },
            "Mailboxes made and subscribed at a user's first login, each \"Name=role\"; roles are drafts, sent, junk, "
            "trash, archive; parts of a name are separated by \"/\"."},

    COUNT("storage", "threads", storage.threads, 1, 512,
          "Threads that touch mail, at most: as many run as there is work for. They mostly wait for the disk, so there "
          "may be many more than cores."),
    COUNT("storage", "open_accounts", storage.open_accounts, 1, 100'000,
          "Accounts kept open at one time; an open one costs about 150 KiB and three file descriptors."),
    BOOLEAN("storage", "allow_network_file_system", storage.allow_network_file_system,
            "Start even if `data_dir` lies on a network file system, whose locks and syncs may not keep what they "
            "promise."),
    BOOLEAN("storage", "search_index", storage.search_index,
            "Index the text of messages for SEARCH BODY and TEXT, in the background, for users whose clients use them. "
            "Takes about 1.5 octets for each octet of text; without it each such search reads all messages."),

    COUNT("server", "io_threads", server.io_threads, 0, 256, "Threads that serve connections. 0: as many as cores."),
    DURATION("server", "shutdown_grace", server.shutdown_grace, seconds(0), minutes(10),
             "How long commands under way may take to finish when the server is asked to stop."),

    TEXT(
        "service", "user", service.user,
        "The system user, by name or number, that the server becomes when it is started as root: after it has bound "
        "its "
        "addresses and read its private key it gives up all privileges for good. The data belongs to this user. Empty: "
        "it stays who it is."),
    TEXT("service", "group", service.group,
         "The system group that goes with `user`, beside the groups that the user is a member of. Empty: the user's "
         "own."),

    Setting{"metrics", "listen", ValueType::addresses,
            [](Settings& s, const RawValue& v) -> Outcome {
              s.metrics.listen = TRY(read_addresses(v));
              return {};
            },
            [](const Settings& s) -> RawValue { return write_addresses(s.metrics.listen); },
            "Where to serve figures for Prometheus (`/metrics`) and a health check (`/health`) by HTTP, for instance "
            "\"127.0.0.1:9095\". There is no password: only loopback addresses and Unix sockets are taken, see "
            "`allow_remote`."},
    BOOLEAN(
        "metrics", "allow_remote", metrics.allow_remote,
        "Take addresses in `listen` that others can reach. The figures tell how many people log in and how much mail "
        "they get."),
};

}  // namespace

std::string_view to_string(ValueType type) {
  switch (type) {
    case ValueType::text:
      return "text";
    case ValueType::text_list:
      return "list of texts";
    case ValueType::count:
      return "number";
    case ValueType::size:
      return "size";
    case ValueType::duration:
      return "time";
    case ValueType::choice:
      return "choice";
    case ValueType::boolean:
      return "true or false";
    case ValueType::addresses:
      return "list of addresses";
    case ValueType::special_uses:
      return "list of mailboxes";
    case ValueType::networks:
      return "list of networks";
  }
  return "";
}

std::string Setting::path() const {
  return section.empty() ? std::string(key) : std::string(section) + "." + std::string(key);
}

bool Setting::needs_restart() const {
  // What is opened, bound or sized at the start. All else is asked for anew by each session.
  if (section == "listen" || section == "metrics" || section == "service" || section == "storage") return true;
  const std::string name = path();
  return name == "data_dir" || name == "auth.backends" || name == "server.io_threads" || name == "limits.mailboxes" ||
         name == "limits.keywords" || name == "quota.storage" || name == "quota.messages";
}

std::span<const Setting> settings_table() { return table; }

const Setting* find_setting(std::string_view path) {
  const auto row = std::ranges::find_if(table, [&](const Setting& setting) { return setting.path() == path; });
  return row == table.end() ? nullptr : &*row;
}

std::string to_toml(const RawValue& value) {
  struct Writer {
    std::string operator()(bool yes) const { return yes ? "true" : "false"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(const std::string& text) const {
      std::string out = "\"";
      for (const char c : text) {
        constexpr std::string_view digits = "0123456789ABCDEF";
        const auto octet = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
          out += '\\';
          out += c;
        } else if (octet < 0x20 || octet == 0x7F) {
          out += "\\u00";
          out += digits[octet >> 4];
          out += digits[octet & 15];
        } else {
          out += c;
        }
      }
      return out + '"';
    }
    std::string operator()(const std::vector<std::string>& texts) const {
      std::string out = "[";
      for (const std::string& text : texts) out += (out.size() > 1 ? ", " : "") + (*this)(text);
      return out + "]";
    }
  };
  return std::visit(Writer{}, value);
}

}  // namespace postkeep::config
