// See script.h.
#include "conformance/runner/script.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "protocol/base/ascii.h"

namespace postkeep::conformance {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) text.remove_suffix(1);
  return text;
}

std::vector<std::string> words(std::string_view text, char separator = ' ') {
  std::vector<std::string> out;
  std::istringstream in{std::string(text)};
  for (std::string word; std::getline(in, word, separator);) {
    if (!word.empty()) out.push_back(word);
  }
  return out;
}

bool accept(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  return true;
}

bool is_condition(std::string_view word) {
  return word == "OK" || word == "NO" || word == "BAD" || word == "BYE" || word == "PREAUTH";
}

// Cut at each "|" that stands outside of brackets.
std::vector<std::string> alternatives(std::string_view text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (const char c : text) {
    if (c == '[') ++depth;
    if (c == ']') --depth;
    if (c == '|' && depth == 0) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// "OK", "NO [CODE ...]" and the like, with "|" between them.
Result<std::vector<Expectation::Status>> parse_statuses(std::string_view text) {
  std::vector<Expectation::Status> statuses;
  for (const std::string& part : alternatives(text)) {
    const std::string_view all = trimmed(part);
    const std::size_t space = std::min(all.find(' '), all.size());
    Expectation::Status status;
    status.condition = all.substr(0, space);
    if (!is_condition(status.condition)) return failure(ErrorKind::bad_syntax, "unknown expectation");
    const std::string_view code = trimmed(all.substr(space));
    const std::size_t end = code.rfind(']');
    if (!code.empty() && code[0] == '[' && end != std::string_view::npos) {
      status.code = TRY(parse_patterns(code.substr(1, end - 1)));
    } else if (!code.empty() && code != "...") {
      return failure(ErrorKind::bad_syntax, "expected [CODE]");
    }
    statuses.push_back(std::move(status));
  }
  return statuses;
}

class ScriptParser {
 public:
  explicit ScriptParser(std::string path) { script_.path = std::move(path); }

  Result<Script> parse(std::string_view text) {
    while (!text.empty()) {
      ++line_;
      const std::size_t end = std::min(text.find('\n'), text.size());
      const Outcome parsed = parse_line(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
      if (!parsed) {
        return failure(ErrorKind::bad_syntax, script_.path + ":" + std::to_string(line_) + ": " + parsed.error().text);
      }
    }
    for (Case& one : script_.cases) finish(one);
    return std::move(script_);
  }

 private:
  // How far a line is indented says what it is: 0 the file or a case, 2 a step, 4 an expectation.
  Outcome parse_line(std::string_view raw) {
    const std::size_t indent = std::min(raw.find_first_not_of(' '), raw.size());
    std::string_view text = trimmed(raw);
    if (text.empty() || text[0] == '#') return {};
    if (indent == 0) return parse_head(text);
    if (script_.cases.empty()) return failure(ErrorKind::bad_syntax, "no case yet");
    if (indent == 2) return parse_step(raw.substr(2));
    if (indent < 4 || script_.cases.back().steps.empty()) return failure(ErrorKind::bad_syntax, "indented wrongly");
    return parse_expectation(text);
  }

  Outcome parse_head(std::string_view text) {
    if (accept(text, "script ")) {
      script_.title = text;
    } else if (accept(text, "case ")) {
      Case one;
      one.name = text;
      one.line = line_;
      one.needs = needs_;
      one.rev1 = rev1_;
      one.rev2 = rev2_;
      script_.cases.push_back(std::move(one));
    } else if (accept(text, "protocol ")) {
      if (text != "imap" && text != "pop3") return failure(ErrorKind::bad_syntax, "unknown protocol");
      script_.protocol = text == "pop3" ? Speaks::pop3 : Speaks::imap;
    } else if (accept(text, "needs ")) {
      for (std::string& need : words(text)) needs_.push_back(std::move(need));
    } else if (accept(text, "modes ")) {
      return set_modes(text, rev1_, rev2_);
    } else {
      return failure(ErrorKind::bad_syntax, "unknown line");
    }
    return {};
  }

  static Outcome set_modes(std::string_view text, bool& rev1, bool& rev2) {
    rev1 = rev2 = false;
    for (const std::string& word : words(text)) {
      if (word != "rev1" && word != "rev2") return failure(ErrorKind::bad_syntax, "unknown mode " + word);
      (word == "rev1" ? rev1 : rev2) = true;
    }
    return {};
  }

  // What stands behind "user".
  static Result<int> take_user(std::string_view& text) {
    if (accept(text, "1")) return 1;
    if (accept(text, "2")) return 2;
    return failure(ErrorKind::bad_syntax, "there are user1 and user2");
  }

  Outcome parse_step(std::string_view text) {
    Case& one = script_.cases.back();
    if (accept(text, "proves ")) {
      for (std::string& id : words(trimmed(text))) one.proves.push_back(std::move(id));
    } else if (accept(text, "needs ")) {
      for (std::string& need : words(trimmed(text))) one.needs.push_back(std::move(need));
    } else if (accept(text, "modes ")) {
      return set_modes(trimmed(text), one.rev1, one.rev2);
    } else if (accept(text, "given ")) {
      return parse_given(trimmed(text), one);
    } else {
      one.steps.push_back(TRY(parse_action(text)));
    }
    return {};
  }

  // "$box: plain (\Seen), html", "$box: empty", "$free: name", "INBOX: plain"
  static Outcome parse_given(std::string_view text, Case& one) {
    const std::size_t colon = text.find(": ");
    const bool is_inbox = text.starts_with("INBOX: ");
    if ((text[0] != '$' && !is_inbox) || colon == std::string_view::npos) {
      return failure(ErrorKind::bad_syntax, "given $name: what");
    }
    Given given;
    given.variable = is_inbox ? "INBOX" : text.substr(1, colon - 1);
    one.uses_inbox = one.uses_inbox || is_inbox;
    const std::string_view what = text.substr(colon + 2);
    given.create = what != "name";
    if (given.create && what != "empty") {
      for (const std::string& item : words(what, ',')) {
        std::string_view rest = trimmed(item);
        const std::size_t flags = rest.find(" (");
        Message message;
        message.fixture = rest.substr(0, flags);
        if (flags != std::string_view::npos) message.flags = rest.substr(flags + 2, rest.rfind(')') - flags - 2);
        given.messages.push_back(std::move(message));
      }
    }
    one.given.push_back(std::move(given));
    return {};
  }

  Result<Step> parse_action(std::string_view text) {
    Step step;
    step.line = line_;
    step.source = trimmed(text);
    if (accept(text, "deliver user")) {
      step.kind = Step::Kind::deliver;
      step.user = TRY(take_user(text));
      if (!accept(text, ": ")) return failure(ErrorKind::bad_syntax, "deliver user1: fixture");
      step.text = text;
      return step;
    }
    if (text.size() < 2 || text[0] < 'A' || text[0] > 'Z') return failure(ErrorKind::bad_syntax, "unknown step");
    step.connection = text[0];
    text.remove_prefix(1);
    if (accept(text, " unauthenticated")) step.authenticated = false;
    if (accept(text, " as user")) step.user = TRY(take_user(text));
    TRY(parse_deed(text, step));
    return step;
  }

  static Outcome parse_deed(std::string_view text, Step& step) {
    using Kind = Step::Kind;
    const std::string_view verb = text.starts_with(" send ") ? "send" : "await";
    if (accept(text, ": ")) {
      step.kind = Kind::command;
    } else if (accept(text, "+ ") || text == "+") {
      step.kind = Kind::line;
    } else if (accept(text, " raw: ")) {
      step.kind = Kind::raw;
      if (text.size() < 2 || text.front() != '"' || text.back() != '"') {
        return failure(ErrorKind::bad_syntax, "raw octets stand in quotes");
      }
      text = text.substr(1, text.size() - 2);
    } else if (accept(text, " send ") || accept(text, " await ")) {
      const std::size_t colon = text.find(": ");
      if ((verb == "send") != (colon != std::string_view::npos)) {
        return failure(ErrorKind::bad_syntax, "send TAG: COMMAND, or await TAG");
      }
      step.kind = verb == "send" ? Kind::send : Kind::await;
      step.tag = text.substr(0, colon);
      text = colon == std::string_view::npos ? "" : text.substr(colon + 2);
    } else if (text == " sees:") {
      step.kind = Kind::sees;
      text = "";
    } else if (text == " sees nothing") {
      step.kind = Kind::sees_nothing;
      text = "";
    } else if (text == " close" || text == " tls") {
      step.kind = text == " tls" ? Kind::handshake : Kind::close;
      text = "";
    } else {
      return failure(ErrorKind::bad_syntax, "unknown step");
    }
    step.text = text;
    return {};
  }

  Outcome parse_expectation(std::string_view text) {
    if (script_.protocol == Speaks::pop3) {
      script_.cases.back().steps.back().pop3.push_back(TRY(parse_pop3_expectation(text, line_)));
      return {};
    }
    Expectation wanted;
    wanted.source = text;
    wanted.line = line_;
    wanted.then = accept(text, "then ");
    if (accept(text, "not ")) wanted.demand = Expectation::Demand::must_not;
    if (accept(text, "optional ")) wanted.demand = Expectation::Demand::may;
    TRY(parse_what(text, wanted));
    using Kind = Expectation::Kind;
    const bool plain = wanted.demand == Expectation::Demand::must && !wanted.then;
    if (!plain && (wanted.kind == Kind::closed || wanted.kind == Kind::nothing_else)) {
      return failure(ErrorKind::bad_syntax, "nothing stands before " + std::string(text));
    }
    if (wanted.kind == Kind::raw_regex && wanted.demand != Expectation::Demand::must_not) {
      return failure(ErrorKind::bad_syntax, "\"not\" stands before a regular expression");
    }
    script_.cases.back().steps.back().expectations.push_back(std::move(wanted));
    return {};
  }

  static Outcome parse_what(std::string_view text, Expectation& wanted) {
    using Kind = Expectation::Kind;
    if (text == "nothing else") {
      wanted.kind = Kind::nothing_else;
    } else if (text == "closed") {
      wanted.kind = Kind::closed;
    } else if (text == "+" || text.starts_with("+ ")) {
      wanted.kind = Kind::continuation;
    } else if (text.size() > 1 && text.front() == '/' && text.back() == '/') {
      wanted.kind = Kind::raw_regex;
      wanted.regex = text.substr(1, text.size() - 2);
      return check_regex(wanted.regex);
    } else if (accept(text, "* ") || text.starts_with("BYE")) {
      wanted.kind = Kind::untagged;
      return parse_untagged(text, wanted);
    } else {
      wanted.kind = Kind::tagged;
      return parse_tagged(text, wanted);
    }
    return {};
  }

  static Outcome parse_untagged(std::string_view text, Expectation& wanted) {
    const std::size_t space = std::min(text.find(' '), text.size());
    if (is_condition(text.substr(0, space))) {
      wanted.statuses = TRY(parse_statuses(text));
    } else {
      wanted.patterns = TRY(parse_patterns(text));
    }
    return {};
  }

  // With a tag in front where it is not the command's own.
  static Outcome parse_tagged(std::string_view text, Expectation& wanted) {
    const std::size_t end = std::min(text.find_first_of(" |"), text.size());
    if (!is_condition(text.substr(0, end))) {
      wanted.tag = text.substr(0, end);
      text = trimmed(text.substr(end));
    }
    if (text == "...") text = "OK|NO|BAD";
    wanted.statuses = TRY(parse_statuses(text));
    return {};
  }

  static void finish(Case& one) {
    for (const Step& step : one.steps) {
      one.delivers = one.delivers || step.kind == Step::Kind::deliver;
      one.uses_inbox = one.uses_inbox || step.kind == Step::Kind::deliver ||
                       ascii::to_lower(step.text).find("inbox") != std::string::npos;
    }
  }

  Script script_;
  std::vector<std::string> needs_;
  bool rev1_ = true;
  bool rev2_ = true;
  int line_ = 0;
};

}  // namespace

Result<Script> parse_script(std::string path, std::string_view text) {
  return ScriptParser(std::move(path)).parse(text);
}

}  // namespace postkeep::conformance
