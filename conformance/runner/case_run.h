// CaseRun: one case of a script at a server: the mailboxes that it wants, its steps, what came back, and tidying up,
// all by IMAP, so that any server can be asked.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conformance/runner/connection.h"
#include "conformance/runner/script.h"

namespace postkeep::conformance {

struct Account {
  std::string user;
  std::string password;
};

struct Target {
  Endpoint imap;
  std::array<Account, 2> accounts;  // the second one's user is "" if there is none
  std::optional<Endpoint> lmtp;
};

enum class Mode { rev1, rev2 };
std::string_view to_string(Mode mode);

struct CaseResult {
  enum class Verdict { passed, failed, skipped };
  Verdict verdict = Verdict::passed;
  std::string reason;                 // of what failed or was skipped
  int line = 0;                       // of the script, where it failed
  std::vector<std::string> exchange;  // all that was said on the case's connections
};

class CaseRun {
 public:
  // `number` is in the names of the mailboxes, and unique within a run of the program. All outlive the object.
  CaseRun(const Target& target, const Fixtures& fixtures, Mode mode, int number);
  ~CaseRun();
  CaseResult run(const Case& one);

 private:
  using Responses = std::vector<imap::client::Response>;
  struct Client {
    std::unique_ptr<Connection> connection;
    int tags = 0;
    std::string last_tag;
    std::map<std::string, std::string> sent;  // tags of send, by the script's name for them
  };
  enum class Until { tagged, tagged_or_continuation, satisfied };

  Outcome prepare(const Case& one);
  std::optional<std::string> why_skipped(const Case& one) const;
  Outcome run_step(const Step& step);
  Outcome deliver(const Step& step);
  Outcome evaluate(const Step& step, Client& client, const std::string& tag, Until until);
  Outcome judge(const Step& step, const std::string& tag, const Responses& responses, Connection& connection);
  bool satisfied(const Step& step, const std::string& tag, const Responses& responses);
  std::optional<std::size_t> find(const Expectation& wanted, const std::string& tag, const Responses& responses,
                                  const std::set<std::size_t>& used, std::size_t from);
  bool fits(const Expectation& wanted, const std::string& tag, const imap::client::Response& response);
  // Sends a command whose literals may have to wait for "+". False: the server answered before it was sent whole.
  Result<bool> send_command(Client& client, const std::string& tag, const std::string& text, Responses& early);
  Result<Client*> client_of(const Step& step);
  Result<std::unique_ptr<Connection>> log_in(const Account& account, std::string name, std::vector<std::string>& log);
  // On the housekeeping connection: the untagged responses of a command that must be OK.
  Result<Responses> ask(const std::string& command);
  Outcome append(const std::string& mailbox, const Message& message);
  void tidy_up(const Case& one);

  const Target& target_;
  const Fixtures& fixtures_;
  Mode mode_;
  std::string prefix_;
  Variables variables_;
  std::vector<std::string> exchange_;
  std::vector<std::string> housekeeping_log_;
  std::unique_ptr<Connection> housekeeping_;
  int housekeeping_tags_ = 0;
  std::set<std::string> capabilities_;
  std::map<char, Client> clients_;
  Responses pending_;  // read, and not yet asked for by a step (pipelining)
  int failed_line_ = 0;
};

}  // namespace postkeep::conformance
