// See report.h.
#include "conformance/runner/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace postkeep::conformance {

namespace {

using Verdict = CaseResult::Verdict;

void add(Totals& totals, Verdict verdict) {
  totals.passed += verdict == Verdict::passed ? 1 : 0;
  totals.failed += verdict == Verdict::failed ? 1 : 0;
  totals.skipped += verdict == Verdict::skipped ? 1 : 0;
}

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return "passed";
    case Verdict::failed:
      return "failed";
    case Verdict::skipped:
      return "skipped";
  }
  return "";
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// For XML: what it cannot hold is shown as "?".
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if ((static_cast<unsigned char>(c) < 0x20 && c != '\n') || static_cast<unsigned char>(c) >= 0x7F) {
      out += '?';
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

Totals totals_of(const std::vector<Ran>& ran) {
  Totals totals;
  for (const Ran& one : ran) add(totals, one.result.verdict);
  return totals;
}

std::string failure_text(const Ran& ran, const std::vector<Requirement>& requirements) {
  std::string text = fmt::format("\nFAILED {}/{} ({}), line {}\n  {}\n", ran.script->path, ran.one->name,
                                 conformance::to_string(ran.mode), ran.result.line, ran.result.reason);
  for (const std::string& id : ran.one->proves) {
    for (const Requirement& requirement : requirements) {
      if (requirement.id == id) text += fmt::format("  {} {}: {}\n", id, requirement.keyword, requirement.demand);
    }
  }
  std::istringstream exchange(joined(ran.result.exchange));
  for (std::string line; std::getline(exchange, line);) text += "    " + line + "\n";
  return text;
}

std::string table(const std::vector<Ran>& ran) {
  std::string text = fmt::format("{:<66} {:>5} {:>6} {:>6} {:>7}\n", "", "cases", "passed", "failed", "skipped");
  const auto row = [&](const std::string& title, const Totals& totals) {
    text += fmt::format("{:<66} {:>5} {:>6} {:>6} {:>7}\n", title.substr(0, 66),
                        totals.passed + totals.failed + totals.skipped, totals.passed, totals.failed, totals.skipped);
  };
  const Script* script = nullptr;
  Totals totals;
  for (const Ran& one : ran) {
    if (one.script != script) {
      if (script != nullptr) row(script->title, totals);
      script = one.script;
      totals = Totals();
    }
    add(totals, one.result.verdict);
  }
  if (script != nullptr) row(script->title, totals);
  row("all", totals_of(ran));
  return text;
}

std::string json(const std::vector<Ran>& ran, const std::string& server_name) {
  nlohmann::json cases = nlohmann::json::array();
  for (const Ran& one : ran) {
    nlohmann::json entry = {{"case", one.script->path + "/" + one.one->name},
                            {"mode", conformance::to_string(one.mode)},
                            {"verdict", to_string(one.result.verdict)},
                            {"proves", one.one->proves}};
    if (!one.result.reason.empty()) entry["reason"] = one.result.reason;
    if (one.result.verdict == Verdict::failed) entry["exchange"] = one.result.exchange;
    cases.push_back(std::move(entry));
  }
  const Totals totals = totals_of(ran);
  const nlohmann::json all = {{"server", server_name},
                              {"passed", totals.passed},
                              {"failed", totals.failed},
                              {"skipped", totals.skipped},
                              {"cases", cases}};
  return all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string junit(const std::vector<Ran>& ran, const std::string& server_name) {
  const Totals totals = totals_of(ran);
  std::string text =
      fmt::format("<?xml version=\"1.0\"?>\n<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n",
                  escaped(server_name), ran.size(), totals.failed, totals.skipped);
  for (const Ran& one : ran) {
    text += fmt::format("<testcase classname=\"{}\" name=\"{} ({})\">", escaped(one.script->path),
                        escaped(one.one->name), conformance::to_string(one.mode));
    if (one.result.verdict == Verdict::skipped) text += "<skipped/>";
    if (one.result.verdict == Verdict::failed) {
      text += fmt::format("<failure message=\"{}\">{}</failure>", escaped(one.result.reason),
                          escaped(joined(one.result.exchange)));
    }
    text += "</testcase>\n";
  }
  return text + "</testsuite>\n";
}

}  // namespace postkeep::conformance
