// The structure parser over the whole mail corpus: promises that hold for every message, and trees compared with
// those of mail-parser, mime4j and MailCore, each meant difference with its reason.
#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "protocol/base/ascii.h"
#include "protocol/mime/section_resolve.h"
#include "protocol/mime/structure.h"
#include "tests/support/cuts.h"
#include "tests/support/mail_corpus.h"

using namespace postkeep;
using namespace postkeep::mime;
namespace fs = std::filesystem;

namespace {

Part parse_pieces(std::string_view message, std::size_t size, const Limits& limits = {}) {
  StructureParser parser(limits);
  for (const std::string_view piece : test::cut_every(message, size)) parser.feed(piece);
  return parser.finish();
}

// What structure.h promises; returns the number of parts.
std::size_t check_promises(const Part& part, std::uint64_t begin, std::uint64_t end, std::size_t depth_max) {
  REQUIRE(depth_max > 0);
  REQUIRE(part.header.begin >= begin);
  REQUIRE(part.header.end >= part.header.begin);
  REQUIRE(part.body.begin == part.header.end);
  REQUIRE(part.body.end >= part.body.begin);
  REQUIRE(part.body.end <= end);
  REQUIRE(part.is_multipart() == (!part.children.empty() && !part.is_message()));
  if (part.is_message()) REQUIRE(part.children.size() == 1);
  if (part.is_message()) REQUIRE(part.children[0].envelope.has_value());
  std::size_t parts = 1;
  std::uint64_t from = part.body.begin;
  for (const Part& child : part.children) {
    parts += check_promises(child, from, part.body.end, depth_max - 1);
    from = child.body.end;
  }
  return parts;
}

// The message of an expected file, CRLF; empty if there is none of that name.
std::string message_named(const std::string& group, const std::string& name) {
  for (const char* folder : {"real", "malformed"}) {
    const fs::path path = test::mail_corpus() / folder / group / (name + ".eml");
    if (fs::exists(path)) return test::with_crlf(test::read_file(path));
  }
  return {};
}

std::vector<fs::path> files_in(const fs::path& folder, std::string_view ending) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().ends_with(ending)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// What a tree of ours is where it is not like theirs. The reasons are in the tables.
using Differences = std::map<std::string, std::string>;

struct Comparison {
  const Differences& differences;
  std::size_t same = 0;
  std::size_t different = 0;
  void add(const std::string& name, const std::string& ours, const std::string& theirs) {
    CAPTURE(name);
    const auto found = differences.find(name);
    CHECK(ours == (found == differences.end() ? theirs : found->second));
    ++(found == differences.end() ? same : different);
  }
};

}  // namespace

TEST_CASE("every message of the corpus gives one tree, however it is cut and however small the limits are") {
  if (!test::have_mail_corpus()) return;
  Limits small;
  small.nesting_max = 3;
  small.parts_max = 5;
  small.header_octets_max = 1000;
  small.tree_octets_max = 4000;
  for (const fs::path& path : test::corpus_messages()) {
    CAPTURE(path.string());
    const std::string message = test::with_crlf(test::read_file(path));
    for (const Limits& limits : {Limits(), small}) {
      const Part root = parse_structure(message, limits);
      REQUIRE(root.header.begin == 0);
      REQUIRE(root.body.end == message.size());
      // A multipart that has no part is given one: one level more, and at most twice the parts.
      REQUIRE(check_promises(root, 0, message.size(), limits.nesting_max + 1) <= 2 * limits.parts_max);
      REQUIRE(parse_pieces(message, 997, limits) == root);
      if (message.size() < 5000) REQUIRE(parse_pieces(message, 1, limits) == root);
    }
  }
}

