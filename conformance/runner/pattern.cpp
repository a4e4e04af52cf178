// See pattern.h.
#include "conformance/runner/pattern.h"

#include <algorithm>
#include <optional>
#include <regex>
#include <utility>

#include "protocol/base/ascii.h"

namespace postkeep::conformance {

namespace {

using Kind = Pattern::Kind;

constexpr std::size_t regex_octets_max = 4096;  // of a value: std::regex recurses

bool same_text(const Value& value, std::string_view text) {
  return value.kind != Value::Kind::list && value.kind != Value::Kind::nil && value.text == text;
}

}  // namespace

std::string Matcher::value_of(const std::string& name) const {
  const auto found = variables_.find(name);
  return found == variables_.end() ? "" : found->second;
}

bool Matcher::fits(const std::vector<Pattern>& patterns, const std::vector<Value>& values, Shape shape) {
  const Variables before = variables_;
  in_pairs_ = shape == Shape::pairs;
  if (sequence(patterns, 0, values, 0)) return true;
  variables_ = before;
  return false;
}

bool Matcher::sequence(const std::vector<Pattern>& patterns, std::size_t p, const std::vector<Value>& values,
                       std::size_t v) {
  if (p == patterns.size()) return v == values.size();
  const Pattern& pattern = patterns[p];
  if (pattern.kind == Kind::rest) {
    for (std::size_t at = v; p + 1 < patterns.size() && at <= values.size(); ++at) {
      const Variables before = variables_;
      if (sequence(patterns, p + 1, values, at)) return true;
      variables_ = before;
    }
    if (p + 1 < patterns.size()) return false;
    if (pattern.text.empty()) return true;
    std::string all;
    for (std::size_t i = v; i < values.size(); ++i) all += (all.empty() ? "" : " ") + values[i].text;
    return is_or_becomes(pattern.text, all);
  }
  const auto is_flat_set = [&](const Pattern& candidate) {
    return candidate.kind == Kind::set && (v == values.size() || values[v].kind != Value::Kind::list);
  };
  const std::vector<Value> left(values.begin() + static_cast<std::ptrdiff_t>(v), values.end());
  if (is_flat_set(pattern)) return p + 1 == patterns.size() && unordered(pattern.items, 0, left);
  if (pattern.kind == Kind::choice) {
    for (const Pattern& candidate : pattern.items) {
      const Variables before = variables_;
      if (is_flat_set(candidate)
              ? unordered(candidate.items, 0, left)
              : v < values.size() && one(candidate, values[v]) && sequence(patterns, p + 1, values, v + 1)) {
        return true;
      }
      variables_ = before;
    }
    return false;
  }
  return v < values.size() && one(pattern, values[v]) && sequence(patterns, p + 1, values, v + 1);
}

// Names and values in any order. A pattern without "only" lets others be there.
bool Matcher::pairs(const std::vector<Pattern>& patterns, const std::vector<Value>& values, bool only) {
  std::set<std::size_t> used;
  for (std::size_t p = 0; p < patterns.size(); p += 2) {
    if (patterns[p].kind == Kind::rest) return true;
    if (p + 1 == patterns.size()) return false;
    bool found = false;
    for (std::size_t v = 0; v + 1 < values.size() && !found; v += 2) {
      if (used.count(v) == 1) continue;
      const Variables before = variables_;
      found = one(patterns[p], values[v]) && one(patterns[p + 1], values[v + 1]);
      if (found) {
        used.insert(v);
      } else {
        variables_ = before;
      }
    }
    if (!found) return false;
  }
  return !only || used.size() * 2 == values.size();
}

// What the first pattern fits, the others may need: each value is tried for it.
bool Matcher::unordered(const std::vector<Pattern>& patterns, std::size_t p, const std::vector<Value>& values) {
  if (p == patterns.size()) return values.empty();
  if (patterns[p].kind == Kind::rest) return true;
  for (std::size_t v = 0; v < values.size(); ++v) {
    const Variables before = variables_;
    if (one(patterns[p], values[v])) {
      std::vector<Value> others = values;
      others.erase(others.begin() + static_cast<std::ptrdiff_t>(v));
      if (unordered(patterns, p + 1, others)) return true;
    }
    variables_ = before;
  }
  return false;
}

bool Matcher::variable(const std::string& name, const Value& value) {
  return is_or_becomes(name, value.kind == Value::Kind::list ? imap::client::show(value) : value.text);
}

bool Matcher::is_or_becomes(const std::string& name, const std::string& text) {
  const auto known = variables_.find(name);
  if (known != variables_.end()) return known->second == text;
  variables_[name] = text;
  return true;
}

bool Matcher::compare(const Pattern& pattern, const Value& value) const {
  const std::optional<std::uint64_t> left = number_of(value.text);
  const std::optional<std::uint64_t> right = number_of(substituted(pattern.operand, variables_));
  if (!left || !right) return false;
  if (pattern.text == "<") return *left < *right;
  if (pattern.text == "<=") return *left <= *right;
  if (pattern.text == ">") return *left > *right;
  return *left >= *right;
}

bool Matcher::one(const Pattern& pattern, const Value& value) {
  switch (pattern.kind) {
    case Kind::any:
      return true;
    case Kind::rest:
      return false;
    case Kind::nil:
      return value.kind == Value::Kind::nil;
    case Kind::atom: {
      const std::string text = substituted(pattern.text, variables_);
      return value.kind != Value::Kind::list && ascii::iequals(value.text, text) && value.kind != Value::Kind::nil;
    }
    case Kind::string:
      return same_text(value, substituted(pattern.text, variables_));
    case Kind::variable:
      return variable(pattern.text, value);
    case Kind::regex:
      return value.kind != Value::Kind::list && value.text.size() <= regex_octets_max &&
             std::regex_search(value.text, std::regex(pattern.text));
    case Kind::compare:
      return compare(pattern, value);
    case Kind::number_set:
      return numbers_of(value.text) == numbers_of(substituted(pattern.text, variables_));
    case Kind::fixture: {
      const auto fixture = fixtures_.find(pattern.text);
      return fixture != fixtures_.end() && same_text(value, fixture->second);
    }
    case Kind::octets:
      return value.kind == Value::Kind::string && std::to_string(value.text.size()) == pattern.text;
    case Kind::list:
    case Kind::only:
      if (value.kind != Value::Kind::list) return false;
      if (std::exchange(in_pairs_, false)) {
        const bool fit = pairs(pattern.items, value.items, pattern.kind == Kind::only);
        in_pairs_ = true;
        return fit;
      }
      return sequence(pattern.items, 0, value.items, 0);
    case Kind::set:
      return value.kind == Value::Kind::list && unordered(pattern.items, 0, value.items);
    case Kind::choice:
      return std::any_of(pattern.items.begin(), pattern.items.end(),
                         [&](const Pattern& candidate) { return one(candidate, value); });
  }
  return false;
}

}  // namespace postkeep::conformance
