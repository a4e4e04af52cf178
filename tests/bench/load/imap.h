// ImapClient: as much of IMAP as a load generator needs. It counts what comes instead of understanding it.
#pragma once

#include <functional>
#include <map>

#include "tests/bench/load/workload.h"

namespace postkeep::bench {

// What came in answer to one command.
struct Answer {
  std::string tagged;          // the tagged line without its tag
  std::uint64_t untagged = 0;  // responses
  std::uint64_t literals = 0;  // octets in literals
};

class ImapClient {
 public:
  explicit ImapClient(Bench& bench) : bench_(bench), stream_(bench.io) {}

  // Connects and reads the greeting.
  asio::awaitable<void> connect();
  // Connects, logs in, and compresses if the options say so.
  asio::awaitable<void> log_in(std::string user);

  // Sends a command and reads its answer; throws unless that is OK.
  asio::awaitable<Answer> command(std::string text);
  // Sends a command, or a whole series in one piece, without reading.
  asio::awaitable<void> send(std::string_view text);
  // Reads up to the tagged response.
  asio::awaitable<Answer> answer(std::string tag);
  // Reads up to a continuation request.
  asio::awaitable<void> continuation();
  // Reads one line, whatever it is.
  asio::awaitable<std::string> line();

  std::string next_tag();
  void close() { stream_.close(); }
  Stream& stream() { return stream_; }

  // UIDVALIDITY and HIGHESTMODSEQ as the last SELECT told them, by these names; what a command's {name} is replaced by.
  std::map<std::string, std::string> known;

 private:
  void note(std::string_view line);
  asio::awaitable<void> pass_literal(std::size_t octets);

  Bench& bench_;
  Stream stream_;
  unsigned tags_ = 0;
};

// The octets of the literal that a line announces at its end, or npos: RFC 9051 §4.3.
std::size_t literal_octets(std::string_view line);

}  // namespace postkeep::bench
