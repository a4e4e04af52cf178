#include "protocol/imap/commands/search.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/imap/limits.h"
#include "protocol/text/charset.h"

namespace postkeep::imap {
namespace {

using Key = SearchKey::Kind;

// What follows a key's name.
enum class Operand {
  none,
  flag,     // none on the wire: the name says which
  keyword,  // flag-keyword
  string,   // astring
  header,   // header-fld-name SP astring
  date,
  number,     // number64
  nz_number,  // nz-number
  mod_sequence,
  object_id,
  sequence_set,
  key,  // search-key
  two_keys,
};

struct KeyRow {
  std::string_view name;
  Key kind;
  Operand operand;
  SystemFlag flag = SystemFlag::seen;
};

// Every search key that has a name. RFC 9051 §6.4.4; RFC 3501 §6.4.4 (NEW, OLD, RECENT).
constexpr std::array<KeyRow, 44> key_rows = {{
    {"ALL", Key::all, Operand::none},
    {"ANSWERED", Key::has_flag, Operand::flag, SystemFlag::answered},
    {"BCC", Key::bcc, Operand::string},
    {"BEFORE", Key::before, Operand::date},
    {"BODY", Key::body, Operand::string},
    {"CC", Key::cc, Operand::string},
    {"DELETED", Key::has_flag, Operand::flag, SystemFlag::deleted},
    {"DRAFT", Key::has_flag, Operand::flag, SystemFlag::draft},
    {"EMAILID", Key::email_id, Operand::object_id},  // RFC 8474 §5.4
    {"FLAGGED", Key::has_flag, Operand::flag, SystemFlag::flagged},
    {"FROM", Key::from, Operand::string},
    {"HEADER", Key::header, Operand::header},
    {"KEYWORD", Key::has_keyword, Operand::keyword},
    {"LARGER", Key::larger, Operand::number},
    {"MODSEQ", Key::modseq, Operand::mod_sequence},  // RFC 7162 §3.1.5
    {"NEW", Key::unseen_recent, Operand::none},
    {"NOT", Key::not_, Operand::key},
    {"OLD", Key::not_recent, Operand::none},
    {"OLDER", Key::older, Operand::nz_number},  // RFC 5032
    {"ON", Key::on, Operand::date},
    {"OR", Key::or_, Operand::two_keys},
    {"RECENT", Key::recent, Operand::none},
    {"SAVEDATESUPPORTED", Key::save_date_supported, Operand::none},  // RFC 8514 §4.3
    {"SAVEDBEFORE", Key::saved_before, Operand::date},
    {"SAVEDON", Key::saved_on, Operand::date},
    {"SAVEDSINCE", Key::saved_since, Operand::date},
    {"SEEN", Key::has_flag, Operand::flag, SystemFlag::seen},
    {"SENTBEFORE", Key::sent_before, Operand::date},
    {"SENTON", Key::sent_on, Operand::date},
    {"SENTSINCE", Key::sent_since, Operand::date},
    {"SINCE", Key::since, Operand::date},
    {"SMALLER", Key::smaller, Operand::number},
    {"SUBJECT", Key::subject, Operand::string},
    {"TEXT", Key::text, Operand::string},
    {"THREADID", Key::thread_id, Operand::object_id},
    {"TO", Key::to, Operand::string},
    {"UID", Key::uid_sequence, Operand::sequence_set},
    {"UNANSWERED", Key::lacks_flag, Operand::flag, SystemFlag::answered},
    {"UNDELETED", Key::lacks_flag, Operand::flag, SystemFlag::deleted},
    {"UNDRAFT", Key::lacks_flag, Operand::flag, SystemFlag::draft},
    {"UNFLAGGED", Key::lacks_flag, Operand::flag, SystemFlag::flagged},
    {"UNKEYWORD", Key::lacks_keyword, Operand::keyword},
    {"UNSEEN", Key::lacks_flag, Operand::flag, SystemFlag::seen},
    {"YOUNGER", Key::younger, Operand::nz_number},
}};

bool begins_sequence_set(char c) { return ascii::is_digit(c) || c == '*' || c == '$'; }

class KeyParser {
 public:
  KeyParser(Cursor& cursor, std::string charset) : cursor_(cursor), charset_(std::move(charset)) {}

  // search-key *(SP search-key): one key, or and_ of several. Ends at ")" or at the end of the command.
  Result<SearchKey> parse_all(std::size_t depth) {
    SearchKey all = TRY(parse_one(depth));
    std::vector<SearchKey> more;
    while (!cursor_.end() && cursor_.accept(' ')) more.push_back(TRY(parse_one(depth)));
    if (more.empty()) return all;
    SearchKey conjunction;
    conjunction.kind = Key::and_;
    conjunction.children.reserve(more.size() + 1);
    conjunction.children.push_back(std::move(all));
    for (SearchKey& key : more) conjunction.children.push_back(std::move(key));
    return conjunction;
  }

 private:
  Result<SearchKey> parse_one(std::size_t depth) {
    if (depth == limits::nesting_max) return fail("Search is nested too deeply");
    if (++keys_ > limits::search_keys_max) return fail("Too many search keys");
    if (cursor_.accept('(')) {
      SearchKey inner = TRY(parse_all(depth + 1));
      TRY(cursor_.expect(')'));
      return inner;
    }
    SearchKey key;
    if (begins_sequence_set(cursor_.peek())) {
      key.kind = Key::sequence_set;
      key.numbers = TRY(cursor_.sequence_set());
      return key;
    }
    const std::string name = TRY(cursor_.keyword());
    const auto row = std::find_if(key_rows.begin(), key_rows.end(), [&](const KeyRow& r) { return r.name == name; });
    if (row == key_rows.end()) return fail("Unknown search key " + name);
    key.kind = row->kind;
    key.flag = row->flag;
    TRY(parse_operand(row->operand, depth, key));
    return key;
  }

