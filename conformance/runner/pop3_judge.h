// Pop3Judge: whether what a POP3 server answered is what the lines below a step ask for. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conformance/runner/pattern.h"
#include "conformance/runner/pop3_script.h"

namespace postkeep::conformance {

// What came of a step.
struct Pop3Reply {
  std::vector<std::string> statuses;  // "+OK ...", "-ERR ..."; several only where raw octets were sent
  bool continues = false;             // "+ ..." came
  std::vector<std::string> lines;     // of an answer in several lines, stuffing removed; of raw octets all that came
  std::string octets;                 // all of it as it came
  bool closed = false;

  std::string content() const;  // the lines, each with CRLF
};

class Pop3Judge {
 public:
  // Variables are bound there, by judge() alone. Both outlive the object.
  Pop3Judge(Variables& variables, const Fixtures& fixtures) : variables_(variables), fixtures_(fixtures) {}

  // All that must come is there.
  bool satisfied(const std::vector<Pop3Expectation>& expectations, const Pop3Reply& reply);
  // The reply is not the one asked for, but one that an "optional" line lets end the case.
  bool may_end(const std::vector<Pop3Expectation>& expectations, const Pop3Reply& reply);
  // Errors: cannot, which line asks for something else.
  Outcome judge(const std::vector<Pop3Expectation>& expectations, const Pop3Reply& reply);
  // Of the script; 0: none.
  int failed_line() const { return failed_line_; }

 private:
  struct Position;
  bool status_fits(const Pop3Expectation& wanted, std::string_view status);
  bool words_fit(const std::vector<std::string>& pattern, std::string_view text);
  bool word_fits(const std::string& pattern, const std::string& word);
  bool is_or_becomes(const std::string& wanted, const std::string& value);
  std::string expected_content(const Pop3Expectation& wanted) const;
  // "": it is there.
  std::string why_not(const Pop3Expectation& wanted, const Pop3Reply& reply, Position& position);

  Variables& variables_;
  const Fixtures& fixtures_;
  int failed_line_ = 0;
};

}  // namespace postkeep::conformance
