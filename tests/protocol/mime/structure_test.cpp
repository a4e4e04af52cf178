#include "protocol/mime/structure.h"

#include <doctest/doctest.h>

#include <array>
#include <optional>

#include "protocol/mime/places.h"
#include "tests/support/crlf.h"
#include "tests/support/cuts.h"
#include "tests/support/random.h"

using namespace postkeep::mime;
using namespace std::string_literals;

using postkeep::test::crlf;

namespace {

// "multipart/mixed(text/plain{Hello}2 ...)": leaves with their body and lines, CRLF shown as "|".
std::string describe(const Part& part, std::string_view message) {
  std::string out = part.type + "/" + part.subtype;
  if (!part.children.empty()) {
    out += '(';
    for (const Part& child : part.children) {
      if (out.back() != '(') out += ' ';
      out += describe(child, message);
    }
    return out + ')';
  }
  out += '{';
  for (const char c : message.substr(part.body.begin, part.body.size())) {
    if (c == '\n') out += '|';
    if (c != '\n' && c != '\r') out += c;
  }
  return out + '}' + std::to_string(part.lines);
}

Part parse_pieces(const postkeep::test::Pieces& pieces, const Limits& limits = {}) {
  StructureParser parser(limits);
  for (const std::string_view piece : pieces) parser.feed(piece);
  return parser.finish();
}

// The description of the tree of `text`, the same however the bytes arrive.
std::string tree(std::string_view text, const Limits& limits = {}) {
  const std::string message = crlf(text);
  const Part whole = parse_structure(message, limits);
  postkeep::test::for_each_cut(message, [&](const auto& pieces) { CHECK(parse_pieces(pieces, limits) == whole); });
  CHECK(whole.body.end == message.size());
  return describe(whole, message);
}

}  // namespace

TEST_CASE("a message that is no multipart is one leaf") {
  CHECK(tree("Subject: x\n\nHello\nyou\n") == "text/plain{Hello|you|}2");
  CHECK(tree("Subject: x\n\nHello\nyou") == "text/plain{Hello|you}2");
  CHECK(tree("Subject: x\n\n") == "text/plain{}0");
  CHECK(tree("Subject: x\n") == "text/plain{}0");
  CHECK(tree("Subject: x") == "text/plain{}0");
  CHECK(tree("") == "text/plain{}0");
  CHECK(tree("\n") == "text/plain{}0");
  CHECK(tree("\nbody") == "text/plain{body}1");
  CHECK(tree("Content-Type: IMAGE/Png; name=x\n\n") == "image/png{}0");
}

TEST_CASE("header and body ranges cover the message without a gap") {
  const std::string message = crlf("A: b\nC: d\n\nbody\n");
  const Part root = parse_structure(message);
  CHECK(root.header == ByteRange{0, 14});
  CHECK(root.body == ByteRange{14, message.size()});
  const Part cut = parse_structure("A: b\r\n");
  CHECK(cut.header == ByteRange{0, 6});
  CHECK(cut.body == ByteRange{6, 6});
}

TEST_CASE("parts of a multipart end before the line end of the delimiter") {
  CHECK(tree("Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\none\n--b\nContent-Type: text/html\n\n"
             "two\n\n--b--\nepilogue\n") == "multipart/mixed(text/plain{one}1 text/html{two|}1)");
  CHECK(tree("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--b\n\n\n--b--") ==
        "multipart/mixed(text/plain{}0 text/plain{}0)");
  CHECK(tree("Content-Type: multipart/mixed; boundary=\"b \"\n\n--b \t\n\none\n--b-- \n") ==
        "multipart/mixed(text/plain{one}1)");
}

TEST_CASE("missing ends are found at the end of what is around") {
  CHECK(tree("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n") == "multipart/mixed(text/plain{one|}1)");
  CHECK(
      tree("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n"
           "--a\n\ntwo\n--a--\n") == "multipart/mixed(multipart/mixed(text/plain{one}1) text/plain{two}1)");
  CHECK(tree("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n--b\nX: y") ==
        "multipart/mixed(text/html{}0 text/plain{}0)");
}

TEST_CASE("a multipart without delimiter has its whole body as one text part") {
  CHECK(tree("Content-Type: multipart/mixed; boundary=b\n\nno delimiter\n") ==
        "multipart/mixed(text/plain{no delimiter|}1)");
  CHECK(tree("Content-Type: multipart/mixed\n\n--b\n\nx\n") == "multipart/mixed(text/plain{--b||x|}3)");
  CHECK(tree("Content-Type: multipart/mixed; boundary=\"\"\n\n--\nx\n") == "multipart/mixed(text/plain{--|x|}2)");
  CHECK(tree("Content-Type: multipart/mixed; boundary=b\n\n--b--\n") == "multipart/mixed(text/plain{--b--|}1)");
  CHECK(tree("Content-Type: multipart/mixed; boundary=b\n") == "multipart/mixed(text/plain{}0)");
  CHECK(tree("Content-Type: multipart\n\nx") == "multipart/mixed(text/plain{x}1)");
}

