// The coroutine rules of CONTRIBUTING.md that a text can break without the compiler noticing. GCC 12 destroys twice an
// aggregate temporary ({...}) or a capturing lambda that stands in a statement with co_await: build it on the line
// above.
#include <doctest/doctest.h>

#include <regex>

#include "tests/support/source_tree.h"

namespace postkeep::test {
namespace {

struct Statement {
  std::size_t begin = 0;
  std::size_t end = 0;
};

char last_visible(std::string_view code, std::size_t before) {
  while (before > 0) {
    const char c = code[--before];
    if (c != ' ' && c != '\n' && c != '\t') return c;
  }
  return ';';
}

// Is the brace at `at` that of a block (and not of an initialiser)?
bool opens_block(std::string_view code, std::size_t at) {
  const char before = last_visible(code, at);
  if (before == ')' || before == ';' || before == '{' || before == '}' || before == ':') return true;
  const std::size_t start = code.find_last_of(";{}", at == 0 ? 0 : at - 1);
  const std::string head(code.substr(start == std::string_view::npos ? 0 : start + 1, at - (start + 1)));
  static const std::regex block_head(
      R"(->|\b(namespace|struct|class|enum|union|else|do|try)\b|\)\s*(const|noexcept|override|final|mutable|\s)+$)");
  return std::regex_search(head, block_head);
}

// The full expression or declaration around an offset: from the last statement's end to the next `;`, or to the
// block that an if, while or for opens.
Statement statement_around(std::string_view code, std::size_t offset) {
  Statement statement;
  int depth = 0;
  for (std::size_t i = offset; i-- > 0;) {
    const char c = code[i];
    if (c == ')' || c == ']') ++depth;
    if (c == '(' || c == '[') --depth;
    if (c == '}' && !(depth == 0 && last_visible(code, i) == ';') && depth > 0) ++depth;
    const bool ends = (c == ';' && depth <= 0) || (c == '}' && depth <= 0) || (c == '{' && opens_block(code, i));
    if (ends) {
      statement.begin = i + 1;
      break;
    }
  }
  depth = 0;
  statement.end = code.size();
  for (std::size_t i = offset; i < code.size(); ++i) {
    const char c = code[i];
    if (c == '(' || c == '[') ++depth;
    if (c == ')' || c == ']') --depth;
    if (c == ';' || (c == '{' && depth <= 0 && opens_block(code, i))) {
      statement.end = i;
      break;
    }
  }
  return statement;
}

// Applies `check` to each statement that has a co_await; it returns what is wrong, or "".
template <class Check>
Findings over_awaits(const SourceFile& file, Check&& check) {
  Findings findings;
  static const std::regex await(R"(\bco_await\b)");
  for (std::sregex_iterator at(file.code.begin(), file.code.end(), await), end; at != end; ++at) {
    const auto offset = static_cast<std::size_t>(at->position(0));
    const Statement statement = statement_around(file.code, offset);
    const std::string what = check(file.code.substr(statement.begin, statement.end - statement.begin));
    if (!what.empty()) findings.push_back({file.path, line_of(file.code, offset), what});
  }
  return findings;
}

Findings temporaries_beside_await(const SourceFile& file) {
  static const std::regex capture(R"((^|[^\w\]\)\s])\s*\[[^\]\[]+\]\s*(\(|\{|mutable))");
  return over_awaits(file, [](const std::string& statement) -> std::string {
    if (statement.find('{') != std::string::npos) return "a {...} in a statement with co_await";
    if (std::regex_search(statement, capture)) return "a capturing lambda in a statement with co_await";
    return "";
  });
}

// The text between the bracket at `open` and the one that closes it.
std::string_view in_brackets(std::string_view code, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < code.size(); ++i) {
    depth += code[i] == '(' ? 1 : code[i] == ')' ? -1 : 0;
    if (depth == 0) return code.substr(open, i - open);
  }
  return code.substr(open);
}

// In a condition GCC 12 has been seen to lose the coroutine's own frame: its parameters were null.
Findings awaits_in_conditions(const SourceFile& file) {
  static const std::regex condition(R"(\b(if|while|switch)\s*\()");
  Findings findings;
  for (std::sregex_iterator at(file.code.begin(), file.code.end(), condition), end; at != end; ++at) {
    const auto offset = static_cast<std::size_t>(at->position(0));
    const auto open = offset + static_cast<std::size_t>(at->length(0)) - 1;
    if (in_brackets(file.code, open).find("co_await") == std::string_view::npos) continue;
    findings.push_back({file.path, line_of(file.code, offset), "co_await in a condition"});
  }
  return findings;
}

// A statement expression around co_await does not compile in GCC 12, and TRY's `return` is wrong in a coroutine.
Findings try_around_await(const SourceFile& file) {
  static const std::regex around(R"(\bTRY\s*\([\s\S]*\bco_await\b|\bCO_TRY\s*\([\s\S]*\bco_await\b)");
  return over_awaits(file, [](const std::string& statement) -> std::string {
    return std::regex_search(statement, around) ? "TRY around co_await" : "";
  });
}

// `a || b` of awaitables throws away the loser's result, also when it had read something.
Findings raced_awaits(const SourceFile& file) {
  static const std::regex race(R"(\bco_await\s*\([^;]*\|\|)");
  return over_awaits(file, [](const std::string& statement) -> std::string {
    return std::regex_search(statement, race) ? "two awaitables raced with ||" : "";
  });
}

Findings lambda_coroutines(const SourceFile& file) {
  static const std::regex lambda(R"(\[[^\]\[]+\]\s*\([^()]*\)[^{};]*->\s*(asio::)?awaitable\b)");
  Findings findings;
  for (std::sregex_iterator at(file.code.begin(), file.code.end(), lambda), end; at != end; ++at) {
    findings.push_back({file.path, line_of(file.code, static_cast<std::size_t>(at->position(0))),
                        "a coroutine is a named function, not a capturing lambda"});
  }
  return findings;
}

// Whoever spawns joins. Only tests may let go, since their io_context's run() joins all.
Findings detached(const SourceFile& file) {
  static const std::regex word(R"(\basio::detached\b|\.detach\s*\()");
  Findings findings;
  if (top_folder(file.path) == "tests") return findings;
  for (std::sregex_iterator at(file.code.begin(), file.code.end(), word), end; at != end; ++at) {
    findings.push_back(
        {file.path, line_of(file.code, static_cast<std::size_t>(at->position(0))), "nothing is detached"});
  }
  return findings;
}

TEST_CASE("No braces and no capturing lambda stand in a statement with co_await") {
  CHECK(to_text(over_project(temporaries_beside_await)) == "");
}

TEST_CASE("No co_await stands in a condition") { CHECK(to_text(over_project(awaits_in_conditions)) == ""); }

TEST_CASE("TRY never stands around co_await") { CHECK(to_text(over_project(try_around_await)) == ""); }

TEST_CASE("Awaitables are never raced with ||") { CHECK(to_text(over_project(raced_awaits)) == ""); }

TEST_CASE("Coroutines are named functions") { CHECK(to_text(over_project(lambda_coroutines)) == ""); }

TEST_CASE("Nothing is detached") { CHECK(to_text(over_project(detached)) == ""); }

std::size_t count(Findings (*rule)(const SourceFile&), const char* body) {
  return rule(make_source("server/a.cpp", std::string("asio::awaitable<void> f(int n) {\n  ") + body + "\n}\n")).size();
}

TEST_CASE("The rule about conditions sees them, and nothing else") {
  for (const char* bad :
       {"if (co_await g()) h();", "if (!co_await g(n)) { h(); }", "while (n < 3 && co_await g()) h();",
        "switch (co_await g()) {}", "if (n && (co_await g())) h();"}) {
    CAPTURE(bad);
    CHECK(count(awaits_in_conditions, bad) == 1);
  }
  for (const char* good : {"if (n) co_await g();", "while (n) { co_await g(); }", "const bool b = co_await g();",
                           "if (n) { h(); } else { co_await g(); }", "for (auto& v : co_await g(n)) { h(v); }"}) {
    CAPTURE(good);
    CHECK(count(awaits_in_conditions, good) == 0);
  }
}

TEST_CASE("The rule about temporaries sees them wherever they stand in the statement") {
  for (const char* bad :
       {"co_await g({1, 2});", "co_await g(Wants{.size = true});", "auto r = co_await g(a, T{});", "T t{co_await g()};",
        "co_await g([n] { return n; });", "auto r = co_await g([&] { return n; });",
        "co_return co_await g([=, x = 1]() mutable { return x; });", "if (co_await g(T{1})) { h(); }",
        "x = n ? co_await g() : T{};", "for (auto& v : co_await g({n})) { h(v); }"}) {
    CAPTURE(bad);
    CHECK(count(temporaries_beside_await, bad) == 1);
  }
}

TEST_CASE("The rule about temporaries lets pass what is safe") {
  for (const char* good : {"T t{1, 2};\n  co_await g(std::move(t));", "if (n > 0) { co_await g(n); }",
                           "while (true) {\n co_await g();\n }", "if (co_await g()) {\n h({1}); }",
                           "const auto f = [n] { return n; };\n  co_await g(f);", "int a[2] = {};\n co_await g(a[n]);",
                           "co_await g(a[n], std::string(x));", "else { co_await g(); }", "// {\n  co_await g(\"{\");",
                           "switch (n) { case 1: co_await g(); break; default: { co_await h(); } }",
                           "try { co_await g(); } catch (...) { h(); }", "h({1});\n  co_await g();\n  h({2});"}) {
    CAPTURE(good);
    CHECK(count(temporaries_beside_await, good) == 0);
  }
}

TEST_CASE("The other coroutine rules see their breach, and not its neighbour") {
  CHECK(count(try_around_await, "auto v = TRY(co_await g());") == 1);
  CHECK(count(try_around_await, "auto v = CO_TRY(co_await g());") == 1);
  CHECK(count(try_around_await, "auto r = co_await g();\n  auto v = CO_TRY(std::move(r));") == 0);
  CHECK(count(raced_awaits, "auto r = co_await (a() || b());") == 1);
  CHECK(count(raced_awaits, "co_await (a() && b());") == 0);
  CHECK(count(lambda_coroutines, "spawn([this](int x) -> asio::awaitable<void> { co_return; });") == 1);
  CHECK(count(lambda_coroutines, "spawn([](int x) -> asio::awaitable<void> { co_return; });") == 0);
  CHECK(count(detached, "asio::co_spawn(e, g(), asio::detached);") == 1);
  CHECK(count(detached, "std::thread(g).detach();") == 1);
  CHECK(count(detached, "// detached\n  g();") == 0);
}

}  // namespace
}  // namespace postkeep::test
