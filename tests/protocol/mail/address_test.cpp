#include "protocol/mail/address.h"

#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "protocol/mime/encoded_words.h"
#include "tests/support/mail_corpus.h"

using namespace postkeep;
using namespace std::string_literals;

namespace {

// "Name <local@domain>, Group: member;" with every string in brackets, so that nothing is ambiguous.
std::string shown(std::string_view value) {
  std::string out;
  for (const Address& a : parse_address_list(value)) {
    switch (a.kind) {
      case Address::Kind::group_start:
        out += "[" + a.local_part + "]:";
        break;
      case Address::Kind::group_end:
        out += ";";
        break;
      case Address::Kind::mailbox:
        out += "[" + a.name + "]" + (a.route.empty() ? "" : "{" + a.route + "}") + "<" + a.local_part + "@" + a.domain +
               ">";
        break;
    }
  }
  return out;
}

// The field that `header` starts with, without what follows it.
std::string first_field(const std::string& header) {
  for (std::size_t lf = header.find('\n'); lf != std::string::npos; lf = header.find('\n', lf + 1)) {
    if (lf + 1 >= header.size() || (header[lf + 1] != ' ' && header[lf + 1] != '\t')) return header.substr(0, lf);
  }
  return header;
}

std::string theirs(const nlohmann::json& expected) {
  std::string out;
  const auto text = [](const nlohmann::json& value) { return value.is_null() ? "" : value.get<std::string>(); };
  const auto add = [&](const nlohmann::json& list) {
    for (const auto& a : list) out += text(a["name"]) + " <" + text(a["address"]) + ">, ";
  };
  if (expected.contains("List")) add(expected["List"]);
  if (!expected.contains("Group")) return out;
  for (const auto& group : expected["Group"]) {
    if (!group["name"].is_null()) out += text(group["name"]) + ": ";
    add(group["addresses"]);
    if (!group["name"].is_null()) out += "; ";
  }
  return out;
}

std::string ours(std::string_view value) {
  std::string out;
  for (const Address& a : parse_address_list(value)) {
    const std::string at = a.local_part.empty() || a.domain.empty() ? "" : "@";
    switch (a.kind) {
      case Address::Kind::group_start:
        out += mime::decode_header_text(a.local_part) + ": ";
        break;
      case Address::Kind::group_end:
        out += "; ";
        break;
      case Address::Kind::mailbox:
        out += mime::decode_header_text(a.name) + " <" + a.local_part + at + a.domain + ">, ";
        break;
    }
  }
  return out;
}

// Where we mean it otherwise than mail-parser: start of the header value -> what we read, and why.
std::map<std::string, std::string> meant_otherwise() {
  return {
      // Comments are no part of a name or group; they are the name only of an address that has no other. An entry
      // that is nothing but a comment is no address.
      {"Pete(A nice \\) chap) <pe", "Pete <pete@silly.test>, "},
      {"Pete(A nice \n \\\n ) chap)", "Pete chap <pete@silly.test>, "},
      {"A Group(Some people)\n   ",
       "A Group: Chris Jones <c@public.example>,  <joe@example.org>, John <jdoe@one.test>, ; "},
      {"(Empty list)(start)Hidde", "Hidden recipients: ; "},
      {"Nathaniel Borenstein <ns", "Nathaniel Borenstein <nsb@thumper.bellcore.com>, "},
      {"Name (comment) =?utf-8?q", "Name Doe <a@b.com>, "},
      // Blanks around the dots of a domain are folding (RFC 5322 §4.4), and a route is no part of the address.
      {"Mary Smith <@node.test:m", "Mary Smith <mary@example.net>,  <jdoe@test.example>, "},
      {"John Doe <jdoe@machine(c", "John Doe <jdoe@machine.example>, "},
      // Blanks at the ends of a quoted name are kept in ENVELOPE, but this comparison decodes the name.
      {"\"  James Smythe\" <james@",
       "James Smythe <james@example.com>, Friends:  <jane@example.com>, John Smîth <john@example.com>, ; "},
  };
}

}  // namespace

