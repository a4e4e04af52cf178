// See judge.h.
#include "conformance/runner/judge.h"

#include <algorithm>
#include <regex>
#include <utility>

#include "protocol/base/ascii.h"

namespace postkeep::conformance {

using imap::client::Response;

namespace {

using ExpectationKind = Expectation::Kind;
using Demand = Expectation::Demand;

constexpr std::size_t line_octets_max = 4096;  // that a regex looks at: std::regex recurses

// A response as one row of values: "* 2 FETCH (...)" is 2, FETCH and a list. The names and values of ESEARCH are made a
// list too, as FETCH has them.
std::vector<Value> row_of(const Response& response) {
  std::vector<Value> row;
  const auto atom = [](std::string text) {
    Value value;
    value.kind = Value::Kind::atom;
    value.text = std::move(text);
    return value;
  };
  if (response.number) row.push_back(atom(std::to_string(*response.number)));
  row.push_back(atom(response.name));
  std::size_t begin = 0;
  if (response.name == "ESEARCH") {
    Value pairs;
    pairs.kind = Value::Kind::list;
    while (begin < response.data.size() &&
           (response.data[begin].kind == Value::Kind::list || ascii::iequals(response.data[begin].text, "UID"))) {
      row.push_back(response.data[begin++]);
    }
    pairs.items.assign(response.data.begin() + static_cast<std::ptrdiff_t>(begin), response.data.end());
    row.push_back(std::move(pairs));
    return row;
  }
  row.insert(row.end(), response.data.begin(), response.data.end());
  return row;
}

bool is_word(const Pattern& pattern, std::string_view word) {
  return pattern.kind == Pattern::Kind::atom && ascii::iequals(pattern.text, word);
}

bool has_pairs(const std::vector<Pattern>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [](const Pattern& pattern) {
    return is_word(pattern, "FETCH") || is_word(pattern, "STATUS") || is_word(pattern, "ESEARCH");
  });
}

// As row_of() makes of the response.
std::vector<Pattern> row_of(const std::vector<Pattern>& patterns) {
  if (patterns.empty() || !is_word(patterns[0], "ESEARCH")) return patterns;
  std::size_t begin = 1;
  while (begin < patterns.size() && (patterns[begin].kind == Pattern::Kind::list || is_word(patterns[begin], "UID"))) {
    ++begin;
  }
  if (begin < patterns.size() && patterns[begin].kind == Pattern::Kind::rest) return patterns;
  std::vector<Pattern> row(patterns.begin(), patterns.begin() + static_cast<std::ptrdiff_t>(begin));
  Pattern pairs;
  pairs.kind = Pattern::Kind::list;
  pairs.items.assign(patterns.begin() + static_cast<std::ptrdiff_t>(begin), patterns.end());
  // (TAG x) is a list of names and values as well, which it is.
  row.push_back(std::move(pairs));
  return row;
}

// What stands in "[...]", as values: read as data of a response of its own.
std::vector<Value> code_values(const std::string& code) {
  imap::client::ResponseParser parser;
  parser.feed("* CODE " + code + "\r\n");
  const auto response = parser.next();
  if (!response || !*response) return {};
  return (*response)->data;
}

bool any_line_matches(std::string_view text, const std::string& pattern) {
  const std::regex regex(pattern);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\r\n"), text.size());
    const std::string line(text.substr(0, std::min(end, line_octets_max)));
    if (std::regex_search(line, regex)) return true;
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return false;
}

}  // namespace

bool Judge::fits(const Expectation& wanted, const std::string& tag, const Response& response) {
  switch (wanted.kind) {
    case ExpectationKind::continuation:
      return response.kind == Response::Kind::continuation;
    case ExpectationKind::tagged:
      // A line that has no tag of its own is answered without one.
      if (wanted.tag.empty() && tag.empty() && response.kind == Response::Kind::untagged) break;
      if (response.kind != Response::Kind::tagged) return false;
      // Where raw octets were sent, the tag may be any.
      if (!wanted.tag.empty() ? response.tag != wanted.tag : !tag.empty() && response.tag != tag) return false;
      break;
    case ExpectationKind::untagged:
      if (response.kind != Response::Kind::untagged) return false;
      break;
    default:
      return false;
  }
  Matcher matcher(variables_, fixtures_);
  if (wanted.statuses.empty()) {
    const Shape shape = has_pairs(wanted.patterns) ? Shape::pairs : Shape::sequence;
    return matcher.fits(row_of(wanted.patterns), row_of(response), shape);
  }
  return std::any_of(wanted.statuses.begin(), wanted.statuses.end(), [&](const Expectation::Status& status) {
    return status.condition == response.name &&
           (status.code.empty() || matcher.fits(status.code, code_values(response.code)));
  });
}

