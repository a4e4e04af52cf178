// See script_check.h.
#include "conformance/runner/script_check.h"

#include <set>

#include "conformance/runner/command_text.h"

namespace postkeep::conformance {

namespace {

class ScriptChecker {
 public:
  ScriptChecker(const Script& script, const Fixtures& fixtures, std::vector<std::string>& faults)
      : script_(script), fixtures_(fixtures), faults_(faults) {}

  void check(const Case& one) {
    sent_.clear();
    if (one.steps.empty()) fault(one.line, one.name + " does nothing");
    for (const Given& given : one.given) {
      for (const Message& message : given.messages) need_fixture(one.line, message.fixture);
    }
    for (const Step& step : one.steps) check(step);
  }

 private:
  void check(const Step& step) {
    using StepKind = Step::Kind;
    const std::string tag = std::string(1, step.connection) + " " + step.tag;
    if (step.kind == StepKind::send) sent_.insert(tag);
    if (step.kind == StepKind::await && sent_.erase(tag) == 0) fault(step.line, step.tag + " was not sent");
    if (step.kind == StepKind::deliver) need_fixture(step.line, step.text);
    const bool is_command = step.kind == StepKind::command || step.kind == StepKind::send;
    if (is_command) {
      for (const std::string& name : fixtures_in(step.text)) need_fixture(step.line, name);
    }
    if ((is_command || step.kind == StepKind::raw) && has_bad_escape(step.text)) fault(step.line, "\\x without digits");
    const bool waits = step.kind != StepKind::send && step.kind != StepKind::sees_nothing &&
                       step.kind != StepKind::close && step.kind != StepKind::deliver &&
                       step.kind != StepKind::handshake;
    const bool expects = !step.expectations.empty() || !step.pop3.empty();
    if (!waits && expects) fault(step.line, "this step waits for nothing that could be expected");
    // Raw octets may be a part of a command.
    if (waits && step.kind != StepKind::raw && !expects) fault(step.line, "this step expects nothing");
    for (const Expectation& wanted : step.expectations) check(wanted);
    for (const Pop3Expectation& wanted : step.pop3) {
      if (wanted.is_fixture) need_fixture(wanted.line, wanted.text);
    }
  }

  void check(const Expectation& wanted) {
    check(wanted.patterns, wanted.line);
    for (const Expectation::Status& status : wanted.statuses) check(status.code, wanted.line);
  }

  void check(const std::vector<Pattern>& patterns, int line) {
    for (const Pattern& pattern : patterns) {
      if (pattern.kind == Pattern::Kind::fixture) need_fixture(line, pattern.text);
      check(pattern.items, line);
    }
  }

  void need_fixture(int line, const std::string& name) {
    if (fixtures_.count(name) == 0) fault(line, "no fixture " + name);
  }

  void fault(int line, const std::string& what) {
    faults_.push_back(script_.path + ":" + std::to_string(line) + ": " + what);
  }

  const Script& script_;
  const Fixtures& fixtures_;
  std::vector<std::string>& faults_;
  std::set<std::string> sent_;
};

}  // namespace

std::vector<std::string> script_faults(const std::vector<Script>& scripts, const Fixtures& fixtures) {
  std::vector<std::string> faults;
  for (const Script& script : scripts) {
    ScriptChecker checker(script, fixtures, faults);
    for (const Case& one : script.cases) checker.check(one);
  }
  return faults;
}

}  // namespace postkeep::conformance
