#include "protocol/mail/mailbox_name.h"

#include <doctest/doctest.h>

#include "protocol/base/ensure.h"
#include "protocol/mail/limits.h"

using namespace postkeep;
using Encoding = MailboxName::Encoding;

namespace {

std::string from_wire(std::string_view text, Encoding encoding = Encoding::modified_utf7, char separator = '/') {
  const auto name = MailboxName::from_wire(text, encoding, separator);
  return name ? name->utf8() : "error: " + std::string(name.error().text);
}

MailboxName name_of(const char* utf8) { return MailboxName::from_utf8(utf8).value(); }

}  // namespace

TEST_CASE("modified UTF-7 follows the examples of RFC 3501 and goes there and back") {
  struct Example {
    const char* utf8;
    const char* encoded;
  };
  const Example examples[] = {
      {"plain", "plain"},
      {"a&b", "a&-b"},
      {"\xE5\x8F\xB0\xE5\x8C\x97", "&U,BTFw-"},
      {"\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", "&ZeVnLIqe-"},
      {"~peter/mail/\xE5\x8F\xB0\xE5\x8C\x97/\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
      {"Entw\xC3\xBCrfe", "Entw&APw-rfe"},
      {"\xF0\x9F\x93\xAC", "&2D3c7A-"},
      {"tab\there", "tab&AAk-here"},
      {"&\xC3\xBC&", "&-&APw-&-"},
      {"", ""},
  };
  for (const Example& example : examples) {
    CAPTURE(example.encoded);
    CHECK(encode_modified_utf7(example.utf8) == example.encoded);
    CHECK(decode_modified_utf7(example.encoded) == std::string(example.utf8));
  }
}

TEST_CASE("modified UTF-7 that is not well formed is refused") {
  const char* texts[] = {
      "&",                         // not ended
      "a&APw",                     // not ended
      "&APw-&APw-",                // two shifts where one would do (RFC 3501 §5.1.3)
      "&AGE-",                     // "a" must stand for itself
      "&ACY-",                     // and "&" is "&-"
      "&A-",         "&AP-",       // less than one character
      "&APx-",                     // stray bits
      "&APwA-",                    // a whole digit too many
      "&2D0-",                     // half a surrogate pair
      "&3Ow-",                     // the other half
      "&2D3YPQ-",                  // two first halves
      "&AP/-",                     // "/" is "," here
      "&APw=-",                    // no padding
      "caf\xC3\xA9",               // 8-bit
      "\x7F",        "tab\there",  // controls are shifted
  };
  for (const char* text : texts) {
    CAPTURE(text);
    CHECK_FALSE(decode_modified_utf7(text));
  }
}

TEST_CASE("every character outside ASCII survives modified UTF-7, and ill-formed UTF-8 is replaced") {
  for (const char* utf8 :
       {"\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    CHECK(decode_modified_utf7(encode_modified_utf7(utf8)) == std::string(utf8));
  }
  CHECK(decode_modified_utf7(encode_modified_utf7("a\xFFz")) == std::string("a\xEF\xBF\xBDz"));
}

TEST_CASE("INBOX alone ignores case, also as the top of a hierarchy") {
  CHECK(from_wire("inbox") == "INBOX");
  CHECK(from_wire("InBox/Sub") == "INBOX/Sub");
  CHECK(from_wire("inboxes") == "inboxes");
  CHECK(from_wire("a/inbox") == "a/inbox");
  CHECK(name_of("iNBOX").is_inbox());
  CHECK(MailboxName::inbox() == name_of("inbox"));
  CHECK_FALSE(name_of("sent") == name_of("Sent"));
}

TEST_CASE("names are read in both encodings, and raw UTF-8 in either") {
  CHECK(from_wire("Entw&APw-rfe") == "Entw\xC3\xBCrfe");
  CHECK(from_wire("Entw\xC3\xBCrfe") == "Entw\xC3\xBCrfe");
  CHECK(from_wire("Entw\xC3\xBCrfe", Encoding::utf8) == "Entw\xC3\xBCrfe");
  CHECK(from_wire("Entw&APw-rfe", Encoding::utf8) == "Entw&APw-rfe");
  CHECK(from_wire("R&D", Encoding::utf8) == "R&D");
  CHECK(name_of("R&D").to_wire(Encoding::modified_utf7, '/') == "R&-D");
  CHECK(name_of("R&D").to_wire(Encoding::utf8, '/') == "R&D");
}

TEST_CASE("names are equal if they are equal in NFC") {
  CHECK(name_of("u\xCC\x88") == name_of("\xC3\xBC"));
  CHECK(from_wire("u&Awg-") == "\xC3\xBC");
}

TEST_CASE("with a dot on the wire the separators change places") {
  CHECK(from_wire("a.b/c", Encoding::modified_utf7, '.') == "a/b.c");
  CHECK(name_of("a/b.c").to_wire(Encoding::modified_utf7, '.') == "a.b/c");
  CHECK(name_of("a/b.c").to_wire(Encoding::utf8, '/') == "a/b.c");
  CHECK(from_wire("inbox.x", Encoding::utf8, '.') == "INBOX/x");
}

TEST_CASE("a separator is '/' or '.'") {
  CHECK_THROWS_AS((void)MailboxName::from_wire("a", Encoding::utf8, '^'), BugError);
}

TEST_CASE("names that no mailbox can have are refused") {
  for (const char* text : {"", "/", "/a", "a/", "a//b", "a\tb", "a\x7F", "a\xC2\x85", "x\xE2\x80\xA8y",
                           "x\xE2\x80\xA9y", "a\xFF", "\xC0\xAF", "\xED\xA0\x80"}) {
    CAPTURE(text);
    const auto name = MailboxName::from_utf8(text);
    REQUIRE_FALSE(name);
    CHECK(name.error().kind == ErrorKind::cannot);
  }
  CHECK_FALSE(MailboxName::from_utf8(std::string("a\0b", 3)));
  CHECK(MailboxName::from_utf8(std::string(limits::mailbox_name_bytes_max, 'a')));
  CHECK_FALSE(MailboxName::from_utf8(std::string(limits::mailbox_name_bytes_max + 1, 'a')));
  CHECK(from_wire("&Jjo!") == "error: Mailbox name is not valid modified UTF-7");
  CHECK(from_wire("a&AAo-b") == "error: Mailbox name contains a control character");
  CHECK(from_wire("\xFF\xFE") == "error: Mailbox name is not valid UTF-8");
}

TEST_CASE("a name knows its parts") {
  const MailboxName name = name_of("a/b/c");
  CHECK(name.components() == std::vector<std::string_view>{"a", "b", "c"});
  CHECK(name.last_component() == "c");
  CHECK(name.parent()->utf8() == "a/b");
  CHECK(name.parent()->parent()->utf8() == "a");
  CHECK_FALSE(name_of("a").parent());
  CHECK(name.is_under(name_of("a")));
  CHECK(name.is_under(name_of("a/b")));
  CHECK_FALSE(name.is_under(name));
  CHECK_FALSE(name_of("ab").is_under(name_of("a")));
  CHECK(name.moved(name_of("a"), name_of("x/y")).utf8() == "x/y/b/c");
  CHECK(name.moved(name, name_of("z")).utf8() == "z");
  CHECK_THROWS_AS(name.moved(name_of("q"), name_of("z")), BugError);
}

TEST_CASE("LIST patterns match as RFC 9051 says") {
  struct Row {
    const char* pattern;
    const char* name;
    bool matches;
  };
  const Row rows[] = {
      {"*", "a/b/c", true},
      {"%", "a", true},
      {"%", "a/b", false},
      {"a/%", "a/b", true},
      {"a/%", "a/b/c", false},
      {"a/*", "a/b/c", true},
      {"a/*", "a", false},
      {"a*", "a", true},
      {"%/%", "a/b", true},
      {"%b", "a/b", false},
      {"*b", "a/b", true},
      {"", "", true},
      {"", "a", false},
      {"a", "A", false},
      {"inbox", "INBOX", true},
      {"InB*", "INBOX/x", true},
      {"inbox/X", "INBOX/x", false},
      {"%x", "INBOX", true},
      {"*%", "a/b", true},
      {"%*", "a/b", true},
      {"%%", "a/b", false},
      {"**", "a/b", true},
      {"a%c", "abc", true},
      {"a%c", "ab/c", false},
      {"inboxes", "inboxes", true},
      {"INBOXES", "inboxes", false},
      {"ab", "abc", false},
      {"abc", "ab", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.pattern);
    CAPTURE(row.name);
    CHECK(matches_list_pattern(row.pattern, row.name) == row.matches);
  }
}

TEST_CASE("no LIST pattern takes long") {
  std::string pattern;
  for (int i = 0; i < 500; ++i) pattern += "*a%";
  CHECK_FALSE(matches_list_pattern(pattern + "b", std::string(1000, 'a')));
}

TEST_CASE("special uses go there and back") {
  for (const char* name :
       {"\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Important", "\\Junk", "\\Sent", "\\Trash"}) {
    CHECK(to_wire(special_use_from_wire(name).value()) == name);
  }
  CHECK(special_use_from_wire("\\SENT") == SpecialUse::sent);
  CHECK_FALSE(special_use_from_wire("Sent"));
  CHECK_FALSE(special_use_from_wire(""));
  CHECK(to_wire(SpecialUse::none).empty());
}
