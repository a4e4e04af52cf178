// Settings: the whole configuration as one immutable value. Every member is a row of settings_table.cpp, which
// has its key, its documentation and its check; the initializers here are the defaults, so that Settings{} is
// what an empty file means. Read by everybody in server/, changed by nobody: a reload makes a new one.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/mail/mailbox_name.h"
#include "protocol/net/ip_address.h"

namespace postkeep {

// Where to listen: "host:port", "[v6]:port", "*:port" (all addresses) or "unix:path", with " proxy" behind it if a
// program in front tells who the client is.
struct ListenAddress {
  enum class Kind { tcp, unix_socket };
  Kind kind = Kind::tcp;
  std::string host;        // a name or address without brackets; empty: all addresses
  std::uint16_t port = 0;  // 0: the system picks one
  std::string path;        // of a Unix socket
  bool proxy = false;      // connections begin with a PROXY header
  std::string text;        // as it was written

  bool operator==(const ListenAddress&) const = default;
};

enum class AllowPlaintext { never, loopback, always };
enum class TlsVersion { tls_1_2, tls_1_3 };
enum class TlsProfile { intermediate, modern };
enum class LogLevel { error, warn, info, debug, trace };
enum class LogFormat { text, json };
// Of an LF without CR in a message by LMTP.
enum class BareLf { repair, reject };
// Whether an MTA can log in by LMTP, or must.
enum class LmtpAuth { off, offered, required };
// What the detail of an address (user+detail) does: nothing, or naming a mailbox that is there, or that is made.
enum class DetailFolder { off, existing, make };
// What the MTA is told of mail for a user whose quota is reached.
enum class OverQuota { defer, reject };
// Of a message by APPEND whose header has 8-bit octets, from a client that has not enabled UTF-8 (RFC 9755 §4).
enum class EightBitHeaders { accept, refuse };
// In which states of POP3 CAPA names the program (RFC 2449 §6.9).
enum class NameProgram { always, after_login, never };
// Of a message whose header has 8-bit octets, to a POP3 client that has not said UTF8 (RFC 6856 §2.1).
enum class Utf8Messages { send, refuse };

struct SpecialUseMailbox {
  std::string name;  // valid as a MailboxName, '/' between components
  SpecialUse use = SpecialUse::none;

  bool operator==(const SpecialUseMailbox&) const = default;
};

// A capability that is not offered, to all or to some.
struct HiddenCapability {
  std::string token;   // as in CAPABILITY, upper case
  std::string user;    // "": whoever it is
  std::string client;  // as the client calls itself in ID; "": whatever it is
};

// The largest quota, in octets and in messages.
inline constexpr std::uint64_t quota_storage_max = std::uint64_t{1} << 60;
inline constexpr std::uint64_t quota_messages_max = 1'000'000'000'000;

// Sizes in octets. 0 means "no limit" or "as many as cores" only where the row says so.
struct Settings {
  std::string data_dir = "/var/lib/postkeep";
  std::string hostname;              // never empty once loaded: the machine's own name is put in
  std::vector<std::string> domains;  // besides hostname and localhost; lower case

  struct Listen {
    std::vector<ListenAddress> imap, imaps, pop3, pop3s, lmtp, mta_auth, socketmap;
  } listen;

  // Programs in front of us that speak the PROXY protocol on listeners marked for it.
  struct Proxy {
    std::vector<IpNetwork> trusted;
    std::chrono::seconds timeout{5};
  } proxy;

  struct Tls {
    std::string certificate, private_key;   // PEM files; both empty: self-signed, made in data_dir
    std::vector<std::string> certificates;  // more of them, each "certificate" or "certificate key": PEM files
    TlsProfile profile = TlsProfile::intermediate;
    TlsVersion min_version = TlsVersion::tls_1_2;
    std::string client_ca;  // PEM file; empty: clients are not asked for certificates
  } tls;

  struct Auth {
    std::vector<std::string> backends = {"database"};  // auth/backends.h
    AllowPlaintext allow_plaintext = AllowPlaintext::loopback;
    bool add_scram_keys = true;
    std::uint64_t argon2_memory = 19 * 1024 * 1024;
    std::uint64_t argon2_iterations = 2;
    std::uint64_t scram_iterations = 4096;
    std::uint64_t concurrent_hashes = 0;            // 0: as many as cores
    std::chrono::seconds remember_passwords{3600};  // 0: not
    // Of rows of auth/mechanisms.cpp, written as there; these are usual_mechanisms().
    std::vector<std::string> mechanisms = {"EXTERNAL",      "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS",
                                           "SCRAM-SHA-256", "SCRAM-SHA-1",        "PLAIN",
                                           "LOGIN",         "ANONYMOUS"};
    std::vector<std::string> masters;                        // names of users
    std::vector<std::string> delegates;                      // auth::ActingRight as text
    std::string master_separator;                            // empty: none
    std::vector<std::string> certificate_users = {"email"};  // auth::CertificateRule as text
    std::string anonymous_user;                              // empty: nobody
  } auth;

