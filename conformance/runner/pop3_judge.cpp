// See pop3_judge.h.
#include "conformance/runner/pop3_judge.h"

#include <algorithm>
#include <regex>
#include <set>
#include <sstream>

#include "protocol/base/ascii.h"

namespace postkeep::conformance {

namespace {

using Kind = Pop3Expectation::Kind;
using Pop3Demand = Pop3Expectation::Demand;

constexpr std::size_t matched_octets_max = 4096;  // that a regex looks at: std::regex recurses

bool matches(std::string_view text, const std::string& pattern) {
  return std::regex_search(std::string(text.substr(0, matched_octets_max)), std::regex(pattern));
}

bool any_came(std::string_view octets, const std::string& pattern) {
  while (!octets.empty()) {
    const std::size_t end = std::min(octets.find("\r\n"), octets.size());
    if (matches(octets.substr(0, end), pattern)) return true;
    octets.remove_prefix(std::min(end + 2, octets.size()));
  }
  return false;
}

// The code in brackets at the head of a status text, which it takes; "" if there is none.
std::string take_code(std::string_view& text) {
  if (!text.starts_with('[')) return "";
  const std::size_t end = text.find(']');
  if (end == std::string_view::npos) return "";
  std::string code(text.substr(1, end - 1));
  text.remove_prefix(std::min(end + 2, text.size()));
  return code;
}

// The header, the empty line and so many lines of the body (RFC 1939 §7, TOP).
std::string top_of(const std::string& message, int lines) {
  std::size_t end = message.find("\r\n\r\n");
  if (end == std::string::npos) return message;
  end += 4;
  for (int i = 0; i < lines && end < message.size(); ++i) {
    const std::size_t next = message.find("\r\n", end);
    end = next == std::string::npos ? message.size() : next + 2;
  }
  return message.substr(0, end);
}

}  // namespace

// How far the expectations have come.
struct Pop3Judge::Position {
  std::set<std::size_t> statuses;  // used
  std::set<std::size_t> lines;     // used
  std::size_t behind = 0;          // the line that was found last
};

std::string Pop3Reply::content() const {
  std::string all;
  for (const std::string& line : lines) (all += line) += "\r\n";
  return all;
}

bool Pop3Judge::is_or_becomes(const std::string& wanted, const std::string& value) {
  if (!wanted.starts_with('$')) return ascii::iequals(wanted, value);
  return variables_.emplace(wanted.substr(1), value).first->second == value;
}

bool Pop3Judge::word_fits(const std::string& pattern, const std::string& word) {
  if (pattern == "_") return !word.empty();
  if (pattern.size() > 2 && pattern.front() == '/' && pattern.back() == '/') {
    return matches(word, "^(?:" + pattern.substr(1, pattern.size() - 2) + ")$");
  }
  return is_or_becomes(pattern, word);
}

bool Pop3Judge::words_fit(const std::vector<std::string>& pattern, std::string_view text) {
  std::vector<std::string> words;
  std::istringstream in{std::string(text)};
  for (std::string word; std::getline(in, word, ' ');) words.push_back(word);
  const Variables before = variables_;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == "...") return true;
    if (i >= words.size() || !word_fits(pattern[i], words[i])) {
      variables_ = before;
      return false;
    }
  }
  if (words.size() == pattern.size()) return true;
  variables_ = before;
  return false;
}

bool Pop3Judge::status_fits(const Pop3Expectation& wanted, std::string_view status) {
  const bool ok = status.starts_with("+OK");
  std::string_view text = status.substr(std::min<std::size_t>(ok ? 3 : 4, status.size()));
  if (text.starts_with(' ')) text.remove_prefix(1);
  const std::string code = take_code(text);
  return std::any_of(wanted.statuses.begin(), wanted.statuses.end(), [&](const Pop3Expectation::Status& one) {
    if (one.ok != ok || (!one.code.empty() && !ascii::iequals(one.code, code))) return false;
    return one.words.empty() || words_fit(one.words, text);
  });
}

