// Connection: the runner's side of an IMAP or LMTP connection: blocking, with a time limit for every wait. Keeps what
// was said, for the report of a case that fails. Where writing fails, the reads behind it tell.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/runner/deflate.h"
#include "protocol/base/result.h"
#include "protocol/imap/client/response_parser.h"

struct ssl_ctx_st;
struct ssl_st;

namespace postkeep::conformance {

constexpr std::chrono::milliseconds patience{5000};  // for one thing that must come

struct Endpoint {
  std::string host;
  std::string port;
  bool tls = false;       // from the first octet
  bool starttls = false;  // by STARTTLS, which open_imap() sends
  bool compress = false;  // by COMPRESS, which log_in() sends
};
// "host:port"; the host may stand in brackets. Errors: bad_syntax.
Result<Endpoint> parse_endpoint(const std::string& text);

class Connection {
 public:
  // `log` outlives the connection; `name` marks its lines there. Certificates are not checked. Errors: unavailable.
  static Result<std::unique_ptr<Connection>> open(const Endpoint& endpoint, std::string name,
                                                  std::vector<std::string>& log);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The handshake; also what follows STARTTLS. Errors: unavailable.
  Outcome start_tls();
  // From here on everything is DEFLATE in both directions (RFC 4978).
  void start_deflate();
  void send(std::string_view octets);
  // The next response; none: the connection is closed, or nothing came in time (see closed()). Errors: bad_syntax for
  // what is no IMAP response.
  Result<std::optional<imap::client::Response>> next(std::chrono::milliseconds limit);
  // A line of another protocol, without its end; none as above.
  std::optional<std::string> next_line(std::chrono::milliseconds limit);
  bool closed() const { return closed_; }
  // All octets that have come since mark(): for what is said of lines as they are.
  const std::string& received() const { return received_; }
  void mark() { received_.clear(); }

 private:
  Connection(int descriptor, std::string name, std::vector<std::string>& log)
      : descriptor_(descriptor), name_(std::move(name)), log_(log) {}
  void write(std::string_view octets);
  void take(std::string_view octets);
  bool fill(std::chrono::steady_clock::time_point until);
  bool wait_readable(std::chrono::steady_clock::time_point until) const;
  void note(std::string_view direction, std::string_view octets);

  int descriptor_;
  std::string name_;
  std::vector<std::string>& log_;
  ssl_ctx_st* tls_context_ = nullptr;
  ssl_st* tls_ = nullptr;
  std::unique_ptr<Deflate> deflate_;  // null: not compressed
  imap::client::ResponseParser parser_;
  std::string lines_;  // for next_line()
  std::string received_;
  bool closed_ = false;
};

}  // namespace postkeep::conformance
