#include "server/admin/mail_query.h"

#include <algorithm>
#include <string_view>

#include "protocol/base/ascii.h"
#include "protocol/imap/commands/search.h"
#include "protocol/imap/cursor.h"
#include "protocol/text/similar.h"

namespace postkeep::admin {

namespace {

constexpr std::string_view example = "For example: from alice since 1-Jan-2026 unseen";

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string_view last_word(std::string_view text) { return text.substr(text.find_last_of(" (") + 1); }

// How many of the next words are texts, after words that are none.
int texts_after(std::string_view words) {
  const std::string_view last = last_word(words);
  if (imap::takes_string(last)) return 1;
  if (ascii::iequals(last, "HEADER")) return 2;  // the field's name and the text
  const std::string_view before = words.substr(0, words.size() - last.size());
  return before.ends_with(' ') && ascii::iequals(last_word(before.substr(0, before.size() - 1)), "HEADER") ? 1 : 0;
}

// What the query was about to say where it went wrong.
std::string_view word_before(std::string_view query, std::size_t position) {
  const std::string_view read = query.substr(0, position);
  return last_word(read);
}

tl::unexpected<Error> wrong(const std::string& query, std::size_t position, const Error& reason) {
  std::string text = "The query is wrong at character " + std::to_string(position + 1);
  if (position >= query.size()) text += " (its end)";
  text += ": " + reason.text;
  if (reason.text.starts_with("Unknown search key")) {
    text::NearestName nearest(word_before(query, position));
    for (const std::string_view name : imap::search_key_names()) nearest.offer(name);
    if (!nearest.best().empty()) text += "; did you mean " + std::string(nearest.best()) + "?";
  }
  if (!text.ends_with('?')) text += ".";
  return failure(ErrorKind::bad_syntax, text + " " + std::string(example));
}

// The name of a key that only a session can answer; empty if there is none.
std::string_view session_key(const SearchKey& key) {
  switch (key.kind) {
    case SearchKey::Kind::recent:
      return "RECENT";
    case SearchKey::Kind::not_recent:
      return "OLD";
    case SearchKey::Kind::unseen_recent:
      return "NEW";
    default:
      break;
  }
  if (key.numbers.saved_result) return "$";
  for (const SearchKey& child : key.children) {
    const std::string_view found = session_key(child);
    if (!found.empty()) return found;
  }
  return {};
}

}  // namespace

std::string join_query(const std::vector<std::string>& words) {
  if (words.size() == 1) return words.front();
  std::string query;
  int texts_due = 0;
  for (const std::string& word : words) {
    const bool has_quotes = word.size() > 1 && word.starts_with('"') && word.ends_with('"');
    if (!query.empty()) query += ' ';
    query += texts_due > 0 && !has_quotes ? in_quotes(word) : word;
    texts_due = texts_due > 0 ? texts_due - 1 : texts_after(word);
  }
  return query;
}

Result<SearchKey> parse_query(const std::string& query) {
  const imap::FramedCommand line = imap::FramedCommand::of_line(query);
  imap::Cursor cursor(line);
  Result<SearchKey> key = imap::parse_search_keys(cursor, "");
  if (!key) return wrong(query, cursor.position(), key.error());
  const std::string_view found = session_key(*key);
  if (found.empty()) return key;
  return failure(ErrorKind::cannot, std::string(found) +
                                        " means something only to a mail program's session. Use UNSEEN, " +
                                        "SEEN, SINCE or UID instead.");
}

}  // namespace postkeep::admin
