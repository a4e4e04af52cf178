// TlsContext: certificate, key and rules for TLS sessions (RFC 8446, RFC 5246; RFC 8314 for mail), and
// TlsStore, which holds the current one and replaces it on reload without touching sessions. TLS 1.2 or
// later, no renegotiation, no compression, tickets with keys that are rotated, no server-side session cache.
// Contexts are immutable and shared by all threads.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>

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

class TlsContext {
 public:
  // PEM files: the certificate with its chain, and the key. Errors: unavailable (detail says which file).
  static Result<std::shared_ptr<const TlsContext>> load(const std::string& certificate_file,
                                                        const std::string& key_file, TlsMinimum minimum,
                                                        std::shared_ptr<TicketKeys> tickets);
  ssl_ctx_st* native() const { return context_.get(); }

 private:
  TlsContext() = default;
  std::unique_ptr<ssl_ctx_st, SslCtxFree> context_;
};

// Makes <directory>/self-signed.crt and .key (ECDSA P-256, 10 years, mode 0600) for `hostname`, unless
// they are there already. Errors: unavailable.
struct CertificateFiles {
  std::string certificate;
  std::string private_key;
};
Result<CertificateFiles> ensure_self_signed(const std::string& directory, const std::string& hostname);

// The context that new handshakes use. Thread-safe.
class TlsStore {
 public:
  explicit TlsStore(std::shared_ptr<TicketKeys> tickets = std::make_shared<TicketKeys>());
  // Loads and swaps; on an error the old context stays.
  Outcome load(const CertificateFiles& files, TlsMinimum minimum);
  // nullptr before the first load: TLS is not available.
  std::shared_ptr<const TlsContext> current() const;

 private:
  std::shared_ptr<TicketKeys> tickets_;
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsContext> current_;
};

}  // namespace postkeep::server
