// See pop3_script.h.
#include "conformance/runner/pop3_script.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "conformance/runner/pattern.h"
#include "protocol/base/ascii.h"

namespace postkeep::conformance {

namespace {

using Kind = Pop3Expectation::Kind;
using Pop3Demand = Pop3Expectation::Demand;

bool take(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  return true;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::istringstream in{std::string(text)};
  for (std::string word; std::getline(in, word, ' ');) words.push_back(word);
  return words;
}

bool is_in(std::string_view text, char mark) { return text.size() > 1 && text.front() == mark && text.back() == mark; }

// "OK", "ERR [CODE]|ERR", "OK 2 $octets": words end the alternatives.
Outcome parse_status(std::string_view text, Pop3Expectation& wanted) {
  wanted.kind = Kind::status;
  for (;;) {
    Pop3Expectation::Status status;
    status.ok = text.starts_with("OK");
    if (!take(text, "OK") && !take(text, "ERR")) return failure(ErrorKind::bad_syntax, "expected OK or ERR");
    if (take(text, " [")) {
      const std::size_t end = text.find(']');
      if (end == std::string_view::npos) return failure(ErrorKind::bad_syntax, "expected [CODE]");
      status.code = text.substr(0, end);
      text.remove_prefix(end + 1);
    }
    if (take(text, " ")) {
      status.words = words_of(text);
      text = {};
    }
    wanted.statuses.push_back(std::move(status));
    if (text.empty()) return {};
    if (!take(text, "|")) return failure(ErrorKind::bad_syntax, "unknown expectation");
  }
}

Outcome parse_line(std::string_view text, Pop3Expectation& wanted) {
  wanted.kind = Kind::line;
  if (is_in(text, '/')) {
    wanted.regex = text.substr(1, text.size() - 2);
    return check_regex(wanted.regex);
  }
  wanted.words = words_of(text);
  for (const std::string& word : wanted.words) {
    if (is_in(word, '/')) TRY(check_regex(word.substr(1, word.size() - 2)));
  }
  return {};
}

Outcome parse_top(std::string_view text, Pop3Expectation& wanted) {
  const std::size_t end = text.find(" of ");  // npos, too, is more than a number has
  if (end > 6 || !ascii::all(text.substr(0, end), ascii::is_digit)) {
    return failure(ErrorKind::bad_syntax, "expected: top N of FIXTURE");
  }
  wanted.top_lines = std::stoi(std::string(text.substr(0, end)));
  wanted.text = text.substr(end + 4);
  return {};
}

Outcome parse_content(std::string_view text, Pop3Expectation& wanted) {
  wanted.kind = Kind::content;
  wanted.is_fixture = true;
  if (take(text, "top ")) return parse_top(text, wanted);
  if (take(text, "message ")) {
    wanted.text = text;
    return {};
  }
  take(text, "text ");
  if (!is_in(text, '"')) return failure(ErrorKind::bad_syntax, "a text stands in quotes");
  wanted.is_fixture = false;
  wanted.text = text.substr(1, text.size() - 2);
  return {};
}

Outcome parse_wanted(std::string_view text, Pop3Expectation& wanted) {
  if (text == "closed") {
    wanted.kind = Kind::closed;
  } else if (text == "+") {
    wanted.kind = Kind::continuation;
  } else if (is_in(text, '/')) {
    wanted.kind = Kind::raw_regex;
    wanted.regex = text.substr(1, text.size() - 2);
    return check_regex(wanted.regex);
  } else if (take(text, "line ")) {
    return parse_line(text, wanted);
  } else if (take(text, "lines ")) {
    wanted.kind = Kind::count;
    wanted.text = text;
  } else if (take(text, "size ")) {
    wanted.kind = Kind::size;
    wanted.text = text;
  } else if (text.starts_with("message ") || text.starts_with("top ") || text.starts_with("text ")) {
    return parse_content(text, wanted);
  } else {
    return parse_status(text, wanted);
  }
  return {};
}

}  // namespace

Result<Pop3Expectation> parse_pop3_expectation(std::string_view text, int line) {
  Pop3Expectation wanted;
  wanted.source = text;
  wanted.line = line;
  wanted.then = take(text, "then ");
  if (take(text, "not ")) wanted.demand = Pop3Demand::must_not;
  if (take(text, "optional ")) wanted.demand = Pop3Demand::may;
  TRY(parse_wanted(text, wanted));
  const bool plain = wanted.demand == Pop3Demand::must;
  if (wanted.then && (wanted.kind != Kind::line || !plain)) {
    return failure(ErrorKind::bad_syntax, "\"then\" stands before a line");
  }
  if (wanted.kind == Kind::raw_regex && wanted.demand != Pop3Demand::must_not) {
    return failure(ErrorKind::bad_syntax, "\"not\" stands before a regular expression");
  }
  if (wanted.demand == Pop3Demand::may && wanted.kind != Kind::status) {
    return failure(ErrorKind::bad_syntax, "\"optional\" stands before a reply");
  }
  if (wanted.demand == Pop3Demand::must_not && wanted.kind != Kind::raw_regex && wanted.kind != Kind::line) {
    return failure(ErrorKind::bad_syntax, "\"not\" stands before a line or a regular expression");
  }
  return wanted;
}

}  // namespace postkeep::conformance
