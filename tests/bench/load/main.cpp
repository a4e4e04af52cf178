// postkeep-bench WORKLOAD [options]: makes load for a mail server and prints what it saw as a line of JSON. It measures
// its own side alone; tests/bench/compare.py starts servers, lets it wait before each measured phase (--steps), and
// reads what the servers used meanwhile.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "tests/bench/load/workload.h"

using namespace postkeep::bench;

namespace {

const std::map<std::string, void (*)(Bench&)> workloads = {
    {"command", run_commands}, {"login", run_logins},  {"deliver", run_deliveries}, {"append", run_appends},
    {"fill", run_fill},        {"pop3", run_pop3},     {"idle", run_idle},          {"fairness", run_fairness},
    {"mixed", run_mixed},      {"limits", run_limits}, {"corpus", run_corpus}};

void declare_where(CLI::App& app, Options& options) {
  app.add_option("--host", options.host, "The server's address");
  app.add_option("--port", options.port, "Its port of the protocol that the workload speaks");
  app.add_option("--lmtp-port", options.lmtp_port, "Its port of LMTP, where mail has to arrive too");
  app.add_flag("--tls", options.use_tls, "TLS from the first octet; certificates are not checked");
  app.add_flag("--resume", options.resume, "TLS connections resume the session of an earlier one");
  app.add_flag("--compress", options.compress, "COMPRESS=DEFLATE after login");
  app.add_option("--user", options.user, "Users' name; % stands for a number");
  app.add_option("--first-user", options.first_user, "The first number");
  app.add_option("--users", options.users, "How many users there are")->check(CLI::PositiveNumber);
  app.add_option("--password", options.password);
  app.add_option("--recipient-suffix", options.recipient_suffix, "Follows a user's name in RCPT, \"@example.org\"");
}

void declare_what(CLI::App& app, Options& options) {
  app.add_flag("--steps", options.steps, "Say {\"event\": \"ready\"} before the measured phase, and wait for a line");
  app.add_option("--connections", options.connections, "At one time")->check(CLI::PositiveNumber);
  app.add_option("--count", options.count, "Operations, over all connections");
  app.add_option("--warm-up", options.warm_up, "Operations before the measured ones");
  app.add_option("--batch", options.batch, "Messages in one piece")->check(CLI::PositiveNumber);
  app.add_option("--recipients", options.recipients, "Of one message")->check(CLI::PositiveNumber);
  app.add_option("--seconds", options.seconds, "How long, where it is a time that is given or the count is 0");
  app.add_option("--size", options.size, "Octets of a message");
  app.add_option("--seed", options.seed, "Of the corpus; makes messages of one run differ from those of another");
  app.add_option("--mode", options.mode, "append: single, multi, pipelined; pop3: single, pipelined");
  app.add_option("--mailbox", options.mailbox);
  app.add_option("--folder", options.folder, "corpus: the Maildir to make; limits: where to write");
  app.add_option("--before", options.before, "command: IMAP commands that are not measured")->take_all();
  app.add_option("--command", options.commands, "command: IMAP commands that are")->take_all();
  app.add_flag("--new-mail", options.new_mail, "command: a message comes before each round of commands, unmeasured");
  app.add_option("--expect", options.expect, "command: untagged responses to each, at least");
  app.add_option("--burst", options.notice_command, "idle: the command of the burst");
  app.add_option("--busy-user", options.notice_command, "fairness: whose mailbox is fetched and searched");
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App app("Load for a mail server");
  Options options;
  std::string workload;
  app.add_option("workload", workload)->required()->check(CLI::IsMember(workloads));
  declare_where(app, options);
  declare_what(app, options);
  CLI11_PARSE(app, count, arguments);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  Bench bench(options);
  try {
    workloads.at(workload)(bench);
  } catch (const std::exception& error) {
    std::cerr << "postkeep-bench " << workload << ": " << error.what() << std::endl;
    // Coroutines that still wait refer to what the exception has taken away: they are not ended but left.
    std::_Exit(1);
  }
  return 0;
}
