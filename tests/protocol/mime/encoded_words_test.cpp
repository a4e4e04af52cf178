#include "protocol/mime/encoded_words.h"

#include <doctest/doctest.h>

#include <string>

using postkeep::mime::decode_header_text;

TEST_CASE("encoded words become text") {
  // The examples of RFC 2047 §8, and of §6.2 for white space.
  CHECK(decode_header_text("=?ISO-8859-1?Q?a?=") == "a");
  CHECK(decode_header_text("=?ISO-8859-1?Q?a?= b") == "a b");
  CHECK(decode_header_text("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=") == "ab");
  CHECK(decode_header_text("=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=") == "ab");
  CHECK(decode_header_text("=?ISO-8859-1?Q?a_b?=") == "a b");
  CHECK(decode_header_text("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=") == "a b");
  CHECK(decode_header_text("=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <k@x>") == "Keld Jørn Simonsen <k@x>");
  CHECK(decode_header_text("=?iso-8859-8?b?7eXs+SDv4SDp7Oj08A==?=") == "םולש ןב ילטפנ");
  CHECK(decode_header_text("=?US-ASCII*EN?Q?Keith_Moore?=") == "Keith Moore");
}

TEST_CASE("a character cut in two by adjacent words is put together") {
  CHECK(decode_header_text("=?utf-8?Q?=E2=82?= =?UTF-8?B?rA==?=") == "€");
  CHECK(decode_header_text("=?utf-8?Q?=E2=82?= x =?UTF-8?B?rA==?=") == "\xEF\xBF\xBD x \xEF\xBF\xBD");
}

TEST_CASE("what is no encoded word stays as it is") {
  for (const char* text : {"=?", "=??Q?a?=", "=?utf-8?X?a?=", "=?utf-8?Q?a", "=?nobody-knows?Q?a?=", "a =?= b", "=",
                           "=?utf-8?Q", "=?utf-8?Q?"}) {
    CHECK(decode_header_text(text) == text);
  }
}

TEST_CASE("words are read inside quotes and words, as everybody does") {
  CHECK(decode_header_text("\"=?utf-8?Q?a?= b\" x=?utf-8?Q?y?=z") == "\"a b\" xyz");
}

TEST_CASE("raw octets above ASCII are guessed") {
  CHECK(decode_header_text("gr\xFC\xDF") == "grüß");
  CHECK(decode_header_text("grüß") == "grüß");
}

TEST_CASE("words without end cost no square of the header") {
  std::string text;
  for (int i = 0; i < 40000; ++i) text += "=?a?q?x";
  CHECK(decode_header_text(text) == text);
}
