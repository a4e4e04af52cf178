#include "auth/alias_table.h"

#include <algorithm>
#include <utility>

#include "auth/limits.h"
#include "auth/user_name.h"
#include "protocol/base/ascii.h"
#include "protocol/text/utf8.h"

namespace postkeep::auth {

namespace {

bool is_blank(char c) { return ascii::is_wsp(c) || c == '\r'; }

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Letters, digits and what else an address without quotes may have (RFC 5322 §3.2.3 dot-atom), or UTF-8.
bool is_address(std::string_view text) {
  const auto fits = [](char c) {
    return ascii::is_eight_bit(c) || ascii::is_alnum(c) ||
           std::string_view("!#$%&'*+-=?^_`{}~.@/").find(c) != std::string_view::npos;
  };
  if (!ascii::all(text, fits) || text.size() > login_octets_max || !text::is_valid_utf8(text)) return false;
  return std::ranges::count(text, '@') <= 1 && text.back() != '@';
}

// Programs and files as targets begin like this elsewhere.
bool is_target(std::string_view text) { return is_address(text) && text.front() != '@' && text.front() != '/'; }

tl::unexpected<Error> at_line(std::size_t line, const std::string& what) {
  return failure(ErrorKind::cannot, "line " + std::to_string(line) + ": " + what);
}

}  // namespace

Outcome AliasTable::add(std::string_view entry) {
  const std::size_t colon = entry.find(':');
  const std::string_view name = without_blanks(entry.substr(0, colon));
  if (colon == std::string_view::npos) return failure(ErrorKind::cannot, "there is no colon");
  if (!is_address(name)) return failure(ErrorKind::cannot, "the name is no address");
  std::vector<std::string> targets;
  for (std::string_view rest = entry.substr(colon + 1); !rest.empty();) {
    const std::size_t comma = rest.find(',');
    const std::string_view target = without_blanks(rest.substr(0, comma));
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    if (target.empty()) continue;
    if (!is_target(target)) return failure(ErrorKind::cannot, "a target is no user and no address");
    if (targets.size() == alias_targets_max) return failure(ErrorKind::cannot, "there are too many targets");
    targets.emplace_back(target);
  }
  if (targets.empty()) return failure(ErrorKind::cannot, "there is no target");
  const bool fresh = rows_.try_emplace(user_key(name), std::move(targets)).second;
  return fresh ? Outcome() : failure(ErrorKind::cannot, "the name stands here twice");
}

Result<AliasTable> AliasTable::parse(std::string_view text) {
  AliasTable table;
  std::string entry;  // with its continuations
  std::size_t begun_at = 0;
  const auto finish = [&]() -> Outcome {
    if (entry.empty()) return {};
    const Outcome added = table.add(std::exchange(entry, std::string()));
    return added ? Outcome() : at_line(begun_at, added.error().text);
  };
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::string_view content = without_blanks(line);
    if (content.empty() || content.front() == '#') continue;
    if (is_blank(line.front())) {
      if (entry.empty()) return at_line(number, "there is nothing that it continues");
      entry += ' ';
    } else {
      TRY(finish());
      begun_at = number;
    }
    entry += content;
  }
  TRY(finish());
  return table;
}

const std::vector<std::string>* AliasTable::find(std::string_view name) const {
  if (rows_.empty()) return nullptr;
  const auto row = rows_.find(user_key(name));
  return row == rows_.end() ? nullptr : &row->second;
}

}  // namespace postkeep::auth
