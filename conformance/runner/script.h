// Script: a file of cases, parsed. conformance/README.md has the language. Pure but for read_scripts().
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/runner/pattern.h"
#include "conformance/runner/pop3_script.h"
#include "protocol/base/result.h"

namespace postkeep::conformance {

// What one line below a step asks of the responses.
struct Expectation {
  enum class Kind {
    untagged,      // * ...
    continuation,  // +
    tagged,        // OK, NO|BAD ...; with `tag` where a step sent raw octets
    closed,        // the server closes the connection
    nothing_else,  // no untagged responses but those that other lines ask for
    raw_regex,     // not /.../: no line of the answer matches
  };
  enum class Demand { must, must_not, may };
  Kind kind = Kind::untagged;
  Demand demand = Demand::must;
  bool then = false;  // after what the line before matched
  std::string tag;    // of tagged; "": the command's own
  // Of tagged and of "* OK [...]": one of these.
  struct Status {
    std::string condition;      // "OK", "NO", "BAD", "BYE", "PREAUTH"
    std::vector<Pattern> code;  // empty: any or none
  };
  std::vector<Status> statuses;
  std::vector<Pattern> patterns;  // of untagged
  std::string regex;
  std::string source;  // the line as written
  int line = 0;
};

// One thing a connection does, and what must come of it.
struct Step {
  enum class Kind {
    command,       // A: TEXT
    raw,           // A raw: "OCTETS"
    send,          // A send TAG: TEXT, without waiting
    await,         // A await TAG
    line,          // A+ TEXT: a line without a tag
    sees,          // A sees:
    sees_nothing,  // A sees nothing
    close,         // A close: the client hangs up
    handshake,     // A tls: TLS begins here
    deliver,       // deliver USER: FIXTURE
  };
  Kind kind = Kind::command;
  char connection = 'A';
  int user = 1;               // that it logs in as, when it is opened here
  bool authenticated = true;  // false: opened without login
  std::string text;
  std::string tag;  // of send and await
  std::vector<Expectation> expectations;
  std::vector<Pop3Expectation> pop3;  // instead, in scripts of POP3
  std::string source;
  int line = 0;
};

struct Message {
  std::string fixture;
  std::string flags;  // as in APPEND, without parentheses
};

// A mailbox that is made before the case; or only a name that is free; or INBOX, which gets messages.
struct Given {
  std::string variable;
  bool create = true;
  std::vector<Message> messages;
};

struct Case {
  std::string name;
  std::vector<std::string> proves;  // ids of requirements
  std::vector<std::string> needs;   // each "CAPABILITY" or "A|B" or "A|rev2"
  bool rev1 = true;
  bool rev2 = true;
  std::vector<Given> given;
  std::vector<Step> steps;
  int line = 0;
  bool uses_inbox = false;
  bool delivers = false;
};

// What the connections of a script speak.
enum class Speaks { imap, pop3 };

struct Script {
  std::string path;   // "rfc9051/6.4.3-expunge", without extension
  std::string title;  // "RFC 9051 §6.4.3: EXPUNGE"
  Speaks protocol = Speaks::imap;
  std::vector<Case> cases;
};

// Errors: bad_syntax, with the line.
Result<Script> parse_script(std::string path, std::string_view text);
// All *.script files below the folder, sorted by path. Errors: not_found, bad_syntax.
Result<std::vector<Script>> read_scripts(const std::string& folder);
// All *.eml files of the folder, by name without extension. Errors: not_found.
Result<Fixtures> read_fixtures(const std::string& folder);
Result<std::string> read_text_file(const std::string& path);

}  // namespace postkeep::conformance
