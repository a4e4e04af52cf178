#include "protocol/mime/html_text.h"

#include <doctest/doctest.h>

#include "protocol/text/utf8.h"
#include "tests/support/cuts.h"

using namespace postkeep::mime;

namespace {

std::string text_of(const postkeep::test::Pieces& pieces, HtmlHead head) {
  HtmlText reader(head);
  std::string text;
  for (const std::string_view piece : pieces) reader.feed(piece, text);
  reader.finish(text);
  return text;
}

}  // namespace

TEST_CASE("HTML has the same words wherever it is cut") {
  const std::string html =
      "<!DOCTYPE html><html><head><title>Offer</title><style>p > a {b: c}</style></head>\r\n"
      "<!-- <p>no</p> -- > no -->\r\n<body class=\"x\"><p>un<b>believ</b>able<br/>caf&eacute; "
      "&amp;\r\n\t&#8364;&#x41;&nbsp;&bogus; &toolongname; 1 < 2 &"
      "</p><SCRIPT>if (a</b) '</scrip'</Script >after<!--></body></html>";
  postkeep::test::for_each_cut(html, [&](const auto& pieces) {
    CHECK(text_of(pieces, HtmlHead::hidden) == " unbelievable café & €A &bogus; &toolongname; 1 < 2 & after ");
    CHECK(text_of(pieces, HtmlHead::shown) == " Offer unbelievable café & €A &bogus; &toolongname; 1 < 2 & after ");
  });
}

TEST_CASE("every reference to a letter of Latin-1 is known") {
  CHECK(html_to_text("&iexcl;&Agrave;&Ccedil;&szlig;&agrave;&ntilde;&yuml;") == "¡ÀÇßàñÿ");
  CHECK(html_to_text("soft&shy;ly &#173;&mdash;") == "softly —");
  CHECK(html_to_text("&euro;&OElig;&bdquo;&hellip;") == "€Œ„…");
}

TEST_CASE("what only looks like markup is text, and a reader can be used again") {
  HtmlText reader(HtmlHead::hidden);
  std::string text;
  reader.feed("a <", text);
  reader.finish(text);
  reader.feed("<style>never closed", text);
  reader.finish(text);
  reader.feed("b &am", text);
  reader.finish(text);
  CHECK(text == "a < b &am");
}
