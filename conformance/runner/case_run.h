// CaseRun: one case of a script at a server: its steps, and what came back.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conformance/runner/housekeeper.h"
#include "conformance/runner/judge.h"
#include "conformance/runner/script.h"
#include "conformance/runner/session.h"

namespace postkeep::conformance {

struct CaseResult {
  enum class Verdict { passed, failed, skipped };
  Verdict verdict = Verdict::passed;
  std::string reason;                 // of what failed or was skipped
  int line = 0;                       // of the script, where it failed
  std::vector<std::string> exchange;  // all that was said on the case's connections
};

// Whether a server with these capabilities has what a case needs: "CAPABILITY", "A|B", "NAME=" for any value, "rev2".
bool has_capability(const std::string& need, const std::set<std::string>& capabilities, Mode mode);
// $user1, $password1, $plain1 (the initial response of PLAIN), and those of the second one.
void set_account_variables(const Target& target, Variables& variables);

class CaseRun {
 public:
  // `number` is in the names of the mailboxes, and unique within a run of the program. All outlive the object.
  CaseRun(const Target& target, const Fixtures& fixtures, Housekeeper& housekeeper, Mode mode, int number);
  CaseRun(const CaseRun&) = delete;
  CaseRun& operator=(const CaseRun&) = delete;
  CaseResult run(const Case& one);

 private:
  struct Client {
    std::unique_ptr<Connection> connection;
    int tags = 0;
    std::string last_tag;
    std::map<std::string, std::string> sent;     // tags of send that nobody awaited yet, by the script's name for them
    std::deque<imap::client::Response> pending;  // read, and not yet asked for by a step
  };
  enum class Until { tagged, tagged_or_continuation, satisfied };

  Outcome prepare(const Case& one);
  std::optional<std::string> why_skipped(const Case& one) const;
  Outcome run_step(const Step& step);
  Outcome run_command(const Step& step, Client& client);
  Outcome see_nothing(Client& client);
  Outcome evaluate(const Step& step, Client& client, const std::string& tag, Until until);
  // Reads until the answer is complete; false: it is not, as nothing more came in time.
  Result<bool> collect(const Step& step, Client& client, Until until, Answer& answer);
  Result<std::optional<imap::client::Response>> next_of(Client& client);
  // Sends a command, whose literals may have to wait for "+". False: the server answered before it was sent whole.
  Result<bool> send_command(Client& client, const std::string& tag, const std::string& text);
  Result<Client*> client_of(const Step& step);
  static std::string next_tag(const Step& step, Client& client);

  const Target& target_;
  const Fixtures& fixtures_;
  Housekeeper& housekeeper_;
  Mode mode_;
  std::string prefix_;
  Variables variables_;
  Judge judge_;
  bool ended_ = false;  // by a reply that the RFC allows and that leaves nothing to see
  std::vector<std::string> exchange_;
  std::map<char, Client> clients_;
};

}  // namespace postkeep::conformance
