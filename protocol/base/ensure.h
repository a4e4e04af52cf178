// ENSURE: what must hold unless we have a bug. Never used on input.
#pragma once

#include <stdexcept>
#include <string>

namespace postkeep {

// Ends the one session (server/imap/session and its like catch it), not the program.
class BugError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

}  // namespace postkeep

#define ENSURE(condition, what_should_hold)                                                  \
  do {                                                                                       \
    if (!(condition)) throw ::postkeep::BugError(std::string("bug: ") + (what_should_hold)); \
  } while (false)
