// Pattern: what a script says about a value that a server sent, and whether one fits. conformance/README.md has the
// language. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/imap/client/response_parser.h"

namespace postkeep::conformance {

using imap::client::Value;

// Variables by name, without "$"; and the octets of fixtures by name.
using Variables = std::map<std::string, std::string>;
using Fixtures = std::map<std::string, std::string>;

struct Pattern {
  enum class Kind {
    atom,    // text: compared without case
    string,  // text: exactly
    nil,
    any,         // _
    rest,        // ...: any values from here on; with text: the variable that they are bound to
    variable,    // $text
    regex,       // /text/: somewhere in the value's text
    compare,     // text is "<", "<=", ">" or ">="; operand is a number or a variable
    number_set,  // set:text: the same numbers
    fixture,     // {{text}}: exactly its octets
    octets,      // octets text: so many
    list,        // ( ): in order; where names and values stand (FETCH) pairs in any order, and others may be there
    only,        // only ( ): likewise, and no others
    set,         // { }: in any order
    choice,      // a|b: one of them
  };
  Kind kind = Kind::any;
  std::string text;
  std::string operand;
  std::vector<Pattern> items;
};

// The patterns of a line, as far as it goes. Errors: bad_syntax, also for a regular expression that is none.
Result<std::vector<Pattern>> parse_patterns(std::string_view text);

// "$name" for its value where `name` is bound, and "@@" for the hierarchy separator (the variable "@@").
std::string substituted(std::string_view text, const Variables& variables);
// Of the name behind the "$" that the text begins with; 0 if it begins with no variable.
std::size_t variable_length(std::string_view text);
// Escapes \r \n \t \" \\ \xHH undone; has_bad_escape(): a \x without two digits behind it.
std::string unescaped(std::string_view text);
bool has_bad_escape(std::string_view text);
// Errors: bad_syntax.
Outcome check_regex(const std::string& regex);
std::optional<std::uint64_t> number_of(std::string_view text);
// "1:3,5" as numbers; larger than 100,000 elements are cut.
std::set<std::uint64_t> numbers_of(std::string_view set);

enum class Shape {
  sequence,  // values in order
  pairs,     // names and values: FETCH, STATUS, ESEARCH
};

class Matcher {
 public:
  Matcher(Variables& variables, const Fixtures& fixtures) : variables_(variables), fixtures_(fixtures) {}

  // Binds variables where it fits, and leaves them alone where it does not.
  bool fits(const std::vector<Pattern>& patterns, const std::vector<Value>& values, Shape shape = Shape::sequence);

 private:
  bool sequence(const std::vector<Pattern>& patterns, std::size_t p, const std::vector<Value>& values, std::size_t v);
  bool pairs(const std::vector<Pattern>& patterns, const std::vector<Value>& values, bool only);
  bool unordered(const std::vector<Pattern>& patterns, std::size_t p, const std::vector<Value>& values);
  bool one(const Pattern& pattern, const Value& value);
  // The first time a variable is bound, after that it must be the same.
  bool is_or_becomes(const std::string& name, const std::string& text);
  bool variable(const std::string& name, const Value& value);
  bool compare(const Pattern& pattern, const Value& value) const;
  std::string value_of(const std::string& name) const;

  Variables& variables_;
  const Fixtures& fixtures_;
  bool in_pairs_ = false;
};

}  // namespace postkeep::conformance
