// What a script says about the answers of a POP3 server: the lines below a step, parsed. conformance/README.md has the
// language. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"

namespace postkeep::conformance {

struct Pop3Expectation {
  enum class Kind {
    status,        // OK, ERR [CODE], OK 2 $octets
    continuation,  // +
    line,          // line ...: one of the lines of the answer
    count,         // lines N
    content,       // message NAME, top N of NAME, text "...": all lines, stuffing removed
    size,          // size N: the octets of that
    closed,        // the server closes the connection
    raw_regex,     // not /.../: no line that came matches
  };
  enum class Demand { must, must_not, may };
  // One of those that the reply may be.
  struct Status {
    bool ok = true;
    std::string code;                // what stands in brackets, without case; "": any or none
    std::vector<std::string> words;  // of the text; empty: any
  };
  Kind kind = Kind::status;
  Demand demand = Demand::must;
  bool then = false;  // behind the line that the expectation before found
  std::vector<Status> statuses;
  std::vector<std::string> words;  // of line
  std::string regex;               // of line instead, and of raw_regex
  std::string text;                // of content: the fixture, or the text; of count and size: a number or a variable
  bool is_fixture = false;         // of content
  int top_lines = -1;              // of content: only so many lines of the body; -1: all
  std::string source;              // the line as written
  int line = 0;
};

// Errors: bad_syntax.
Result<Pop3Expectation> parse_pop3_expectation(std::string_view text, int line);

}  // namespace postkeep::conformance