TEST_CASE("boundaries that start alike are told apart, and the innermost of two equal ones is meant") {
  CHECK(tree("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; "
             "boundary=ab\n\n--ab\n\none\n"
             "--ab--\n--a\n\ntwo\n--a--\n") == "multipart/mixed(multipart/mixed(text/plain{one}1) text/plain{two}1)");
  CHECK(tree("Content-Type: multipart/mixed; boundary=ab\n\n--ab\nContent-Type: multipart/mixed; "
             "boundary=a\n\n--a\n\none\n"
             "--a--\n--ab\n\ntwo\n--ab--\n") == "multipart/mixed(multipart/mixed(text/plain{one}1) text/plain{two}1)");
  CHECK(
      tree("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\none\n"
           "--a--\n--a\n\ntwo\n--a--\n") == "multipart/mixed(multipart/mixed(text/plain{one}1) text/plain{two}1)");
  CHECK(tree("Content-Type: multipart/mixed; boundary=a\n\n--a\n\n--ax\n --a\n--a--x\n--a--\n") ==
        "multipart/mixed(text/plain{--ax| --a|--a--x}3)");
}

TEST_CASE("an epilogue holds no parts of its own multipart, but the outer one goes on") {
  CHECK(
      tree("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n"
           "--b--\n--b\n\nnot a part\n--a\n\ntwo\n--a--\n--a\n\nneither\n") ==
      "multipart/mixed(multipart/mixed(text/plain{one}1) text/plain{two}1)");
}

TEST_CASE("a nested message has its own tree and envelope") {
  const std::string text =
      "Subject: outer\nContent-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: message/rfc822\n\n"
      "Subject: inner\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\none\n--b\n\ntwo\n--b--\n\n--a--\n";
  CHECK(tree(text) == "multipart/mixed(message/rfc822(multipart/alternative(text/plain{one}1 text/plain{two}1)))");
  const Part root = parse_structure(crlf(text));
  REQUIRE(root.envelope.has_value());
  CHECK(root.envelope->subject == "outer");
  const Part& message = root.children[0];
  CHECK(!message.envelope.has_value());
  CHECK(message.lines == 10);
  CHECK(message.children[0].header.begin == message.body.begin);
  CHECK(message.children[0].body.end == message.body.end);
  REQUIRE(message.children[0].envelope.has_value());
  CHECK(message.children[0].envelope->subject == "inner");
}

TEST_CASE("a message part that is cut short still has a message inside") {
  CHECK(tree("Content-Type: message/rfc822\n") == "message/rfc822(text/plain{}0)");
  CHECK(tree("Content-Type: message/rfc822\n\n") == "message/rfc822(text/plain{}0)");
  CHECK(tree("Content-Type: message/rfc822\n\nSubject: x") == "message/rfc822(text/plain{}0)");
  CHECK(tree("Content-Type: message/global\n\n\nx\n") == "message/global(text/plain{x|}1)");
}

TEST_CASE("a nested message without blank line ends where its part does") {
  const std::string message =
      crlf("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\nSubject: x\n--b--\n");
  const Part root = parse_structure(message);
  const Part& part = root.children[0];
  CHECK(message.substr(part.body.begin, part.body.size()) == "Subject: x");
  CHECK(part.children[0].header == part.body);
  CHECK(part.children[0].body == ByteRange{part.body.end, part.body.end});
  CHECK(part.children[0].envelope->subject == "x");
}

TEST_CASE("a part that ends in its header stays within the multiparts around it") {
  const std::string message = crlf(
      "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=b\n\n--b\nX: y\n"
      "--a\nZ: z\n--a--\n");
  const Part root = parse_structure(message);
  REQUIRE(root.children.size() == 2);
  const Part& cut = root.children[0].children[0];
  CHECK(message.substr(cut.header.begin, cut.header.size()) == "X: y");
  CHECK(root.children[0].body.end == cut.body.end);
  const Part& last = root.children[1];
  CHECK(message.substr(last.header.begin, last.header.size()) == "Z: z\r\n");
}

TEST_CASE("a container with a transfer encoding that containers cannot have is a leaf") {
  CHECK(tree("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdA==\n") ==
        "application/octet-stream{U3ViamVjdA==|}1");
  CHECK(tree("Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n--b\n\nx\n--b--\n") ==
        "multipart/mixed(text/plain{x}1)");  // said wrongly of the multipart, whose delimiters are plain to see
}

