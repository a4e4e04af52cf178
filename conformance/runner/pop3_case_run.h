// Pop3CaseRun: one case of a POP3 script at a server: its steps, and what came back. INBOX is filled and emptied by
// IMAP (housekeeper), since POP3 can only empty it.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conformance/runner/case_run.h"
#include "conformance/runner/housekeeper.h"
#include "conformance/runner/pop3_judge.h"
#include "conformance/runner/pop3_session.h"

namespace postkeep::conformance {

class Pop3CaseRun {
 public:
  // `capabilities`: pop3_capabilities(). All outlive the object.
  Pop3CaseRun(const Target& target, const Fixtures& fixtures, Housekeeper& housekeeper,
              const std::set<std::string>& capabilities);
  Pop3CaseRun(const Pop3CaseRun&) = delete;
  Pop3CaseRun& operator=(const Pop3CaseRun&) = delete;
  CaseResult run(const Case& one);

 private:
  struct Client {
    std::unique_ptr<Connection> connection;
    std::string greeting;  // until the first step of the connection is over
    struct Sent {
      std::string tag;
      std::string command;
    };
    std::deque<Sent> sent;  // whose answers were not read yet, in order
    std::map<std::string, Pop3Reply> answered;
  };

  Outcome prepare(const Case& one);
  std::optional<std::string> why_skipped(const Case& one) const;
  Outcome run_step(const Step& step);
  Outcome wait_for(const Step& step, Client& client);
  Outcome see_raw(const Step& step, Client& client);
  Outcome see_nothing(Client& client);
  Outcome judge(const Step& step, Pop3Reply reply, Connection& connection);
  Result<Client*> client_of(const Step& step);

  const Target& target_;
  Housekeeper& housekeeper_;
  const std::set<std::string>& capabilities_;
  Variables variables_;
  Pop3Judge judge_;
  bool ended_ = false;  // by a reply that the RFC allows and that leaves nothing to see
  std::vector<std::string> exchange_;
  std::map<char, Client> clients_;
};

}  // namespace postkeep::conformance
