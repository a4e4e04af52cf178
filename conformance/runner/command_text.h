// A command of a script as it is sent: its variables and literals filled in. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conformance/runner/pattern.h"

namespace postkeep::conformance {

struct Piece {
  std::string octets;
  bool waits = false;  // the server has to ask for what follows: a synchronising literal was announced
};

// At least one; the last ends with CRLF. Errors: bad_syntax, for a literal that is not closed or of no known fixture.
Result<std::vector<Piece>> pieces_of(std::string_view command, const Fixtures& fixtures, const Variables& variables);
// Names of the fixtures that its literals are of.
std::vector<std::string> fixtures_in(std::string_view command);

}  // namespace postkeep::conformance
