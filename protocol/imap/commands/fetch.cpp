#include "protocol/imap/commands/fetch.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/imap/limits.h"

namespace postkeep::imap {
namespace {

using Kind = FetchItem::Kind;
using Peek = FetchItem::Peek;
using Text = mime::Section::Text;

// Items that are a word and nothing else.
struct WordItem {
  std::string_view name;
  Kind kind;
};
constexpr std::array<WordItem, 15> word_items = {{
    {"ENVELOPE", Kind::envelope},
    {"FLAGS", Kind::flags},
    {"INTERNALDATE", Kind::internal_date},
    {"RFC822", Kind::rfc822},
    {"RFC822.HEADER", Kind::rfc822_header},
    {"RFC822.SIZE", Kind::rfc822_size},
    {"RFC822.TEXT", Kind::rfc822_text},
    {"BODY", Kind::body},
    {"BODYSTRUCTURE", Kind::body_structure},
    {"UID", Kind::uid},
    {"MODSEQ", Kind::modseq},
    {"EMAILID", Kind::email_id},
    {"THREADID", Kind::thread_id},
    {"SAVEDATE", Kind::save_date},
    {"PREVIEW", Kind::preview},
}};

// Items with a section behind them.
struct SectionItem {
  std::string_view name;
  Kind kind;
  Peek peek;
};
constexpr std::array<SectionItem, 5> section_items = {{
    {"BODY", Kind::body_section, Peek::no},
    {"BODY.PEEK", Kind::body_section, Peek::yes},
    {"BINARY", Kind::binary_section, Peek::no},
    {"BINARY.PEEK", Kind::binary_section, Peek::yes},
    {"BINARY.SIZE", Kind::binary_size, Peek::yes},
}};

struct Macro {
  std::string_view name;
  std::vector<Kind> kinds;
};

const std::vector<Kind>* macro(std::string_view name) {
  static const std::array<Macro, 3> macros = {{
      {"ALL", {Kind::flags, Kind::internal_date, Kind::rfc822_size, Kind::envelope}},
      {"FAST", {Kind::flags, Kind::internal_date, Kind::rfc822_size}},
      {"FULL", {Kind::flags, Kind::internal_date, Kind::rfc822_size, Kind::envelope, Kind::body}},
  }};
  const auto found = std::find_if(macros.begin(), macros.end(), [&](const Macro& m) { return m.name == name; });
  return found == macros.end() ? nullptr : &found->kinds;
}

bool is_item_char(char c) { return ascii::is_alnum(c) || c == '.' || c == '-'; }

tl::unexpected<Error> bad(const Cursor& cursor, std::string text) {
  return tl::unexpected<Error>(cursor.error(std::move(text)));
}

void add_item(std::vector<FetchItem>& items, FetchItem item) {
  if (std::find(items.begin(), items.end(), item) == items.end()) items.push_back(std::move(item));
}

// header-list: "(" header-fld-name *(SP header-fld-name) ")".
Result<std::vector<std::string>> parse_header_list(Cursor& cursor) {
  TRY(cursor.sp());
  TRY(cursor.expect('('));
  std::vector<std::string> fields;
  do {
    if (fields.size() == limits::header_fields_max) return bad(cursor, "Too many header fields");
    fields.push_back(TRY(cursor.astring()));
  } while (cursor.accept(' '));
  TRY(cursor.expect(')'));
  return fields;
}

// section-part: nz-number *("." nz-number). Leaves a "." that is not followed by a number consumed, and says so.
enum class DotFollows { no, yes };
Result<DotFollows> parse_part(Cursor& cursor, std::vector<std::uint32_t>& part) {
  while (ascii::is_digit(cursor.peek())) {
    if (part.size() == limits::part_path_max) return bad(cursor, "Part is nested too deeply");
    part.push_back(TRY(cursor.nz_number()));
    if (!cursor.accept('.')) return DotFollows::no;
  }
  return part.empty() ? DotFollows::no : DotFollows::yes;
}

// section: "[" [section-spec] "]".
Result<mime::Section> parse_section(Cursor& cursor) {
  mime::Section section;
  TRY(cursor.expect('['));
  const DotFollows dot = TRY(parse_part(cursor, section.part));
  if (section.part.empty() || dot == DotFollows::yes) {
    const std::string name = ascii::to_upper(cursor.take_while(is_item_char));
    if (name == "HEADER") {
      section.text = Text::header;
    } else if (name == "TEXT") {
      section.text = Text::text;
    } else if (name == "MIME" && !section.part.empty()) {
      section.text = Text::mime;
    } else if (name == "HEADER.FIELDS" || name == "HEADER.FIELDS.NOT") {
      section.text = name == "HEADER.FIELDS" ? Text::header_fields : Text::header_fields_not;
      section.fields = TRY(parse_header_list(cursor));
    } else if (!name.empty() || dot == DotFollows::yes) {
      return bad(cursor, "Invalid body section");
    }
  }
  TRY(cursor.expect(']'));
  return section;
}

// section-binary: "[" [section-part] "]".
Result<mime::Section> parse_section_binary(Cursor& cursor) {
  mime::Section section;
  TRY(cursor.expect('['));
  if (TRY(parse_part(cursor, section.part)) == DotFollows::yes) return bad(cursor, "Invalid body section");
  TRY(cursor.expect(']'));
  return section;
}

// partial: "<" number64 "." nz-number64 ">".
Result<mime::Partial> parse_partial(Cursor& cursor) {
  mime::Partial partial;
  partial.offset = TRY(cursor.number64());
  TRY(cursor.expect('.'));
  partial.count = TRY(cursor.nz_number64());
  TRY(cursor.expect('>'));
  return partial;
}

Result<FetchItem> parse_section_item(Cursor& cursor, const std::string& name) {
  const auto known = std::find_if(section_items.begin(), section_items.end(),
                                  [&](const SectionItem& item) { return item.name == name; });
  if (known == section_items.end()) return bad(cursor, "Unknown FETCH item " + name);
  FetchItem item;
  item.kind = known->kind;
  item.peek = known->peek;
  item.section = item.kind == Kind::body_section ? TRY(parse_section(cursor)) : TRY(parse_section_binary(cursor));
  if (item.kind != Kind::binary_size && cursor.accept('<')) item.partial = TRY(parse_partial(cursor));
  return item;
}

// fetch-att whose name has been read.
Result<FetchItem> parse_item(Cursor& cursor, const std::string& name) {
  if (cursor.peek() == '[') return parse_section_item(cursor, name);
  const auto known =
      std::find_if(word_items.begin(), word_items.end(), [&](const WordItem& item) { return item.name == name; });
  if (known == word_items.end())
    return bad(cursor, name.empty() ? "Expected a FETCH item" : "Unknown FETCH item " + name);
  FetchItem item;
  item.kind = known->kind;
  return item;
}

// "PREVIEW" ["(" "LAZY" ")"] (RFC 8970 §6): the space in front of the parenthesis also ends an item, so look first.
Outcome parse_preview_modifier(Cursor& cursor, FetchItem& item) {
  Cursor ahead = cursor;
  if (!ahead.accept(' ') || !ahead.accept('(')) return {};
  TRY(cursor.sp());
  TRY(cursor.expect('('));
  if (!cursor.accept_word("LAZY")) return bad(cursor, "Unknown PREVIEW modifier");
  TRY(cursor.expect(')'));
  item.kind = Kind::preview_lazy;
  return {};
}

std::string take_item_name(Cursor& cursor) { return ascii::to_upper(cursor.take_while(is_item_char)); }

Result<std::vector<FetchItem>> parse_item_list(Cursor& cursor) {
  std::vector<FetchItem> items;
  do {
    if (items.size() == limits::fetch_items_max) return bad(cursor, "Too many FETCH items");
    FetchItem item = TRY(parse_item(cursor, take_item_name(cursor)));
    if (item.kind == Kind::preview) TRY(parse_preview_modifier(cursor, item));
    add_item(items, std::move(item));
  } while (cursor.accept(' '));
  TRY(cursor.expect(')'));
  return items;
}

Result<std::vector<FetchItem>> parse_items(Cursor& cursor) {
  if (cursor.accept('(')) return parse_item_list(cursor);
  std::vector<FetchItem> items;
  const std::string name = take_item_name(cursor);
  if (const std::vector<Kind>* kinds = macro(name)) {
    for (const Kind kind : *kinds) {
      FetchItem item;
      item.kind = kind;
      items.push_back(std::move(item));
    }
    return items;
  }
  items.push_back(TRY(parse_item(cursor, name)));
  return items;
}

// fetch-modifiers, behind "(" (RFC 4466 §2.4, RFC 7162 §7).
Outcome parse_modifiers(Cursor& cursor, FetchArgs& args) {
  do {
    const std::string name = TRY(cursor.keyword());
    if (name == "CHANGEDSINCE") {
      TRY(cursor.sp());
      // 0 is not in the grammar but clients send it for "all".
      args.changed_since = TRY(cursor.number64());
    } else if (name == "VANISHED") {
      args.vanished = true;
    } else if (name == "PARTIAL" && !args.partial) {
      TRY(cursor.sp());
      args.partial = TRY(parse_partial_range(cursor));
    } else {
      return bad(cursor, "Unknown FETCH modifier " + name);
    }
  } while (cursor.accept(' '));
  TRY(cursor.expect(')'));
  return {};
}

}  // namespace

Result<std::vector<FetchItem>> parse_fetch_item_list(Cursor& cursor) {
  TRY(cursor.expect('('));
  return parse_item_list(cursor);
}

bool FetchItem::sets_seen() const {
  switch (kind) {
    case Kind::rfc822:
    case Kind::rfc822_text:
      return true;
    case Kind::body_section:
    case Kind::binary_section:
      return peek == Peek::no;
    default:
      return false;
  }
}

Result<FetchArgs> parse_fetch(Cursor& cursor) {
  FetchArgs args;
  TRY(cursor.sp());
  args.set = TRY(cursor.sequence_set());
  TRY(cursor.sp());
  args.items = TRY(parse_items(cursor));
  // A lone PREVIEW may be followed by its own modifier or by those of FETCH.
  Cursor ahead = cursor;
  if (ahead.accept(' ') && ahead.accept('(') && ahead.at_word("LAZY")) {
    if (args.items.size() != 1) return bad(cursor, "Unknown FETCH modifier LAZY");
    if (args.items.front().kind != Kind::preview) return bad(cursor, "Unknown FETCH modifier LAZY");
    TRY(parse_preview_modifier(cursor, args.items.front()));
  }
  if (!cursor.end()) {
    TRY(cursor.sp());
    TRY(cursor.expect('('));
    TRY(parse_modifiers(cursor, args));
    TRY(cursor.end());
  }
  return args;
}

}  // namespace postkeep::imap
