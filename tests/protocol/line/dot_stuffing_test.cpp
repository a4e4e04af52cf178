#include "protocol/line/dot_stuffing.h"

#include <doctest/doctest.h>

#include "tests/support/cuts.h"

using namespace postkeep::line;
using namespace std::string_literals;

namespace {

struct Decoded {
  std::string message;
  std::string rest;  // not used: the next command
  bool finished = false;
  bool operator==(const Decoded&) const = default;
};

Decoded unstuff(const postkeep::test::Pieces& pieces) {
  DotUnstuffer decoder;
  Decoded out;
  for (const std::string_view piece : pieces) {
    const std::size_t used = decoder.feed(piece, out.message);
    out.rest.append(piece.substr(used));
  }
  out.finished = decoder.finished();
  return out;
}

std::string stuff(const postkeep::test::Pieces& pieces) {
  DotStuffer encoder;
  std::string out;
  for (const std::string_view piece : pieces) encoder.feed(piece, out);
  encoder.finish(out);
  return out;
}

}  // namespace

TEST_CASE("DATA ends at CRLF dot CRLF and nowhere else") {
  struct Case {
    std::string wire;
    Decoded expected;
  };
  const Case cases[] = {
      {".\r\n", {"", "", true}},
      {"a\r\n.\r\nQUIT\r\n", {"a\r\n", "QUIT\r\n", true}},
      {"..a\r\n...\r\n.\r\n", {".a\r\n..\r\n", "", true}},
      {".a\r\n.\r\n", {"a\r\n", "", true}},
      {"a\n.\nb\r\n.\r\n", {"a\r\n.\r\nb\r\n", "", true}},    // bare LF is content and stored as CRLF
      {"a\n.\r\nb\r\n.\r\n", {"a\r\n.\r\nb\r\n", "", true}},  // smuggling forms
      {"a\r\n.\nb\r\n.\r\n", {"a\r\n\r\nb\r\n", "", true}},
      {"a\r.\rb\r\n.\r\n", {"a\r.\rb\r\n", "", true}},
      {"a\r\n.\rb\r\n.\r\n", {"a\r\n\rb\r\n", "", true}},
      {"a\r\n.\r\r\n.\r\n", {"a\r\n\r\r\n", "", true}},
      {"a\r\r\n.\r\n", {"a\r\r\n", "", true}},
      {"n\0l\xFF\r\n.\r\n"s, {"n\0l\xFF\r\n"s, "", true}},
      {"open\r\n.\r", {"open\r\n", "", false}},
      {"open", {"open", "", false}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.wire);
    postkeep::test::for_each_cut(c.wire, [&](const auto& pieces) { CHECK(unstuff(pieces) == c.expected); });
  }
}

TEST_CASE("whether a bare LF has come is told, wherever the input is cut") {
  for (const std::string& input : {"a\n.\r\nb\r\n.\r\n"s, "a\r\n.\nb\r\n.\r\n"s, "\n\r\n.\r\n"s, ".\n\r\n.\r\n"s}) {
    postkeep::test::for_each_cut(input, [&](const auto& pieces) {
      DotUnstuffer decoder;
      std::string out;
      for (const std::string_view piece : pieces) decoder.feed(piece, out);
      CHECK(decoder.finished());
      CHECK(decoder.saw_bare_lf());
    });
  }
  DotUnstuffer sound;
  std::string out;
  sound.feed("a\r\nb\rc\r\r\n.\r.\r\n..\r\n.\r\n", out);
  CHECK(sound.finished());
  CHECK_FALSE(sound.saw_bare_lf());
}

TEST_CASE("stuffed text comes back as it was") {
  for (const auto& message :
       {""s, "a\r\n"s, ".\r\n"s, "..\r\n.x\r\n"s, "no end"s, "\r\n"s, "n\0\r\n"s, ".\r\n.\r\n"s}) {
    CAPTURE(message);
    postkeep::test::for_each_cut(message, [&](const auto& pieces) {
      const std::string wire = stuff(pieces);
      const Decoded back = unstuff({wire});
      CHECK(back.finished);
      CHECK(back.message == (message.empty() || message.ends_with("\r\n") ? message : message + "\r\n"));
    });
  }
}

TEST_CASE("a dot after a bare LF is stuffed too, since readers differ about such lines") {
  CHECK(stuff({"a\n.b"}) == "a\n..b\r\n.\r\n");
  CHECK(stuff({"a\n"}) == "a\n\r\n.\r\n");
}
