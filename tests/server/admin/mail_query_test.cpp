#include "server/admin/mail_query.h"

#include <doctest/doctest.h>

using namespace postkeep;
using namespace postkeep::admin;

namespace {

std::string join(std::vector<std::string> words) { return join_query(words); }

std::string error_of(const std::string& query) {
  const Result<SearchKey> key = parse_query(query);
  return key ? "" : key.error().text;
}

}  // namespace

TEST_CASE("one word is the query as it stands") {
  CHECK(join({"from bob subject \"two words\""}) == "from bob subject \"two words\"");
  CHECK(join({"all"}) == "all");
}

TEST_CASE("of several words those after a key with a text are that text") {
  CHECK(join({"from", "bob", "unseen"}) == "from \"bob\" unseen");
  CHECK(join({"subject", "all seen"}) == "subject \"all seen\"");
  CHECK(join({"SUBJECT", "seen", "seen"}) == "SUBJECT \"seen\" seen");
  CHECK(join({"not", "text", "say \"hi\" \\o/"}) == "not text \"say \\\"hi\\\" \\\\o/\"");
  CHECK(join({"from", "\"bob\""}) == "from \"bob\"");
  CHECK(join({"subject",
              "Gr\xC3\xBC\xC3\x9F"
              "e"}) ==
        "subject \"Gr\xC3\xBC\xC3\x9F"
        "e\"");
  CHECK(join({"from bob", "unseen"}) == "from bob unseen");
  CHECK(join({"unseen from", "bob b"}) == "unseen from \"bob b\"");
  CHECK(join({"(or from", "bob", "from", "carol)"}) == "(or from \"bob\" from \"carol)\"");
  CHECK(join({"since", "1-Jan-2026", "larger", "1000"}) == "since 1-Jan-2026 larger 1000");
  CHECK(join({"uid", "1:*"}) == "uid 1:*");
}

TEST_CASE("HEADER is followed by a name and a text") {
  CHECK(join({"header", "from", "seen", "seen"}) == "header \"from\" \"seen\" seen");
  CHECK(join({"header x-spam", "yes no"}) == "header x-spam \"yes no\"");
  CHECK(join({"header", "X-Spam", "", "all"}) == "header \"X-Spam\" \"\" all");
}

TEST_CASE("what was joined is understood") {
  const SearchKey key = parse_query(join({"header", "x-a", "b c", "or", "from", "x", "body", "y z"})).value();
  CHECK(key.kind == SearchKey::Kind::and_);
  REQUIRE(key.children.size() == 2);
  CHECK(key.children[0].needle == "b c");
  CHECK(key.children[1].children[1].needle == "y z");
}

TEST_CASE("an error says where it is, what may be meant, and gives an example") {
  CHECK(error_of("from alice form bob") ==
        "The query is wrong at character 16: Unknown search key FORM; did you mean FROM? For example: from alice since "
        "1-Jan-2026 unseen");
  CHECK(error_of("from").starts_with("The query is wrong at character 5 (its end): "));
  CHECK(error_of("").starts_with("The query is wrong at character 1 (its end): "));
  CHECK(error_of("since yesterday").starts_with("The query is wrong at character 7: "));
  CHECK(error_of("all)").starts_with("The query is wrong at character 4: "));
  CHECK(parse_query("xyzzy").error().kind == ErrorKind::bad_syntax);
  CHECK(error_of("xyzzy").find("did you mean") == std::string::npos);
}

TEST_CASE("keys of a session are refused wherever they stand") {
  for (const char* query : {"new", "not old", "or seen (all recent)", "$", "not uid $"}) {
    CAPTURE(query);
    CHECK(parse_query(query).error().kind == ErrorKind::cannot);
  }
  CHECK(parse_query("unseen uid 1:5").has_value());
}