TEST_CASE("parts of a digest are messages unless they say otherwise") {
  CHECK(tree("Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: 1\n\none\n--b\nContent-Type: "
             "text/plain\n\ntwo\n"
             "--b--\n") == "multipart/digest(message/rfc822(text/plain{one}1) text/plain{two}1)");
}

TEST_CASE("lines end with LF too, and a bare CR ends none") {
  const std::string lf = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n";
  const Part root = parse_structure(lf);
  REQUIRE(root.children.size() == 1);
  CHECK(lf.substr(root.children[0].body.begin, root.children[0].body.size()) == "one");
  const Part cr = parse_structure("A: b\rC: d\r\rbody\r");
  CHECK(cr.body.size() == 0);
  CHECK(cr.header.size() == 16);
  CHECK(parse_structure("A: b\r\n\r\none\rtwo\r\n").lines == 1);
}

TEST_CASE("the Content- fields of a part are decoded") {
  const Part root = parse_structure(crlf(
      "Content-Type: Application/PDF; NAME*0*=utf-8''%C3%BC; name*1=\".pdf\"; x=\"a\\\"b\" (comment)\n"
      "Content-ID:  <1@x> \nContent-Description: =?utf-8?q?d?=\n folded\nContent-Transfer-Encoding: BASE64 (really)\n"
      "Content-Disposition: ATTACHMENT; filename=annual report.pdf\nContent-Language: en, de (German), fr\n"
      "Content-Location: http://x/y\nContent-MD5: Q2hlY2s=\n\nbody\n"));
  CHECK(root.type == "application");
  CHECK(root.subtype == "pdf");
  REQUIRE(root.parameters.size() == 2);
  CHECK(root.parameters[0] == Parameter{"name", "ü.pdf", Parameter::Form::extended});
  CHECK(root.parameters[1] == Parameter{"x", "a\"b", Parameter::Form::plain});
  CHECK(root.id == "<1@x>");
  CHECK(root.description == "=?utf-8?q?d?= folded");
  CHECK(root.encoding_name == "base64");
  REQUIRE(root.disposition.has_value());
  CHECK(root.disposition->type == "attachment");
  CHECK(root.disposition->parameters[0].value == "annual report.pdf");
  CHECK(root.languages == std::vector<std::string>{"en", "de", "fr"});
  CHECK(root.location == "http://x/y");
  CHECK(root.md5 == "Q2hlY2s=");
}

TEST_CASE("a type that cannot be read is the default type") {
  for (const char* value : {"", ";", "text", "/", "/plain", "te xt/plain", "t\"e/x", "a/", "\xFC/x", "text/pl\xFC"}) {
    CAPTURE(value);
    const Part root = parse_structure("Content-Type: "s + value + "; charset=x\r\n\r\n");
    CHECK(root.type == "text");
    CHECK(root.subtype == "plain");
  }
}

TEST_CASE("nesting beyond the limit becomes a leaf that keeps every octet") {
  std::string text;
  for (int i = 0; i < 10; ++i) {
    const std::string b = "b" + std::to_string(i);
    text += "Content-Type: multipart/mixed; boundary=" + b + "\n\n--" + b + "\n";
  }
  text += "\nx\n";
  Limits limits;
  limits.nesting_max = 4;
  const std::string message = crlf(text);
  const Part* part = nullptr;
  Part root = parse_structure(message, limits);
  std::size_t depth = 1;
  for (part = &root; !part->children.empty(); part = &part->children[0]) ++depth;
  CHECK(depth == 4);
  CHECK(part->type == "application");
  CHECK(part->body.end == message.size());
  CHECK(
      tree(text, limits).starts_with("multipart/mixed(multipart/mixed(multipart/mixed(application/octet-stream{--b3|"));
}

TEST_CASE("parts beyond the limit are content of the last one") {
  std::string text = "Content-Type: multipart/mixed; boundary=b\n\n";
  for (int i = 0; i < 10; ++i) text += "--b\n\n" + std::to_string(i) + "\n";
  Limits limits;
  limits.parts_max = 4;
  CHECK(tree(text + "--b--\n", limits) ==
        "multipart/mixed(text/plain{0}1 text/plain{1}1 "
        "text/plain{2|--b||3|--b||4|--b||5|--b||6|--b||7|--b||8|--b||9}22)");
}