namespace {

// "type/subtype[header,body,end]" of each part in order.
std::string offsets_of(const Part& part) {
  std::string out = "[" + std::to_string(part.header.begin) + "," + std::to_string(part.body.begin) + "," +
                    std::to_string(part.body.end) + "]";
  for (const Part& child : part.children) out += offsets_of(child);
  return out;
}

std::string offsets_of(const nlohmann::json& message, std::size_t index) {
  const auto& part = message["parts"][index];
  const auto number = [&](const char* key) { return std::to_string(part[key].get<std::uint64_t>()); };
  std::string out = "[" + number("offset_header") + "," + number("offset_body") + "," + number("offset_end") + "]";
  const auto& body = part["body"];
  if (body.contains("Multipart")) {
    for (const auto& child : body["Multipart"]) out += offsets_of(message, child.get<std::size_t>());
  }
  if (body.contains("Message")) out += offsets_of(body["Message"], 0);
  return out;
}

const Differences& differences_from_mail_parser() {
  static const Differences table = {
      // A delimiter directly after a part's header begins the next part.
      {"malformed-000", "[0,50,169][58,58,58][66,92,92][100,126,126][134,159,159]"},
      // "--ab" inside boundary "a" inside boundary "ab" belongs to the outer one; an inner multipart without parts
      // has its body as its one part.
      {"malformed-001", "[0,48,142][54,101,101][101,101,101][107,135,142]"},
      {"malformed-007", "[0,47,168][52,151,157][151,151,157]"},
      {"malformed-002", "[0,48,54][48,48,54]"},
      {"malformed-020", "[0,241,1036][264,430,797][471,546,768][797,797,797][822,905,1009]"},
      {"malformed-021", "[0,229,1078][252,418,839][463,538,810][839,839,839][864,947,1051]"},
      // Only a whole line is a delimiter: "--ab" is none of boundary "a".
      {"malformed-004", "[0,47,140][47,47,140]"},
      // The delimiter of an outer multipart ends the inner one also where the inner boundary starts alike.
      {"malformed-008", "[0,48,180][54,101,138][106,134,138][146,173,180]"},
      {"malformed-009", "[0,47,210][52,99,170][104,132,133][140,168,170][177,205,210]"},
      {"malformed-012",
       "[0,47,306][52,99,234][104,136,165][136,164,165][172,204,234][204,232,234][241,273,306][273,301,306]"},
      {"malformed-016", "[0,128,1021][214,341,665][426,552,665][636,664,665][753,781,1021]"},
      // A delimiter that is the last line begins an empty part.
      {"malformed-013",
       "[0,66,468][71,99,111][118,184,468][189,217,229][236,302,468][307,335,347][354,416,468][421,449,461]"
       "[468,468,468]"},
      {"malformed-014", "[0,47,99][52,80,92][99,99,99]"},
      // What is not closed ends where the message ends.
      {"malformed-019",
       "[0,409,2903][857,902,1239][1255,1300,1442][1458,1503,1802][1818,1908,1908][1922,2206,2903][2324,2369,2414]"
       "[2430,2714,2903][2832,2858,2858][2872,2887,2887]"},
      // A nested message without blank line is all header, and its part goes on behind it.
      {"malformed-022", "[0,107,303][116,144,149][160,248,290][248,290,290]"},
      {"thirdparty-015",
       "[0,10644,20239][10682,10775,12349][12389,12556,14787][12556,14787,14787][14787,14787,14787]"
       "[14827,14992,17421][14992,17421,17421][17421,17421,17421][17461,17620,20197][17620,19505,20197]"},
      // "invalid--1--" is text, not the end.
      {"thirdparty-005", "[0,66,642][71,152,179][186,267,305][312,393,431][438,517,543][550,628,642]"},
  };
  return table;
}

}  // namespace

TEST_CASE("offsets are those of mail-parser, but for what is meant otherwise") {
  if (!test::have_mail_corpus()) return;
  Comparison comparison{differences_from_mail_parser()};
  const std::string ending = ".crlf.json";
  for (const fs::path& path : files_in(test::mail_corpus() / "expected/mail-parser", ending)) {
    std::string name = path.filename().string();
    name.resize(name.size() - ending.size());
    const Part root = parse_structure(message_named("mail-parser", name));
    comparison.add(name, offsets_of(root), offsets_of(nlohmann::json::parse(test::read_file(path)), 0));
  }
  CHECK(comparison.different == differences_from_mail_parser().size());
  CHECK(comparison.same == 25);
}

namespace {

// "X(L M(L))": a multipart with a leaf and a message that is a leaf.
std::string shape_of(const Part& part) {
  if (part.children.empty()) return "L";
  std::string out;
  for (const Part& child : part.children) out += (out.empty() ? "" : " ") + shape_of(child);
  return (part.is_message() ? "M(" : "X(") + out + ")";
}

// The shape in mime4j's XML. Elements other than these four hold no parts; bodies are escaped.
class Mime4jShape {
 public:
  explicit Mime4jShape(std::string xml) : xml_(std::move(xml)) {}
  // Of the outermost <message>, without itself.
  std::string shape() {
    next();
    return inside();
  }

 private:
  // The next tag of interest: "message", "/message" and so on; empty at the end.
  std::string next() {
    while ((at_ = xml_.find('<', at_)) != std::string::npos) {
      const std::size_t end = xml_.find('>', at_);
      const std::string tag = xml_.substr(at_ + 1, end - at_ - 1);
      at_ = end;
      const std::string name = tag.starts_with('/') ? tag.substr(1) : tag;
      if (name == "message" || name == "multipart" || name == "body-part" || name == "body") return tag;
    }
    return {};
  }