std::optional<std::size_t> Judge::find(const Expectation& wanted, const Answer& answer,
                                       const std::set<std::size_t>& used, std::size_t from) {
  for (std::size_t i = from; i < answer.responses.size(); ++i) {
    if (used.count(i) == 0 && fits(wanted, answer.tag, answer.responses[i])) return i;
  }
  return std::nullopt;
}

bool Judge::satisfied(const std::vector<Expectation>& expectations, const Answer& answer) {
  const Variables before = variables_;
  std::set<std::size_t> used;
  bool all = true;
  for (const Expectation& wanted : expectations) {
    const bool matters = wanted.demand == Demand::must && wanted.kind != ExpectationKind::nothing_else;
    if (!matters || !all) continue;
    const std::optional<std::size_t> at = find(wanted, answer, used, 0);
    if (at) used.insert(*at);
    all = at.has_value();
  }
  variables_ = before;
  return all;
}

bool Judge::may_end(const std::vector<Expectation>& expectations, const Answer& answer) {
  const Variables before = variables_;
  const auto replied = [&](Demand demand) {
    return std::any_of(expectations.begin(), expectations.end(), [&](const Expectation& wanted) {
      return wanted.kind == ExpectationKind::tagged && wanted.demand == demand && find(wanted, answer, {}, 0);
    });
  };
  const bool ends = !replied(Demand::must) && replied(Demand::may);
  variables_ = before;
  return ends;
}

tl::unexpected<Error> Judge::fail(const Expectation& wanted, const std::string& what) {
  failed_line_ = wanted.line;
  return failure(ErrorKind::cannot, what + ": line " + std::to_string(wanted.line) + ": " + wanted.source);
}

Outcome Judge::judge(const std::vector<Expectation>& expectations, const Answer& answer) {
  if (may_end(expectations, answer)) return see_what_must_not(expectations, answer);
  std::set<std::size_t> used;
  TRY(see_what_must_come(expectations, answer, used));
  TRY(see_what_must_not(expectations, answer));
  const bool nothing_else = std::any_of(expectations.begin(), expectations.end(), [](const Expectation& wanted) {
    return wanted.kind == ExpectationKind::nothing_else;
  });
  for (std::size_t i = 0; nothing_else && i < answer.responses.size(); ++i) {
    const Response& response = answer.responses[i];
    if (response.kind != Response::Kind::untagged || used.count(i) == 1) continue;
    return failure(ErrorKind::cannot, "more came: " + response.name + " " + response.text);
  }
  return {};
}

Outcome Judge::see_what_must_come(const std::vector<Expectation>& expectations, const Answer& answer,
                                  std::set<std::size_t>& used) {
  std::size_t last = 0;  // behind what the line before matched
  for (const Expectation& wanted : expectations) {
    if (wanted.kind == ExpectationKind::nothing_else || wanted.demand == Demand::must_not) continue;
    if (wanted.kind == ExpectationKind::closed) {
      if (!answer.closed) return fail(wanted, "the connection was not closed");
      continue;
    }
    const std::optional<std::size_t> at = find(wanted, answer, used, wanted.then ? last : 0);
    if (!at && wanted.demand == Demand::must) return fail(wanted, "did not come");
    if (!at) continue;
    used.insert(*at);
    last = *at + 1;
  }
  return {};
}

Outcome Judge::see_what_must_not(const std::vector<Expectation>& expectations, const Answer& answer) {
  for (const Expectation& wanted : expectations) {
    if (wanted.demand != Demand::must_not) continue;
    const Variables before = variables_;
    const bool came = wanted.kind == ExpectationKind::raw_regex ? any_line_matches(answer.octets, wanted.regex)
                                                                : find(wanted, answer, {}, 0).has_value();
    variables_ = before;
    if (came) return fail(wanted, "came");
  }
  return {};
}

}  // namespace postkeep::conformance
