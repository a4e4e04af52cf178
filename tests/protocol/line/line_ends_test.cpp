#include "protocol/line/line_ends.h"

#include <doctest/doctest.h>

#include <string>

using postkeep::line::LineEndConverter;

TEST_CASE("bare LF becomes CRLF, everything else is kept, wherever the input is cut") {
  const std::string input("a\nb\r\n\n\rc\r\r\n\0d\n", 15);
  const std::string expected("a\r\nb\r\n\r\n\rc\r\r\n\0d\r\n", 18);
  for (std::size_t cut = 0; cut <= input.size(); ++cut) {
    LineEndConverter converter;
    std::string out;
    converter.feed(std::string_view(input).substr(0, cut), out);
    converter.feed(std::string_view(input).substr(cut), out);
    CHECK(out == expected);
  }
  LineEndConverter converter;
  std::string bytewise;
  for (const char c : input) converter.feed(std::string_view(&c, 1), bytewise);
  CHECK(bytewise == expected);
}

TEST_CASE("whether a bare LF has come is told, wherever the input is cut") {
  for (const auto& [input, bare] :
       {std::pair<std::string, bool>{"a\r\nb\rc\r\r\n", false}, {"a\r\nb\nc", true}, {"\n", true}}) {
    for (std::size_t cut = 0; cut <= input.size(); ++cut) {
      LineEndConverter converter;
      std::string out;
      converter.feed(std::string_view(input).substr(0, cut), out);
      converter.feed(std::string_view(input).substr(cut), out);
      const bool told = converter.saw_bare_lf();
      CHECK(told == bare);
    }
  }
}
