#include "server/config/settings_table.h"

#include <algorithm>
#include <array>
#include <string>

#include "auth/backends.h"
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
// A choice among the values of an enum, by their names.
#define CHOICE(section, key, member, choices, doc)                                                    \
  Setting {                                                                                           \
    section, key, ValueType::choice,                                                                  \
        [](Settings& s, const RawValue& v) -> Outcome { return choose(s.member, v, choices); },       \
        [](const Settings& s) -> RawValue { return std::string(postkeep::to_string(s.member)); }, doc \
  }

constexpr std::array plaintext_choices = {AllowPlaintext::never, AllowPlaintext::loopback, AllowPlaintext::always};
constexpr std::array tls_choices = {TlsVersion::tls_1_2, TlsVersion::tls_1_3};
constexpr std::array level_choices = {LogLevel::error, LogLevel::warn, LogLevel::info, LogLevel::debug,
                                      LogLevel::trace};
constexpr std::array over_quota_choices = {OverQuota::defer, OverQuota::reject};
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

Outcome set_quota_admins(Settings& settings, const RawValue& value) {
  std::vector<std::string> names;
  for (const std::string& given : TRY(read_text_list(value))) {
    Result<std::string> name = auth::checked_user_name(given);
    if (!name) return failure(ErrorKind::cannot, "must be a list of names of users: " + name.error().text);
    names.push_back(std::move(*name));
  }
  settings.imap.quota_admins = std::move(names);
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

    TEXT("tls", "certificate", tls.certificate,
         "PEM file with the certificate and its chain. With `private_key` not set either, a self-signed certificate is "
         "made in `data_dir` at the first start."),
    TEXT("tls", "private_key", tls.private_key, "PEM file with the key of the certificate."),
    CHOICE("tls", "min_version", tls.min_version, tls_choices,
           "The oldest version of TLS that is spoken: \"1.2\" or \"1.3\"."),

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
          "Iterations of SCRAM-SHA-256 keys for passwords set from now on."),
    BOOLEAN("auth", "add_scram_keys", auth.add_scram_keys,
            "Add SCRAM-SHA-256 keys to a user who has none when a login sends the right password, so that later ones "
            "need not."),
    COUNT("auth", "concurrent_hashes", auth.concurrent_hashes, 0, 1024,
          "Costly password hashes at one time; further logins wait. 0: as many as cores."),
    DURATION("auth", "remember_passwords", auth.remember_passwords, seconds(0), hours(24),
             "A password that was right is not hashed again for so long, unless it is changed. Kept in memory only, as "
             "a keyed hash. 0s: each login is hashed."),

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