TEST_CASE("addresses of RFC 5322 are read") {
  CHECK(shown("John Doe <jdoe@machine.example>") == "[John Doe]<jdoe@machine.example>");
  CHECK(shown("\"Joe Q. Public\" <john.q.public@example.com>") == "[Joe Q. Public]<john.q.public@example.com>");
  CHECK(shown("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <s@example.net>") ==
        "[]<boss@nil.test>[Giant; \"Big\" Box]<s@example.net>");
  CHECK(shown("A Group:Ed Jones <c@a.test>,joe@where.test;") == "[A Group]:[Ed Jones]<c@a.test>[]<joe@where.test>;");
  CHECK(shown("Undisclosed recipients:;") == "[Undisclosed recipients]:;");
  CHECK(shown("a@b, G: c@d; e@f") == "[]<a@b>[G]:[]<c@d>;[]<e@f>");
  CHECK(shown("\"quoted local\"@b") == "[]<quoted local@b>");
  CHECK(shown("a@[192.0.2.1]") == "[]<a@[192.0.2.1]>");
  CHECK(shown("").empty());
  CHECK(shown(" , ,\r\n ").empty());
}

TEST_CASE("obsolete forms are read") {
  CHECK(shown("Mary <@node.test,@b.test:mary@example.net>") == "[Mary]{@node.test,@b.test}<mary@example.net>");
  CHECK(shown("jdoe@test  . example") == "[]<jdoe@test.example>");
  CHECK(shown("john . doe @ x") == "[]<john.doe@x>");
  CHECK(shown("user@host (Full Name)") == "[Full Name]<user@host>");
  CHECK(shown("Joe Q. Public <j@x>") == "[Joe Q. Public]<j@x>");
  CHECK(shown("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>") == "[Pete]<pete@silly.test>");
}

TEST_CASE("broken addresses give what can be made out") {
  CHECK(shown("root") == "[]<root@>");
  CHECK(shown("MAILER-DAEMON <>") == "[MAILER-DAEMON]<@>");
  CHECK(shown("<>").empty());
  CHECK(shown("(only a comment)").empty());
  CHECK(shown("\"John Doe <a@b>") == "[John Doe]<a@b>");
  CHECK(shown("John <a@b, c@d") == "[John]<a@b>[]<c@d>");
  CHECK(shown("a@b c@d") == "[]<a@b>[]<c@d>");
  CHECK(shown("John Doe jdoe@x") == "[John Doe]<jdoe@x>");
  CHECK(shown("joe@x <joe@x>") == "[joe@x]<joe@x>");
  CHECK(shown("<a@b> Name") == "[Name]<a@b>");
  CHECK(shown("a@b@c") == "[]<a@b@c>");
  CHECK(shown("G: a@b") == "[G]:[]<a@b>;");
  CHECK(shown("G: H: a@b;") == "[G]:;[H]:[]<a@b>;");
  CHECK(shown(": a@b;") == "[]<a@b>");
  CHECK(shown("=?utf-8?q?Doe,_John?= <a@b>") == "[=?utf-8?q?Doe,_John?=]<a@b>");
  CHECK(shown("J\xF6rg <a@b>") == "[J\xF6rg]<a@b>");
  CHECK(shown("> <a@b>") == "[]<a@b>");
  CHECK(shown("(open <a@b>").empty());
  CHECK(shown("n\0l <a@b>"s) == "[n\0l]<a@b>"s);
}

TEST_CASE("the number of addresses is bounded and groups stay closed") {
  std::string text = "G:";
  for (int i = 0; i < 10000; ++i) text += "a@b,";
  const AddressList list = parse_address_list(text);
  CHECK(list.size() == addresses_max);
  CHECK(list.back().kind == Address::Kind::group_end);
}

TEST_CASE("hostile headers take time in proportion to their length") {
  for (const char* piece : {"\\\"", "\"", "(", "=?", "=?a?q?", "a . ", "<", ":", "@", "@a,", "a b ", ";"}) {
    std::string text;
    while (text.size() < 200000) text += piece;
    CHECK(parse_address_list(text).size() <= addresses_max);  // a square would take minutes
  }
}

TEST_CASE("the address fields of mail-parser come out as expected there, but for what is meant otherwise") {
  const auto path = test::mail_corpus() / "expected/mail-parser/fields-address.json";
  if (!test::have_mail_corpus()) return;
  const std::map<std::string, std::string> meant = meant_otherwise();
  std::size_t compared = 0;
  std::size_t differing = 0;
  for (const auto& row : nlohmann::json::parse(test::read_file(path))) {
    const std::string header = row["header"];
    CAPTURE(header);
    const std::string got = ours(first_field(header));
    const auto difference = meant.find(header.substr(0, 24));
    CHECK(got == (difference == meant.end() ? theirs(row["expected"]) : difference->second));
    differing += difference == meant.end() ? 0 : 1;
    ++compared;
  }
  CHECK(compared == 60);
  CHECK(differing == meant.size());
}
