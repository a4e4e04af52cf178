// Completion in shells: `postkeep complete -- WORD...` says what may stand where the last word is being typed. The
// scripts of `postkeep completion SHELL` only ask it and show what it says, so that everything comes from the table of
// commands.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"

namespace postkeep::admin {

struct Candidate {
  std::string word;
  std::string help;  // may be empty
};

struct Completion {
  std::vector<Candidate> candidates;
  bool files = false;  // names of files may stand there, which shells know better
};

// Runs a command of this program, like {"user", "list", "--names"}, and returns the lines it prints; none if it fails.
using RunForLines = std::function<std::vector<std::string>(const std::vector<std::string>& words)>;

// `words` are those behind "postkeep" as typed so far, the last one possibly empty. Only what begins with the last word
// is offered.
Completion complete(const std::vector<std::string>& words, const RunForLines& run);

// For "bash", "zsh" and "fish". Errors: bad_syntax.
Result<std::string> completion_script(std::string_view shell);

}  // namespace postkeep::admin