  // Against guessing of passwords, auth/guess_guard.h.
  struct Guard {
    bool enabled = true;
    std::uint64_t delay_after = 5;
    std::chrono::seconds delay_max{15};
    std::uint64_t ban_after = 20;
    std::chrono::seconds ban_time{600};
    std::vector<IpNetwork> exempt = {
        IpNetwork(IpAddress(IpAddress::V4{127, 0, 0, 0}), 8),
        IpNetwork(IpAddress(IpAddress::V6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}), 128)};
  } guard;

  struct Log {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;
    std::string file;  // empty: standard error
  } log;

  struct Limits {
    std::uint64_t connections = 20'000;
    std::uint64_t connections_per_user = 100;     // 0: no limit
    std::uint64_t connections_per_address = 500;  // 0: no limit
    std::uint64_t line_length = 1024 * 1024;
    std::uint64_t literal_size = 256 * 1024;         // of a literal that is not a message
    std::uint64_t command_size = 1024 * 1024;        // a command with its literals, messages not counted
    std::uint64_t message_size = 100 * 1024 * 1024;  // APPEND and LMTP
    std::uint64_t bad_commands = 20;
    std::uint64_t login_attempts = 10;
    std::uint64_t recipients = 1000;  // per LMTP transaction
    std::chrono::seconds time_to_authenticate{60};
    std::chrono::seconds idle_timeout{30 * 60};
    std::chrono::seconds pop3_timeout{10 * 60};
    std::chrono::seconds lmtp_timeout{5 * 60};
    std::chrono::seconds mta_timeout{60 * 60};  // of listen.mta_auth and listen.socketmap
    std::chrono::seconds tls_handshake_timeout{20};
    std::chrono::seconds write_timeout{5 * 60};  // a reader that takes nothing
    std::uint64_t mailboxes = 10'000;            // per user
    std::uint64_t keywords = 500;                // per mailbox
  } limits;

  struct Lmtp {
    BareLf bare_lf = BareLf::repair;
    std::chrono::seconds duplicate_window{0};  // 0: no message is a duplicate
    bool starttls = false;
    std::uint64_t unknown_recipients = 0;  // of one connection; 0: no limit
    LmtpAuth auth = LmtpAuth::off;
    std::vector<IpNetwork> xclient_from, vrfy_from;
  } lmtp;

  struct Recipients {
    std::string delimiter = "+";  // any of these octets; empty: there are no details
    DetailFolder detail_folder = DetailFolder::off;
    bool lower_case_detail = false;
    std::string aliases;  // the file; empty: none
  } recipients;

  struct Imap {
    std::uint64_t compression = 3;  // level, 1 to 9; 0: not offered
    EightBitHeaders eight_bit_headers = EightBitHeaders::accept;
    std::uint64_t notify_mailboxes = 500;  // of one session
    std::vector<HiddenCapability> hidden_capabilities;
    std::vector<std::string> quota_admins;  // names of users, valid by auth/user_name.h
  } imap;

  struct Pop3 {
    std::string uidl_format = "%08Xu%08Xv";    // valid by pop3::UidlFormat
    std::optional<std::uint64_t> expire_days;  // none: never
    std::chrono::seconds login_delay{0};       // 0: none
    bool apop = false;
    Utf8Messages utf8_messages = Utf8Messages::send;
    NameProgram implementation = NameProgram::always;
  } pop3;

  struct MailboxSettings {
    char separator = '/';
    std::vector<SpecialUseMailbox> special_use = {
        {"Drafts", SpecialUse::drafts}, {"Sent", SpecialUse::sent},       {"Junk", SpecialUse::junk},
        {"Trash", SpecialUse::trash},   {"Archive", SpecialUse::archive},
    };
  } mailbox;

  struct Storage {
    std::uint64_t threads = 32;
    std::uint64_t open_accounts = 256;
    bool allow_network_file_system = false;
    bool search_index = true;
  } storage;

  struct Server {
    std::uint64_t io_threads = 0;  // 0: as many as cores
    std::chrono::seconds shutdown_grace{10};
  } server;

  struct Service {
    std::string user, group;  // names or numbers; empty: stay who we are, and the user's own group
  } service;

  struct Quota {
    std::uint64_t storage = 0;   // of each user; 0: no limit
    std::uint64_t messages = 0;  // likewise
    OverQuota on_delivery = OverQuota::defer;
    std::vector<unsigned> warn_at = {80, 95};  // percent, ascending, each 1 to 100
    bool warn_by_mail = false;
  } quota;

  struct Metrics {
    std::vector<ListenAddress> listen;
    bool allow_remote = false;
  } metrics;
};

using SettingsPtr = std::shared_ptr<const Settings>;

// All domains that are ours: hostname, localhost and `domains`, lower case.
std::vector<std::string> own_domains(const Settings& settings);

// Whether auth.mechanisms has SCRAM-SHA-1, bound or not: then users want keys for it.
bool offers_scram_sha_1(const Settings& settings);

std::string_view to_string(AllowPlaintext value);
std::string_view to_string(TlsVersion value);
std::string_view to_string(TlsProfile value);
std::string_view to_string(LogLevel value);
std::string_view to_string(LogFormat value);
std::string_view to_string(OverQuota value);
std::string_view to_string(BareLf value);
std::string_view to_string(DetailFolder value);
std::string_view to_string(LmtpAuth value);
std::string_view to_string(EightBitHeaders value);
std::string_view to_string(NameProgram value);
std::string_view to_string(Utf8Messages value);

}  // namespace postkeep
