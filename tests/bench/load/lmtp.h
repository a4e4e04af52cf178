// LmtpClient: delivers by LMTP (RFC 2033), the envelope sent in one piece (RFC 2920) as MTAs do.
#pragma once

#include "tests/bench/load/workload.h"

namespace postkeep::bench {

class LmtpClient {
 public:
  explicit LmtpClient(Bench& bench) : stream_(bench.io), bench_(bench) {}

  asio::awaitable<void> connect(asio::ip::tcp::endpoint server);
  // Throws unless every recipient took it. `text` has CRLF line ends and no line that begins with a dot.
  asio::awaitable<void> deliver(std::vector<std::string> recipients, std::string text);
  asio::awaitable<void> quit();

 private:
  asio::awaitable<void> expect(char first_digit, std::size_t replies);

  Stream stream_;
  Bench& bench_;
};

}  // namespace postkeep::bench
