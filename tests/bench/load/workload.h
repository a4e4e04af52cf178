// What every workload has: where the server is, the loop, and the phases that whoever started this program steps
// through.
#pragma once

#include <functional>
#include <optional>

#include "tests/bench/load/measure.h"
#include "tests/bench/load/stream.h"

namespace postkeep::bench {

// Of all workloads together; each uses those that mean something to it.
struct Options {
  std::string host = "127.0.0.1";
  unsigned short port = 0;
  unsigned short lmtp_port = 0;
  bool use_tls = false;
  bool resume = false;
  bool compress = false;
  bool steps = false;
  std::string user = "u%";  // % is replaced by a number from `first_user` on
  std::string password = "pass";
  std::string recipient_suffix;  // after the user's name in RCPT
  unsigned first_user = 0;
  unsigned users = 1;
  unsigned connections = 1;
  unsigned count = 100;  // 0: for `seconds`
  unsigned batch = 100;
  unsigned recipients = 1;
  double seconds = 5;
  unsigned warm_up = 0;
  std::size_t size = 1024;
  std::uint64_t seed = 1;
  std::string mode;
  std::string mailbox;
  std::string folder;
  std::string notice_command;
  std::vector<std::string> before, commands;
  bool new_mail = false;     // a message comes before each round of commands, outside what is measured
  std::uint64_t expect = 0;  // untagged responses of each command, at least
};

class Bench {
 public:
  explicit Bench(Options given);

  // Runs `task` for 0 to count-1 beside each other until all have ended; throws what the first that failed threw.
  void run(unsigned count, const std::function<asio::awaitable<void>(unsigned)>& task);

  // Says that all is set up, and with --steps waits until a line comes on standard input.
  // Returns that line; "go" without --steps, "" at the end of input.
  std::string wait_for_step();

  // Is there an operation `number` to do in the measured phase, which began when wait_for_step() returned?
  bool goes_on(unsigned number) const { return options.count > 0 ? number < options.count : Clock::now() < until_; }

  // Prints one result, a line.
  void report(const Json& result);

  asio::ip::tcp::endpoint server() const;
  asio::ip::tcp::endpoint lmtp_server() const;
  // nullptr: plaintext
  TlsClient* tls() { return tls_ ? &*tls_ : nullptr; }
  std::string user(unsigned number) const;

  Options options;
  asio::io_context io{1};

 private:
  std::optional<TlsClient> tls_;
  Clock::time_point until_;
};

// Each runs one workload to its end and prints what it found.
void run_commands(Bench& bench);  // a list of IMAP commands, over and over
void run_logins(Bench& bench);    // connect, LOGIN, SELECT, LOGOUT
void run_deliveries(Bench& bench);
void run_appends(Bench& bench);
void run_fill(Bench& bench);  // the corpus into a mailbox, unmeasured
void run_pop3(Bench& bench);
void run_idle(Bench& bench);      // connections that do nothing, then get mail, then fetch, then do nothing
void run_fairness(Bench& bench);  // how long NOOP takes while others have much to do
void run_mixed(Bench& bench);     // what mail programs do all day
void run_limits(Bench& bench);    // what the machine can do at most
void run_corpus(Bench& bench);    // the corpus as a Maildir

}  // namespace postkeep::bench
