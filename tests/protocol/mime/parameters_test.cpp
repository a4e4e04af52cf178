#include "protocol/mime/parameters.h"

#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "protocol/mime/encoded_words.h"
#include "tests/support/mail_corpus.h"

using namespace postkeep;
using namespace postkeep::mime;

namespace {

// "value;name=text;name*=text": extended parameters have the star.
std::string shown(std::string_view value) {
  const ParameterisedValue parsed = parse_parameterised(value);
  std::string out = parsed.value;
  for (const Parameter& p : parsed.parameters) {
    out += ";" + p.name + (p.form == Parameter::Form::extended ? "*=" : "=") + p.value;
  }
  return out;
}

}  // namespace

TEST_CASE("parameters are read, quoted or not, with comments anywhere") {
  CHECK(shown("text/plain") == "text/plain");
  CHECK(shown(" Text / Plain ; Charset = \"us-ascii\" (comment)") == "text/plain;charset=us-ascii");
  CHECK(shown("(a) text (b) / (c) plain (d);charset=x") == "text/plain;charset=x");
  CHECK(shown("multipart/mixed; boundary=\"foo\r\n bar\"") == "multipart/mixed;boundary=foo bar");
  CHECK(shown("a/b; n=\"\\\"q\\\" \\\\\"") == "a/b;n=\"q\" \\");
  CHECK(shown("a/b; n=\"\"") == "a/b;n=");
}

TEST_CASE("RFC 2231 continuations and charsets are decoded") {
  CHECK(shown("a/b; url*0=\"ftp://\";\r\n url*1=\"x/y\"") == "a/b;url=ftp://x/y");
  CHECK(shown("a/b; url*1=\"x/y\"; url*0=\"ftp://\"") == "a/b;url=ftp://x/y");
  CHECK(shown("a/b; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A") == "a/b;title*=This is ***fun***");
  CHECK(shown("a/b; t*0*=us-ascii'en'This%20is%20even%20more%20; t*1*=%2A%2A%2Afun%2A%2A%2A%20; t*2=\"isn't it!\"") ==
        "a/b;t*=This is even more ***fun*** isn't it!");
  CHECK(shown("a/b; n*0*=utf-8''%E2%82; n*1*=%AC") == "a/b;n*=€");  // a character cut in two
  CHECK(shown("a/b; n*=iso-8859-1''%FC; n=u") == "a/b;n*=ü");
  CHECK(shown("a/b; n=u; n*=iso-8859-1''%FC") == "a/b;n*=ü");
  CHECK(shown("a/b; n*0=a; n*2=c") == "a/b;n=a");
  CHECK(shown("a/b; n*=%FC") == "a/b;n*=ü");  // no charset said: guessed
  CHECK(shown("a/b; n*=nobody''%FC%zz%4") == "a/b;n*=ü%zz%4");
}

TEST_CASE("broken parameters give what can be made out") {
  CHECK(shown("") == "");
  CHECK(shown(";") == "");
  CHECK(shown("a/b;;;; = ;; n=v;") == "a/b;n=v");
  CHECK(shown("a/b n=v m=w") == "a/b;n=v;m=w");  // no semicolons
  CHECK(shown("a/b; n=annual report.pdf; m=w") == "a/b;n=annual report.pdf;m=w");
  CHECK(shown("a/b; n=\"open; m=w") == "a/b;n=open;m=w");  // no closing quote
  CHECK(shown("a/b; n=1; N=2") == "a/b;n=1");
  CHECK(shown("a/b; flag; n=v") == "a/b;n=v");
  CHECK(shown("a/b; n*x=1; n**=2; *=3; n*99999=4; m=5") == "a/b;m=5");
}

TEST_CASE("the number of parameters is bounded") {
  std::string value = "a/b";
  for (int i = 0; i < 1000; ++i) value += "; n" + std::to_string(i) + "=v";
  CHECK(parse_parameterised(value).parameters.size() == 64);
}

TEST_CASE("hostile values take time in proportion to their length") {
  for (const char* piece : {"\"", "(", "; n=\"", "; n*0*=", "\\", " a=", "=", "; "}) {
    std::string value = "a/b";
    while (value.size() < 200000) value += piece;
    CHECK(parse_parameterised(value).parameters.size() <= 64);
  }
}

