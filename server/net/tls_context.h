// TlsContext: certificate, key and rules for TLS sessions (RFC 8446, RFC 5246; RFC 8314 for mail), and
// TlsStore, which holds the current one and replaces it on reload without touching sessions. TLS 1.2 or
// later, no renegotiation, no compression, tickets with keys that are rotated, no server-side session cache.
// Contexts are immutable and shared by all threads.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"

struct ssl_ctx_st;

namespace postkeep::server {

// The keys that session tickets are sealed with. A ticket is accepted for two periods at most; who steals
// the process's memory can read sessions no older than that. Kept apart from the certificates, so that a
// reload does not make all clients start over. Thread-safe.
class TicketKeys {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;
  explicit TicketKeys(std::chrono::seconds period = default_period, Clock clock = std::chrono::steady_clock::now);

  static constexpr std::chrono::hours default_period{12};
  static constexpr std::size_t name_bytes = 16;
  struct Key {
    std::array<unsigned char, name_bytes> name{};
    std::array<unsigned char, 32> cipher{};  // AES-256-CBC
    std::array<unsigned char, 32> mac{};     // HMAC-SHA-256
  };
  enum class Age { current, previous, unknown };

  Key current();
  // The key of that name; `previous` asks for a new ticket.
  Age find(std::span<const unsigned char> name, Key& key);
  std::chrono::seconds period() const { return period_; }

 private:
  void rotate_if_due();  // with the mutex held

  std::mutex mutex_;
  std::chrono::seconds period_;
  Clock clock_;
  Key current_;
  Key previous_;
  bool has_previous_ = false;
  std::chrono::steady_clock::time_point made_;
};

struct SslCtxFree {
  void operator()(ssl_ctx_st* context) const;
};

enum class TlsMinimum { tls_1_2, tls_1_3 };

// PEM files: a certificate with its chain, and its key; may be one file.
struct CertificateFiles {
  std::string certificate;
  std::string private_key;
};

class TlsContext {
 public:
  // A client that names a server (SNI, RFC 6066 §3) gets the certificates for that name, at most one of each kind of
  // key; any other client those that stand for all names of the first. `certificates` is not empty.
  // `client_authorities` is a PEM file, or empty: clients are asked for certificates that these have signed. Errors:
  // unavailable (detail says which file).
  static Result<std::shared_ptr<const TlsContext>> load(const std::vector<CertificateFiles>& certificates,
                                                        TlsMinimum minimum, std::shared_ptr<TicketKeys> tickets,
                                                        const std::string& client_authorities = {});
  // Of whoever connects; goes over to another when the client has named a server. This object must live as long as a
  // handshake on it goes on.
  ssl_ctx_st* native() const { return contexts_.front().get(); }
  // The one for a name that a client gave.
  ssl_ctx_st* for_name(std::string_view name) const;

 private:
  TlsContext() = default;
  std::vector<std::unique_ptr<ssl_ctx_st, SslCtxFree>> contexts_;  // the first is the default
  std::map<std::string, ssl_ctx_st*, std::less<>> by_name_;        // in lower case; "*.example.org" as it is
};

// Makes <directory>/self-signed.crt and .key (ECDSA P-256, 10 years, mode 0600) for `hostname`, unless
// they are there already. Errors: unavailable.
Result<CertificateFiles> ensure_self_signed(const std::string& directory, const std::string& hostname);

// The context that new handshakes use. Thread-safe.
class TlsStore {
 public:
  explicit TlsStore(std::shared_ptr<TicketKeys> tickets = std::make_shared<TicketKeys>());
  // Loads and swaps; on an error the old context stays.
  Outcome load(const std::vector<CertificateFiles>& certificates, TlsMinimum minimum,
               const std::string& client_authorities = {});
  // nullptr before the first load: TLS is not available.
  std::shared_ptr<const TlsContext> current() const;

 private:
  std::shared_ptr<TicketKeys> tickets_;
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsContext> current_;
};

}  // namespace postkeep::server
