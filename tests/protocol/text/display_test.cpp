#include "protocol/text/display.h"

#include <doctest/doctest.h>

using namespace postkeep::text;

TEST_CASE("the width of text counts columns, not octets") {
  CHECK(display_width("") == 0);
  CHECK(display_width("abc") == 3);
  CHECK(display_width("Gr\xC3\xBC\xC3\x9F") == 4);
  CHECK(display_width("u\xCC\x88") == 1);                 // u and a combining diaeresis
  CHECK(display_width("\xE6\x97\xA5\xE6\x9C\xAC") == 4);  // 日本
  CHECK(display_width("\xF0\x9F\x93\xAC") == 2);          // a letter box
  CHECK(display_width("a\xE2\x80\x8B"
                      "b") == 2);  // zero width space
  CHECK(display_width("\xFF") == 1);
}

TEST_CASE("what could move the cursor or turn the text is replaced") {
  CHECK(displayable("plain text") == "plain text");
  CHECK(displayable("a\tb\r\nc") == "a b  c");
  CHECK(displayable("\x1B[31mred") == "\xEF\xBF\xBD[31mred");
  CHECK(displayable("\xC2\x9B"
                    "1m") ==
        "\xEF\xBF\xBD"
        "1m");  // CSI as one character
  CHECK(displayable("a\xE2\x80\xAE"
                    "fdp.exe") ==
        "a\xEF\xBF\xBD"
        "fdp.exe");
  CHECK(displayable("\xC3\xBC\xFF") == "\xC3\xBC\xEF\xBF\xBD");
}

TEST_CASE("text is cut at its width, with a mark where something is missing") {
  CHECK(cut_to_width("abc", 3) == "abc");
  CHECK(cut_to_width("abcd", 3) == "ab\xE2\x80\xA6");
  CHECK(cut_to_width("abcd", 1) == "\xE2\x80\xA6");
  CHECK(cut_to_width("\xE6\x97\xA5\xE6\x9C\xAC", 3) == "\xE6\x97\xA5\xE2\x80\xA6");
  CHECK(cut_to_width("\xE6\x97\xA5\xE6\x9C\xAC", 2) == "\xE2\x80\xA6");
}
