#include "protocol/mail/base_subject.h"

#include <doctest/doctest.h>

#include "tests/support/random.h"

using namespace postkeep;

namespace {

struct Row {
  const char* subject;
  const char* base;
  bool is_reply;
};

std::string times(std::size_t n, std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += text;
  return out;
}

// RFC 5256 §2.1 step by step, with no thought for speed.
class Naive {
 public:
  static BaseSubject of(std::string text) {
    BaseSubject base;
    const auto wsp = [&](std::size_t at) { return at < text.size() && text[at] == ' '; };
    const auto word = [&](std::size_t at, std::string_view w) {
      if (text.size() < at + w.size()) return false;
      for (std::size_t i = 0; i < w.size(); ++i) {
        if (std::tolower(static_cast<unsigned char>(text[at + i])) != w[i]) return false;
      }
      return true;
    };
    // The end of a blob at `at`; `at` itself if there is none.
    const auto blob = [&](std::size_t at) {
      if (at >= text.size() || text[at] != '[') return at;
      std::size_t end = at + 1;
      while (end < text.size() && text[end] != '[' && text[end] != ']') ++end;
      if (end == text.size() || text[end] == '[') return at;
      for (++end; wsp(end);) ++end;
      return end;
    };
    const auto leader = [&]() -> std::size_t {
      if (wsp(0)) return 1;
      std::size_t at = 0;
      while (blob(at) != at) at = blob(at);
      if (word(at, "fwd")) {
        at += 3;
      } else if (word(at, "re") || word(at, "fw")) {
        at += 2;
      } else {
        return 0;
      }
      while (wsp(at)) ++at;
      at = blob(at);
      if (at >= text.size() || text[at] != ':') return 0;
      base.is_reply = true;
      return at + 1;
    };
    while (true) {
      while (true) {
        if (!text.empty() && text.back() == ' ') {
          text.pop_back();
        } else if (text.size() >= 5 && word(text.size() - 5, "(fwd)")) {
          text.resize(text.size() - 5);
          base.is_reply = true;
        } else {
          break;
        }
      }
      while (true) {
        std::size_t count = leader();
        if (count == 0 && blob(0) < text.size()) count = blob(0);
        if (count == 0) break;
        text.erase(0, count);
      }
      if (!word(0, "[fwd:") || text.back() != ']') break;
      text = text.substr(5, text.size() - 6);
      base.is_reply = true;
    }
    base.text = text;
    return base;
  }
};

}  // namespace

TEST_CASE("the artifacts of replies, forwards and lists are removed from a subject") {
  const Row rows[] = {
      {"", "", false},
      {"Hello", "Hello", false},
      {"  Hello \t  there  ", "Hello there", false},
      {"Hello\r\n there", "Hello there", false},
      {"Re: Hello", "Hello", true},
      {"re:Hello", "Hello", true},
      {"RE :  Hello", "Hello", true},
      {"Fw: Hello", "Hello", true},
      {"FWD: Hello", "Hello", true},
      {"Re: Fwd: RE: Hello", "Hello", true},
      {"Re[2]: Hello", "Hello", true},
      {"Re [many words] : Hello", "Hello", true},
      {"Re Hello", "Re Hello", false},
      {"Rebel: Hello", "Rebel: Hello", false},
      {"Fwds: Hello", "Fwds: Hello", false},
      {"AW: Hello", "AW: Hello", false},  // translated tokens stay
      {"[list] Hello", "Hello", false},
      {"[list] Re: Hello", "Hello", true},
      {"[a][b] [c] Re: [d] Hello", "Hello", true},
      {"Re: [list] Re: Hello", "Hello", true},
      {"[list]", "[list]", false},
      {"[a] [b]", "[b]", false},
      {"Re: [list]", "[list]", true},
      {"[open Hello", "[open Hello", false},
      {"[[a]] Hello", "[[a]] Hello", false},
      {"Hello (fwd)", "Hello", true},
      {"Hello (FWD) (fwd)  ", "Hello", true},
      {"(fwd)", "", true},
      {"Re:", "", true},
      {"Re: (fwd)", "", true},
      {"[fwd: Hello]", "Hello", true},
      {"[Fwd: Re: Hello (fwd)]", "Hello", true},
      {"[FWD: [fwd: Hello] ]", "Hello", true},
      {"[list] [fwd: Hello]", "Hello", true},
      {"[fwd: Hello] there", "there", false},
      {"[fwd: Hello", "[fwd: Hello", false},
      {"[fwd:]", "", true},
      {"=?utf-8?Q?Re=3A_Gr=C3=BC=C3=9Fe?=",
       "Gr\xC3\xBC\xC3\x9F"
       "e",
       true},
      {"Re: =?utf-8?Q?a?= =?utf-8?Q?b?=", "ab", true},
      {"=?utf-8?Q?Re=3A=0D=0A_x?=", "x", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.subject);
    const BaseSubject base = base_subject(row.subject);
    CHECK(base.text == row.base);
    CHECK(base.is_reply == row.is_reply);
  }
}

TEST_CASE("a base subject is what the rules give one by one, and is its own base") {
  test::Random random(20260301);
  const char* const pieces[] = {"re",   "fw", "d",     "fwd", ":",  " ",     "  ",   "[",      "]", "[a]",
                                "[b] ", "x",  "(fwd)", "Re:", "y]", "[fwd:", "(fwd", "[Fwd: ", "",  "\t"};
  for (int round = 0; round < 20'000; ++round) {
    std::string subject;
    for (std::uint32_t n = random.below(12); n > 0; --n) subject += pieces[random.below(std::size(pieces))];
    CAPTURE(subject);
    std::string line;
    for (char c : subject) {
      if (c == '\t') c = ' ';
      if (c != ' ' || !line.ends_with(' ')) line += c;
    }
    const BaseSubject base = base_subject(subject);
    REQUIRE((base == Naive::of(line)));
    REQUIRE(base_subject(base.text).text == base.text);
  }
}

TEST_CASE("long subjects of brackets and prefixes take no time to speak of") {
  const std::size_t many = 60'000;
  CHECK(base_subject(times(many, "[a]") + "x").text == "x");
  CHECK(base_subject(times(many, "[a]")).text == "[a]");
  CHECK(base_subject(times(many, "Re: ") + "x").text == "x");
  CHECK(base_subject(times(many, "[a]Re:") + "x").text == "x");
  CHECK(base_subject(times(many, "[fwd:") + "x" + times(many, "]")).text == "x");
  CHECK(base_subject(times(many, "[")).text.size() == many);
  CHECK(base_subject("x" + times(many, " (fwd)")).text == "x");
}