  // What is inside the element just opened, which is taken to its end.
  std::string inside() {
    std::string out;
    for (std::string tag = next(); !tag.empty() && !tag.starts_with('/'); tag = next()) {
      std::string child = inside();
      if (tag == "body") child = "L";
      if (tag == "multipart") child = "X(" + child + ")";
      if (tag == "message") child = "M(" + child + ")";
      out += (out.empty() ? "" : " ") + child;
    }
    return out;
  }

  std::string xml_;
  std::size_t at_ = 0;
};

const Differences& differences_from_mime4j() {
  static const Differences table = {
      // A message in base64 is no message to IMAP (RFC 2045 §6.4), since no part of it could be fetched.
      {"bad-newlines-multiple-parts-base64", "L"},
      {"base64encoded-rfc822message", "L"},
      {"base64encoded-rfc822message-nested", "L"},
      {"multi-2gifs-base64", "L"},
      // A multipart without parts is given its body as one: BODYSTRUCTURE must have one.
      {"missing-boundary", "X(L)"},
      {"missing-inner-boundary", "X(L X(L))"},
      {"missing-inner-start-boundary", "X(L X(L))"},
      {"multipartnopart", "X(L)"},
      {"badbound", "X(L)"},
      // A boundary that ends with blanks is also found in lines that have lost some of them.
      {"very-long-boundary", "X(L L)"},
      {"weird-boundary", "X(L L)"},
  };
  return table;
}

}  // namespace

TEST_CASE("trees are those of mime4j, but for what is meant otherwise") {
  if (!test::have_mail_corpus()) return;
  Comparison comparison{differences_from_mime4j()};
  for (const std::string group : {"mime4j", "mime4j-mimetools"}) {
    for (const fs::path& path : files_in(test::mail_corpus() / "expected" / group, ".xml")) {
      const std::string name = path.stem().string();
      if (name.ends_with("_decoded")) continue;
      const Part root = parse_structure(message_named(group, name));
      comparison.add(name, shape_of(root), Mime4jShape(test::read_file(path)).shape());
    }
  }
  CHECK(comparison.different == differences_from_mime4j().size());
  CHECK(comparison.same == 65);
}

namespace {

std::string types_of(const Part& part) {
  std::string out = part.type + "/" + part.subtype;
  if (part.children.empty()) return out;
  out += '(';
  for (const Part& child : part.children) out += (out.back() == '(' ? "" : " ") + types_of(child);
  return out + ")";
}

std::string types_of(const nlohmann::json& part) {
  const std::string kind = part["partType"];
  const std::string type = part.value("mimeType", kind == "single" ? "text/plain" : kind);
  if (kind == "single") return type;
  if (kind == "message") return "message/rfc822(" + types_of(part["mainPart"]) + ")";
  std::string out;
  if (part.contains("parts") && part["parts"].contains("items")) {
    for (const auto& child : part["parts"]["items"]) out += (out.empty() ? "" : " ") + types_of(child);
  }
  return kind + (out.empty() ? "" : "(" + out + ")");
}

// MailCore knows but five multipart types, so those of the trees are compared as multipart/mixed where it says that.
std::string as_mailcore_says(std::string types) {
  for (const std::string other : {"multipart/parallel", "multipart/digest", "multipart/report"}) {
    for (std::size_t at = types.find(other); at != std::string::npos; at = types.find(other)) {
      types.replace(at, other.size(), "multipart/mixed");
    }
  }
  return types;
}

}  // namespace

namespace {

const Differences& differences_from_mailcore() {
  static const Differences table = {
      // The inner type is what its own header says; MailCore shows decrypted or unknown ones as text.
      {"mbox-jwz-116", "message/rfc822(application/x-pkcs7-mime)"},
      {"mbox-jwz-117", "multipart/mixed(text/plain message/rfc822(application/x-pkcs7-mime))"},
      // The boundary parameter is lost in an unfolded line: the whole body is one part.
      {"mbox-jwz-132", "multipart/mixed(text/plain)"},
      // "x-sun-attachment" has no subtype, so it is no type (RFC 2045 §5.2).
      {"mbox-jwz-134", "text/plain"},
      {"mbox-jwz-135", "text/plain"},
      // ";;" before the boundary parameter does not hide it.
      {"mbox-jwz-22", "multipart/mixed(text/plain message/rfc822(text/plain))"},
      // A boundary that ends with dashes is found.
      {"mbox-jwz-5",
       "multipart/mixed(text/richtext message/rfc822(multipart/mixed(text/plain audio/basic text/plain)) "
       "text/richtext)"},
      // A part of a digest without header is a message, whatever that message's own header says.
      {"mbox-jwz-40",
       "multipart/mixed(text/richtext text/enriched text/plain text/plain message/rfc822(multipart/mixed(text/html "
       "image/unknown)) image/x-xbitmap image/unknown image/x-xbitmap multipart/mixed(message/rfc822(text/plain) "
       "message/rfc822(text/plain) message/rfc822(text/plain) text/html message/rfc822(text/richtext) "
       "message/rfc822(text/plain)))"},
      // A delimiter belongs to the innermost multipart of that boundary.
      {"mbox-simple-2", "multipart/mixed(multipart/mixed(multipart/mixed(text/plain)))"},
      {"mbox-simple-3", "multipart/mixed(text/plain)"},
  };
  return table;
}

}  // namespace

