// Judge: whether what a server answered is what the lines below a step ask for. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conformance/runner/script.h"

namespace postkeep::conformance {

// What came of a step.
struct Answer {
  std::string tag;  // of the command; "" where raw octets were sent
  std::vector<imap::client::Response> responses;
  std::string octets;  // all of it as it came
  bool closed = false;
};

class Judge {
 public:
  // Variables are bound there, by judge() alone. Both outlive the object.
  Judge(Variables& variables, const Fixtures& fixtures) : variables_(variables), fixtures_(fixtures) {}

  // All that must come is there.
  bool satisfied(const std::vector<Expectation>& expectations, const Answer& answer);
  // The reply is not the one asked for, but one that an "optional" line lets end the case: the RFC leaves the server
  // the choice. Then nothing must come, and judge() looks at what must not.
  bool may_end(const std::vector<Expectation>& expectations, const Answer& answer);
  // Errors: cannot, which line asks for something else.
  Outcome judge(const std::vector<Expectation>& expectations, const Answer& answer);
  // Of the script; 0: none.
  int failed_line() const { return failed_line_; }

 private:
  bool fits(const Expectation& wanted, const std::string& tag, const imap::client::Response& response);
  std::optional<std::size_t> find(const Expectation& wanted, const Answer& answer, const std::set<std::size_t>& used,
                                  std::size_t from);
  Outcome see_what_must_come(const std::vector<Expectation>& expectations, const Answer& answer,
                             std::set<std::size_t>& used);
  Outcome see_what_must_not(const std::vector<Expectation>& expectations, const Answer& answer);
  tl::unexpected<Error> fail(const Expectation& wanted, const std::string& what);

  Variables& variables_;
  const Fixtures& fixtures_;
  int failed_line_ = 0;
};

}  // namespace postkeep::conformance
