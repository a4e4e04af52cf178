// See lmtp.h.
#include "tests/bench/load/lmtp.h"

#include <stdexcept>

namespace postkeep::bench {

asio::awaitable<void> LmtpClient::expect(char first_digit, std::size_t replies) {
  std::string_view line;
  while (replies > 0) {
    while (!stream_.take_line(line)) co_await stream_.fill();
    if (line.size() < 3 || line[0] != first_digit) throw std::runtime_error("LMTP: " + std::string(line));
    if (line.size() == 3 || line[3] != '-') --replies;  // the others are more lines of one reply
  }
}

asio::awaitable<void> LmtpClient::connect(asio::ip::tcp::endpoint server) {
  co_await stream_.connect(server, nullptr);
  co_await expect('2', 1);
  const std::string hello("LHLO bench.example.com\r\n");
  co_await stream_.send(hello);
  co_await expect('2', 1);
}

asio::awaitable<void> LmtpClient::deliver(std::vector<std::string> recipients, std::string text) {
  std::string envelope = "MAIL FROM:<sender@example.com>\r\n";
  for (const std::string& recipient : recipients)
    envelope += "RCPT TO:<" + recipient + bench_.options.recipient_suffix + ">\r\n";
  envelope += "DATA\r\n";
  co_await stream_.send(envelope);
  co_await expect('2', 1 + recipients.size());
  co_await expect('3', 1);
  text += ".\r\n";
  co_await stream_.send(text);
  co_await expect('2', recipients.size());
}

asio::awaitable<void> LmtpClient::quit() {
  const std::string quit_line("QUIT\r\n");
  co_await stream_.send(quit_line);
  co_await expect('2', 1);
  stream_.close();
}

}  // namespace postkeep::bench
