#include "protocol/dovecot_auth/fields.h"

#include <algorithm>
#include <array>

namespace postkeep::dovecot_auth {
namespace {

constexpr char escape = '\x01';

struct Escaped {
  char octet;
  char letter;
};
constexpr std::array escapes = {Escaped{'\0', '0'}, Escaped{escape, '1'}, Escaped{'\t', 't'}, Escaped{'\r', 'r'},
                                Escaped{'\n', 'n'}};

}  // namespace

std::string escape_field(std::string_view text) {
  std::string field;
  for (const char octet : text) {
    const auto* row = std::ranges::find(escapes, octet, &Escaped::octet);
    if (row == escapes.end()) {
      field += octet;
    } else {
      field += escape;
      field += row->letter;
    }
  }
  return field;
}

std::optional<std::string> unescape_field(std::string_view field) {
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] != escape) {
      text += field[i];
      continue;
    }
    if (++i == field.size()) return std::nullopt;
    const auto* row = std::ranges::find(escapes, field[i], &Escaped::letter);
    if (row == escapes.end()) return std::nullopt;
    text += row->octet;
  }
  return text;
}

std::vector<std::string_view> split_fields(std::string_view line, std::size_t count_max) {
  std::vector<std::string_view> fields;
  while (fields.size() + 1 < count_max) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string_view::npos) break;
    fields.push_back(line.substr(0, tab));
    line.remove_prefix(tab + 1);
  }
  fields.push_back(line);
  return fields;
}

}  // namespace postkeep::dovecot_auth