  Outcome parse_operand(Operand operand, std::size_t depth, SearchKey& key) {
    if (operand == Operand::none || operand == Operand::flag) return {};
    TRY(cursor_.sp());
    switch (operand) {
      case Operand::none:
      case Operand::flag:
        break;
      case Operand::keyword:
        key.text = TRY(cursor_.atom());
        break;
      case Operand::string:
        key.needle = TRY(needle());
        break;
      case Operand::header:
        key.text = TRY(cursor_.astring());
        TRY(cursor_.sp());
        key.needle = TRY(needle());
        break;
      case Operand::date:
        key.day = TRY(cursor_.date());
        break;
      case Operand::number:
        key.number = TRY(cursor_.number64());
        break;
      case Operand::nz_number:
        key.number = TRY(cursor_.nz_number());
        break;
      case Operand::mod_sequence:
        key.number = TRY(mod_sequence());
        break;
      case Operand::object_id:
        key.text = TRY(cursor_.astring());
        break;
      case Operand::sequence_set:
        key.numbers = TRY(cursor_.sequence_set());
        break;
      case Operand::two_keys:
        key.children.push_back(TRY(parse_one(depth + 1)));
        TRY(cursor_.sp());
        key.children.push_back(TRY(parse_one(depth + 1)));
        break;
      case Operand::key:
        key.children.push_back(TRY(parse_one(depth + 1)));
        break;
    }
    return {};
  }

  Result<std::string> needle() {
    const std::string bytes = TRY(cursor_.astring());
    // Without CHARSET it is UTF-8 by RFC 9051 and ASCII by RFC 3501; what is neither is guessed.
    if (charset_.empty()) return text::to_utf8_leniently("UTF-8", bytes);
    return text::to_utf8(charset_, bytes);
  }

  // "MODSEQ" [search-modseq-ext] SP mod-sequence-valzer (RFC 7162 §7): the entry name and type say which flag's
  // sequence is meant; we keep one per message, which the RFC allows.
  Result<std::uint64_t> mod_sequence() {
    if (cursor_.peek() == '"') {
      TRY(cursor_.quoted());
      TRY(cursor_.sp());
      const std::string type = TRY(cursor_.keyword());
      if (type != "PRIV" && type != "SHARED" && type != "ALL") return fail("Invalid MODSEQ entry type");
      TRY(cursor_.sp());
    }
    return cursor_.number64();
  }

  tl::unexpected<Error> fail(std::string text) const { return tl::unexpected<Error>(cursor_.error(std::move(text))); }

  Cursor& cursor_;
  const std::string charset_;
  std::size_t keys_ = 0;
};

}  // namespace

const std::vector<std::string_view>& search_key_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    all.reserve(std::size(key_rows));
    for (const KeyRow& row : key_rows) all.push_back(row.name);
    return all;
  }();
  return names;
}

bool takes_string(std::string_view key_name) {
  const auto row = std::ranges::find_if(key_rows, [&](const KeyRow& r) { return ascii::iequals(r.name, key_name); });
  if (row == key_rows.end()) return false;
  return row->operand == Operand::string || row->operand == Operand::object_id;
}

NamedCharset named_charset(std::string_view name) {
  if (ascii::iequals(name, "UTF-8")) return NamedCharset::utf8;
  return text::is_known_charset(name) ? NamedCharset::other : NamedCharset::unknown;
}

Result<SearchKey> parse_search_keys(Cursor& cursor, const std::string& charset) {
  KeyParser parser(cursor, charset);
  SearchKey key = TRY(parser.parse_all(0));
  TRY(cursor.end());
  return key;
}

Result<SearchReturn> parse_search_return(Cursor& cursor) {
  SearchReturn returns;
  TRY(cursor.sp());
  TRY(cursor.expect('('));
  bool any = false;
  while (!cursor.accept(')')) {
    const std::string option = TRY(cursor.keyword());
    if (option == "MIN") {
      returns.min = true;
    } else if (option == "MAX") {
      returns.max = true;
    } else if (option == "ALL") {
      returns.all = true;
    } else if (option == "COUNT") {
      returns.count = true;
    } else if (option == "SAVE") {
      returns.save = true;
    } else if (option == "PARTIAL" && !returns.partial) {
      TRY(cursor.sp());
      returns.partial = TRY(parse_partial_range(cursor));
    } else {
      return tl::unexpected<Error>(cursor.error("Unknown return option " + option));
    }
    any = true;
    if (cursor.peek() != ')') TRY(cursor.sp());
  }
  if (!any) returns.all = true;
  if (returns.all && returns.partial) {
    return tl::unexpected<Error>(cursor.error("ALL and PARTIAL exclude each other"));
  }
  return returns;
}

Result<SearchArgs> parse_search(Cursor& cursor) {
  SearchArgs args;
  if (cursor.accept_sp_word("RETURN")) {
    args.form = SearchArgs::Form::extended;
    args.returns = TRY(parse_search_return(cursor));
  }
  std::string charset;
  if (cursor.accept_sp_word("CHARSET")) {
    TRY(cursor.sp());
    charset = TRY(cursor.astring());
    // An unknown charset is refused even if there is nothing to convert.
    args.charset = named_charset(charset);
    if (args.charset == NamedCharset::unknown) charset.clear();  // the keys may be wrong as well: they are read
  }
  TRY(cursor.sp());
  args.key = TRY(parse_search_keys(cursor, charset));
  return args;
}

}  // namespace postkeep::imap
