#include "protocol/mime/search_text.h"

#include <doctest/doctest.h>

#include "protocol/text/utf8.h"
#include "tests/support/cuts.h"

using namespace postkeep::mime;

namespace {

struct Text {
  std::string header;
  std::string body;
  std::size_t longest_piece = 0;
};

Text extract(std::string_view message, const postkeep::test::Pieces& pieces) {
  const Part root = parse_structure(message);
  Text out;
  SearchTextExtractor extractor(root, [&](SearchArea area, std::string_view utf8) {
    CHECK(postkeep::text::is_valid_utf8(utf8));
    (area == SearchArea::header ? out.header : out.body).append(utf8);
    out.longest_piece = std::max(out.longest_piece, utf8.size());
  });
  for (const std::string_view piece : pieces) extractor.feed(piece);
  extractor.finish();
  return out;
}

// Lets nothing through that it may stop, and notes what it was asked about.
class Stopper final : public SearchTextFilter {
 public:
  bool wants(SearchArea area) const override { return area == SearchArea::body; }
  bool may_be_in(SearchArea, std::string_view raw) const override {
    asked.emplace_back(raw);
    return false;
  }
  mutable std::vector<std::string> asked;
};

// What comes of a message in one piece, of header and body.
std::string let_through(std::string_view message, const SearchTextFilter& filter) {
  const Part root = parse_structure(message);
  std::string came;
  SearchTextExtractor extractor(
      root, [&](SearchArea, std::string_view utf8) { came.append(utf8); }, &filter);
  extractor.feed(message);
  extractor.finish();
  return came;
}

}  // namespace

TEST_CASE("text comes decoded, the same at every cut") {
  const std::string message =
      "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n an alle\r\nContent-Type: multipart/mixed; "
      "boundary=b\r\n\r\npreamble\r\n"
      "--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
      "gr=FC=\r\n=DF\r\n--b\r\nContent-Type: application/pdf; name*=utf-8''%C3%BC.pdf\r\n\r\nnot text\r\n"
      "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Transfer-Encoding: base64\r\n\r\n"
      "w7xiZXI=\r\n--b--\r\n";
  postkeep::test::for_each_cut(message, [&](const auto& pieces) {
    const Text text = extract(message, pieces);
    CHECK(text.header == "Subject: Grüße an alle\nContent-Type: multipart/mixed; boundary=b\n");
    CHECK(text.body ==
          "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\ngrüß\n"
          "Content-Type: application/pdf; name*=utf-8''%C3%BC.pdf\nü.pdf\n"
          "Content-Type: message/rfc822\nSubject: inner\nContent-Transfer-Encoding: base64\nüber\n");
  });
}

TEST_CASE("HTML comes as people see it: a word that tags part is one, references are letters, markup is not found") {
  const std::string message =
      "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
      "<title>Caf=C3=A9</title><p class=3D\"blue\">un<b>believ</b>able &eacute;t&eacute; &\r\n";
  postkeep::test::for_each_cut(
      message, [&](const auto& pieces) { CHECK(extract(message, pieces).body == " Café unbelievable été & \n"); });
}

TEST_CASE("a filter is not asked about HTML, ASCII or not: a word that tags part does not stand in it as it is") {
  const Stopper stopper;
  const std::string_view message = "Content-Type: text/html; charset=us-ascii\r\n\r\nun<b>believ</b>able";
  CHECK(let_through(message, stopper) == "unbelievable\n");
  CHECK(stopper.asked.empty());
}

TEST_CASE("large texts and headers come in small pieces and whole") {
  std::string message = "Subject: x\r\nX-Long:";
  for (int i = 0; i < 20000; ++i) message += " word" + std::to_string(i) + "\r\n";
  message += "To: me\r\n\r\n";
  const std::string body(500000, 'y');
  message += body;
  for (const std::size_t size : {std::size_t{1000}, std::size_t{65536}, message.size()}) {
    const Text text = extract(message, postkeep::test::cut_every(message, size));
    CHECK(text.longest_piece < 100000);
    CHECK(text.body == body + "\n");
    CHECK(text.header.starts_with("Subject: x\n"));
    CHECK(text.header.ends_with("\nTo: me\n"));
    for (int i = 0; i < 20000; i += 100) {
      const std::string neighbours = " word" + std::to_string(i) + " word" + std::to_string(i + 1) + " ";
      REQUIRE(text.header.find(neighbours) != std::string::npos);
    }
  }
}

TEST_CASE("a message shorter than its tree ends where it ends") {
  const std::string message = "Subject: x\r\n\r\nbody";
  const Part root = parse_structure(message);
  std::string all;
  SearchTextExtractor extractor(root, [&](SearchArea, std::string_view utf8) { all.append(utf8); });
  extractor.feed(std::string_view(message).substr(0, message.size() - 2));
  extractor.finish();
  CHECK(all == "Subject: x\nbo\n");
}

TEST_CASE("a filter is asked about what is ASCII as it stands, and gets rid of it; all else comes") {
  const std::string message =
      "Subject: not wanted\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
      "--b\r\nX: 1\r\n\r\nplain\r\n"
      "--b\r\nX: =?utf-8?Q?2?=\r\n\r\ngr\xC3\xBCn\r\n"
      "--b\r\nContent-Type: text/plain; charset=utf-7\r\n\r\nshifted\r\n"
      "--b\r\nContent-Type: application/x; name*=utf-8''%61.pdf\r\n\r\nnot text\r\n"
      "--b\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n--b--\r\n";
  const Stopper stopper;
  CHECK(let_through(message, stopper) == "X: 2\ngrün\nshifted\na.pdf\na\n");
  const std::vector<std::string> expected = {"X: 1\r\n\r\n", "plain", "Content-Type: text/plain; charset=utf-7\r\n\r\n",
                                             "Content-Type: application/x; name*=utf-8''%61.pdf\r\n\r\n",
                                             "Content-Transfer-Encoding: base64\r\n\r\n"};
  CHECK(stopper.asked == expected);
}