std::string Pop3Judge::expected_content(const Pop3Expectation& wanted) const {
  if (!wanted.is_fixture) return substituted(unescaped(wanted.text), variables_);
  const auto fixture = fixtures_.find(wanted.text);
  std::string message = fixture == fixtures_.end() ? "" : fixture->second;
  if (!message.ends_with("\r\n")) message += "\r\n";
  return wanted.top_lines < 0 ? message : top_of(message, wanted.top_lines);
}

std::string Pop3Judge::why_not(const Pop3Expectation& wanted, const Pop3Reply& reply, Position& position) {
  switch (wanted.kind) {
    case Kind::status:
      for (std::size_t i = 0; i < reply.statuses.size(); ++i) {
        if (position.statuses.count(i) != 0 || !status_fits(wanted, reply.statuses[i])) continue;
        position.statuses.insert(i);
        return "";
      }
      return "did not come";
    case Kind::continuation:
      return reply.continues ? "" : "did not come";
    case Kind::line:
      for (std::size_t i = wanted.then ? position.behind : 0; i < reply.lines.size(); ++i) {
        if (position.lines.count(i) != 0) continue;
        const bool fits =
            wanted.regex.empty() ? words_fit(wanted.words, reply.lines[i]) : matches(reply.lines[i], wanted.regex);
        if (!fits) continue;
        position.lines.insert(i);
        position.behind = i + 1;
        return "";
      }
      return "did not come";
    case Kind::count:
      return is_or_becomes(wanted.text, std::to_string(reply.lines.size())) ? "" : "other lines came";
    case Kind::content:
      return reply.content() == expected_content(wanted) ? "" : "something else came";
    case Kind::size:
      return is_or_becomes(wanted.text, std::to_string(reply.content().size())) ? "" : "another size came";
    case Kind::closed:
      return reply.closed ? "" : "the connection was not closed";
    case Kind::raw_regex:
      return any_came(reply.octets, wanted.regex) ? "" : "did not come";
  }
  return "";
}

bool Pop3Judge::satisfied(const std::vector<Pop3Expectation>& expectations, const Pop3Reply& reply) {
  const Variables before = variables_;
  Position position;
  const bool all = std::all_of(expectations.begin(), expectations.end(), [&](const Pop3Expectation& wanted) {
    return wanted.demand != Pop3Demand::must || wanted.kind == Kind::closed || why_not(wanted, reply, position).empty();
  });
  variables_ = before;
  return all;
}

bool Pop3Judge::may_end(const std::vector<Pop3Expectation>& expectations, const Pop3Reply& reply) {
  const Variables before = variables_;
  const auto replied = [&](Pop3Demand demand) {
    return std::any_of(expectations.begin(), expectations.end(), [&](const Pop3Expectation& wanted) {
      Position position;
      return wanted.kind == Kind::status && wanted.demand == demand && why_not(wanted, reply, position).empty();
    });
  };
  const bool ends = !replied(Pop3Demand::must) && replied(Pop3Demand::may);
  variables_ = before;
  return ends;
}

Outcome Pop3Judge::judge(const std::vector<Pop3Expectation>& expectations, const Pop3Reply& reply) {
  const bool ends = may_end(expectations, reply);
  Position position;
  for (const Pop3Expectation& wanted : expectations) {
    if (wanted.demand == Pop3Demand::may || (ends && wanted.demand == Pop3Demand::must)) continue;
    const Variables before = variables_;
    std::string what;
    if (wanted.demand == Pop3Demand::must) {
      what = why_not(wanted, reply, position);
    } else {
      Position anywhere;
      what = why_not(wanted, reply, anywhere).empty() ? "came" : "";
      variables_ = before;
    }
    if (what.empty()) continue;
    failed_line_ = wanted.line;
    return failure(ErrorKind::cannot, what + ": line " + std::to_string(wanted.line) + ": " + wanted.source);
  }
  return {};
}

}  // namespace postkeep::conformance