namespace {

// As ours is shown below: "type/subtype;name=value;...".
std::string theirs(const nlohmann::json& expected) {
  if (expected.is_null()) return "null";
  const auto& subtype = expected["c_subtype"];
  std::string out = expected["c_type"].get<std::string>() + (subtype.is_null() ? "" : "/" + subtype.get<std::string>());
  if (!expected.contains("attributes") || expected["attributes"].is_null()) return out;
  for (const auto& attribute : expected["attributes"]) {
    const std::string name = attribute[0];
    if (name.ends_with("-language")) continue;  // RFC 2231 languages are not kept
    out += ";" + name + "=" + attribute[1].get<std::string>();
  }
  return out;
}

std::string ours(std::string_view value) {
  const ParameterisedValue parsed = parse_parameterised(value);
  // What is no type at all is "null" there; mime/entity_header.cpp makes the default type of it.
  if (parsed.value.empty() || parsed.value.starts_with('/')) return "null";
  std::string out = parsed.value.ends_with('/') ? parsed.value.substr(0, parsed.value.size() - 1) : parsed.value;
  for (const Parameter& p : parsed.parameters) {
    const bool words = p.value.find("=?") != std::string::npos;
    out += ";" + p.name + "=" + (words ? decode_header_text(p.value) : p.value);
  }
  return out;
}

// Where we mean it otherwise than mail-parser: start of the header value -> what we read, and why.
const std::map<std::string, std::string>& parameters_meant_otherwise() {
  using namespace std::string_literals;
  static const std::map<std::string, std::string> table = {
      // A charset stands in the first section only (RFC 2231 §4.1); what looks like one later is text.
      {"application/pdf\n   filename*0*=iso-8859-1'es'%D1and%FA\n   filename*1*=iso-8859-1'%20r%E1pido\n   "
       "filename*2*=\"iso-8859-1' (versi%F3n \\'99 \\\"oficial\\\").pdf\"\n",
       "application/pdf;filename=Ñandúiso-8859-1' rápidoiso-8859-1' (versión '99 \"oficial\").pdf"},
      // White space between encoded words is dropped (RFC 2047 §6.2), in quotes as elsewhere.
      {"image/jpeg;\n   name=\"=?iso-8859-1?B?4Q==?= =?utf-8?B?w6k=?= =?iso-8859-1?q?=ED?=.jpeg\"\n",
       "image/jpeg;name=áéí.jpeg"},
      // An empty value is a value.
      {"text/plain; name=  \n", "text/plain;name="},
      // An unterminated quote is read as if it was not there, and blanks at the end go.
      {"inva/lid; name=\"   \n", "inva/lid;name="},
      {"inva/lid; name=\"   \n    \n", "inva/lid;name="},
      // Sections after a gap are not joined (RFC 2231 §3).
      {"test/encoded; key4*=us-ascii''foo; key*9999=ba%; key2*0=a; key3*0*=us-ascii'en'xyz; key*0=\"f\0oo\"; "
       "key2*1*=b%25; key3*1=plop%; key*1=baz; *=test; =test2;\n"s,
       "test/encoded;key4=foo;key=f\0oobaz;key2=ab%;key3=xyzplop%"s},
      // Names that RFC 2231 §7 cannot have made are passed over.
      {"malicious/attempt; 1*2*=a; 3**=b; 4***=c; *5**6*=d;*****7*8*=e; 9*10*11*12*13*14=f; 15*x***fff*===g;"
       "1 * 999999999999999999 *= h; 18 *=*=*=*=*==i;\n",
       "malicious/attempt;1=a;18=*=*=*=*==i"},
  };
  return table;
}

}  // namespace

TEST_CASE("the Content-Type fields of mail-parser come out as expected there, but for what is meant otherwise") {
  if (!test::have_mail_corpus()) return;
  const auto path = test::mail_corpus() / "expected/mail-parser/fields-content_type.json";
  std::size_t compared = 0;
  std::size_t differing = 0;
  for (const auto& row : nlohmann::json::parse(test::read_file(path))) {
    std::string header = row["header"];
    CAPTURE(header);
    const auto difference = parameters_meant_otherwise().find(header);
    CHECK(ours(header) ==
          (difference == parameters_meant_otherwise().end() ? theirs(row["expected"]) : difference->second));
    differing += difference == parameters_meant_otherwise().end() ? 0 : 1;
    ++compared;
  }
  CHECK(compared == 103);
  CHECK(differing == parameters_meant_otherwise().size());
}