TEST_CASE("types are those of MailCore, but for what is meant otherwise") {
  if (!test::have_mail_corpus()) return;
  Comparison comparison{differences_from_mailcore()};
  for (const fs::path& path : files_in(test::mail_corpus() / "expected/mailcore2", ".json")) {
    const std::string name = path.stem().string();
    const Part root = parse_structure(message_named("mailcore2", name));
    const auto expected = nlohmann::json::parse(test::read_file(path));
    comparison.add(name, as_mailcore_says(types_of(root)), ascii::to_lower(types_of(expected["mainPart"])));
  }
  CHECK(comparison.different == differences_from_mailcore().size());
  CHECK(comparison.same == 97);
}

TEST_CASE("header and text of every message and of every message inside are its bytes") {
  if (!test::have_mail_corpus()) return;
  for (const fs::path& path : test::corpus_messages()) {
    const std::string message = test::with_crlf(test::read_file(path));
    const Part root = parse_structure(message);
    Section header;
    header.text = Section::Text::header;
    Section text;
    text.text = Section::Text::text;
    CAPTURE(path.string());
    const bool whole = *section_bytes(message, root, header) + *section_bytes(message, root, text) == message;
    REQUIRE(whole);
    for (std::uint32_t number = 1; number <= root.children.size(); ++number) {
      Section part;
      part.part = {number};
      header.part = text.part = part.part;
      const std::string bytes = *section_bytes(message, root, part);
      if (!root.is_multipart() || !root.children[number - 1].is_message()) continue;
      const bool inside = *section_bytes(message, root, header) + *section_bytes(message, root, text) == bytes;
      REQUIRE(inside);
    }
  }
}

namespace {

// "type h-b-e octets/lines" of each part; of MimeKit's a message's tree stands in "message".
std::string sizes_of(const Part& part) {
  std::string out = part.type + "/" + part.subtype + " " + std::to_string(part.header.begin) + "-" +
                    std::to_string(part.body.begin) + "-" + std::to_string(part.body.end) + " " +
                    std::to_string(part.octets()) + "/" + std::to_string(part.lines) + "\n";
  for (const Part& child : part.children) out += sizes_of(child);
  return out;
}

std::string sizes_of(const nlohmann::json& part, std::uint64_t base) {
  const auto number = [&](const char* key) { return part[key].get<std::uint64_t>(); };
  std::string out = ascii::to_lower(part["mimeType"].get<std::string>()) + " ";
  out += std::to_string(number("beginOffset") - base) + "-" + std::to_string(number("headersEndOffset") - base) + "-" +
         std::to_string(number("endOffset") - base) + " ";
  out += std::to_string(number("octets")) + "/" + std::to_string(number("lines")) + "\n";
  if (part.contains("message")) out += sizes_of(part["message"]["body"], base);
  if (part.contains("children")) {
    for (const auto& child : part["children"]) out += sizes_of(child, base);
  }
  return out;
}

}  // namespace

TEST_CASE("octets and lines are those of MimeKit, but for a part that ends in its header") {
  if (!test::have_mail_corpus()) return;
  std::size_t messages = 0;
  for (const std::string name : {"mimekit-content-length", "mimekit-issue1189"}) {
    const std::string mbox = test::with_crlf(test::read_file(test::mail_corpus() / "lists" / (name + ".mbox")));
    const auto path = test::mail_corpus() / "expected/mimekit" / (name + ".dos-offsets.json");
    for (const auto& message : nlohmann::json::parse(test::read_file(path))) {
      const auto begin = message["beginOffset"].get<std::uint64_t>();
      const auto end = message["endOffset"].get<std::uint64_t>();
      std::string expected = sizes_of(message["body"], begin);
      // It ends such a part before the last line end of its header; we keep header lines whole.
      const std::string cut = " 686-5850-5850 0/0";
      const std::string whole = " 686-5852-5852 0/0";
      if (const std::size_t at = expected.find(cut); at != std::string::npos) expected.replace(at, cut.size(), whole);
      CHECK(sizes_of(parse_structure(std::string_view(mbox).substr(begin, end - begin))) == expected);
      ++messages;
    }
  }
  CHECK(messages == 33);
}