TEST_CASE("a header beyond the limit is served but not understood") {
  Limits limits;
  limits.header_octets_max = 100;
  const std::string message =
      crlf("Subject: x\nX-Long: " + std::string(200, 'y') + "\nContent-Type: text/html\n\nbody\n");
  const Part root = parse_structure(message, limits);
  CHECK(root.subtype == "plain");
  CHECK(root.envelope->subject == "x");
  CHECK(message.substr(root.body.begin) == "body\r\n");
  postkeep::test::for_each_cut(message, [&](const auto& pieces) { CHECK(parse_pieces(pieces, limits) == root); });
}

TEST_CASE("descriptions beyond the limit of the tree are dropped, not the parts") {
  Limits limits;
  limits.tree_octets_max = 3000;
  std::string text = "Content-Type: multipart/mixed; boundary=b\n\n";
  for (int i = 0; i < 10; ++i) text += "--b\nContent-Type: text/html; name=" + std::string(700, 'n') + "\n\nx\n";
  const Part root = parse_structure(crlf(text + "--b--\n"), limits);
  REQUIRE(root.children.size() == 10);
  CHECK(root.children[0].parameters.size() == 1);
  CHECK(root.children[9].parameters.empty());
  CHECK(root.children[9].subtype == "html");
  CHECK(root.children[9].body.size() == 1);
}

TEST_CASE("delimiters longer than any boundary may be are content") {
  const std::string huge(2000, 'b');
  CHECK(tree("Content-Type: multipart/mixed; boundary=" + huge + "\n\n--" + huge + "\n\nx\n")
            .starts_with("multipart/mixed(text/plain{--bbb"));
  const std::string longest(1000, 'b');
  const std::string message =
      crlf("Content-Type: multipart/mixed; boundary=" + longest + "\n\n--" + longest + "\n\nx\n");
  CHECK(describe(parse_structure(message), message) == "multipart/mixed(text/plain{x|}1)");
  for (const std::size_t size : {1, 7, 1000}) {
    CHECK(parse_pieces(postkeep::test::cut_every(message, size)) == parse_structure(message));
  }
}

TEST_CASE("wanted fields of the root are captured in order") {
  StructureParser parser({}, {"references", "LIST-ID"});
  parser.feed(
      "References: <a>\r\n <b>\r\nX: y\r\nList-Id: l\r\nreferences: <c>\r\nContent-Type: message/rfc822\r\n\r\n");
  parser.feed("List-Id: inner\r\n\r\n");
  parser.finish();
  const std::vector<CapturedField> expected = {
      {"references", " <a>\r\n <b>"}, {"list-id", " l"}, {"references", " <c>"}};
  CHECK(parser.captured() == expected);
}

namespace {

void forget_what_places_lack(Part& part) {
  part.envelope.reset();
  part.lines = 0;
  for (Part& child : part.children) forget_what_places_lack(child);
}

std::optional<Part> places_in(std::string_view message, const Limits& limits = {}) {
  std::optional<Part> root = find_places(message, limits);
  if (root) forget_what_places_lack(*root);
  return root;
}

}  // namespace

TEST_CASE("find_places() tells what a whole parse tells, or nothing") {
  postkeep::test::Random random(5);
  constexpr std::array lines = {"--a",
                                "--a--",
                                "--b ",
                                "--b--",
                                "",
                                "",
                                "text",
                                "From: x@y, z@w",
                                "Content-Type: multipart/mixed; boundary=a",
                                "Content-Type: multipart/digest; boundary=b",
                                "Content-Type: multipart/mixed",
                                "Content-Type: message/rfc822",
                                "Content-Type: text/html; charset=utf-8",
                                "Content-Transfer-Encoding: base64"};
  int known = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string message;
    for (std::uint32_t i = random.below(25); i > 0; --i) {
      message += std::string(lines[random.below(lines.size())]) + (random.one_in(4) ? "\n" : "\r\n");
    }
    if (random.one_in(3)) message += "--a";
    Limits limits;
    if (random.one_in(3)) limits.tree_octets_max = random.below(4'000);
    if (random.one_in(5)) limits.parts_max = random.below(6) + 1;
    if (random.one_in(5)) limits.nesting_max = random.below(4) + 1;
    Part whole = parse_structure(message, limits);
    forget_what_places_lack(whole);
    const std::optional<Part> places = places_in(message, limits);
    CAPTURE(message);
    if (places) REQUIRE(*places == whole);
    known += places ? 1 : 0;
  }
  CHECK(known > 10'000);
}

TEST_CASE("find_places() knows nothing of a message whose envelope may be too large to keep") {
  const std::string head = "Content-Type: text/plain; charset=koi8-r\r\nFrom: ";
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "a,";
  CHECK(places_in(head + "a@b\r\n\r\ntext"));
  CHECK_FALSE(places_in(head + many + "\r\n\r\ntext"));
}
