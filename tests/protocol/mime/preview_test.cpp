#include "protocol/mime/preview.h"

#include <doctest/doctest.h>

#include "protocol/mime/html_text.h"

using namespace postkeep::mime;

namespace {

std::string html_message(const std::string& html) { return "Content-Type: text/html; charset=utf-8\r\n\r\n" + html; }

}  // namespace

TEST_CASE("the words of a plain text, white space folded, quotes left out") {
  CHECK(preview_of("Subject: x\r\n\r\n  Hello,\r\n\r\n> what you said\r\n>> and I\r\nI\tagree.\r\n-- \r\nme\r\n") ==
        "Hello, I agree. -- me");
  CHECK(preview_of("Subject: only a header\r\n\r\n") == "");
  CHECK(preview_of("") == "");
  CHECK(preview_of("A: b\r\n\r\na\x01\x02 b\x7f") == "a b");
}

TEST_CASE("at most 200 characters, none cut") {
  const std::string euros = [] {
    std::string text;
    for (int i = 0; i < 500; ++i) text += "\xe2\x82\xac";
    return text;
  }();
  const std::string preview = preview_of("Content-Type: text/plain; charset=utf-8\r\n\r\n" + euros);
  CHECK(preview.size() == 600);
  CHECK(preview_of("A: b\r\n\r\n" + std::string(199, 'x') + " yyy") == std::string(199, 'x'));
}

TEST_CASE("transfer encoding and charset are undone") {
  CHECK(preview_of("Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
                   "caf=E9 =\r\nnoir") == "caf\xc3\xa9 noir");
  CHECK(preview_of("Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n") == "hello");
}

TEST_CASE("plain text comes before HTML, an attachment does not count, encrypted mail has no preview") {
  const std::string head = "Content-Type: multipart/alternative; boundary=b\r\n\r\n";
  CHECK(preview_of(head + "--b\r\nContent-Type: text/html\r\n\r\n<p>rich</p>\r\n--b\r\n\r\nplain\r\n--b--\r\n") ==
        "plain");
  CHECK(preview_of(head + "--b\r\nContent-Disposition: attachment\r\n\r\nfile\r\n--b\r\nContent-Type: text/html\r\n\r\n"
                          "<p>rich</p>\r\n--b--\r\n") == "rich");
  CHECK(preview_of("Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n\r\nVersion: 1\r\n--b--\r\n") == "");
  CHECK(preview_of("Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n") == "");
}

TEST_CASE("HTML without its markup") {
  CHECK(preview_of(
            html_message("<html><head><title>t</title><style>p{a:b}</style></head><body><p>One<br>two</p>"
                         "<SCRIPT>if (a</b) x</SCRIPT><!-- no --><b>bo</b>ld &amp; &lt;x&gt; &#8364;&#x41;&bogus;")) ==
        "One two bold & <x> \xe2\x82\xac"
        "A&bogus;");
  CHECK(html_to_text("a < b & c &amp") == "a < b & c &amp");
  CHECK(html_to_text("<style>never closed") == " ");
  CHECK(html_to_text("<") == "<");
  CHECK(html_to_text("<!-- never closed") == "");
  CHECK(html_to_text("&#xD800;&#99999999;") == "\xef\xbf\xbd&#99999999;");
}
