#include "protocol/mime/header_fields.h"

#include <algorithm>

#include "protocol/base/ascii.h"

namespace postkeep::mime {
namespace {

// The first line of `text` with its end; all of it if there is no LF.
std::string_view first_line(std::string_view text) {
  const std::size_t lf = text.find('\n');
  return lf == text.npos ? text : text.substr(0, lf + 1);
}

std::string_view without_line_end(std::string_view line) {
  if (!line.empty() && line.back() == '\n') {
    line.remove_suffix(1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  }
  return line;
}

// The first line, which has `end` octets, and the lines that continue it.
std::string_view logical_line(std::string_view text, std::size_t end) {
  while (end < text.size() && ascii::is_wsp(text[end])) {
    const std::string_view next = first_line(text.substr(end));
    end += next.size();
  }
  return text.substr(0, end);
}

bool is_blank_line(std::string_view line) {
  return !line.empty() && line.back() == '\n' && without_line_end(line).empty();
}

// RFC 5322 §3.6.8: printable ASCII without colon; §4.5 allows white space before the colon. Octets above
// 0x7F are let through, since a broken name is still a field to its reader.
bool split_field(std::string_view whole, HeaderField& field) {
  std::size_t end = 0;
  while (end < whole.size() && static_cast<unsigned char>(whole[end]) > ' ' && whole[end] != ':' &&
         whole[end] != '\x7F') {
    ++end;
  }
  std::size_t colon = end;
  while (colon < whole.size() && ascii::is_wsp(whole[colon])) ++colon;
  if (end == 0 || colon >= whole.size() || whole[colon] != ':') return false;
  field.whole = whole;
  field.name = whole.substr(0, end);
  field.value = without_line_end(whole.substr(colon + 1));
  return true;
}

}  // namespace

bool HeaderReader::next(HeaderField& field) {
  while (!rest_.empty()) {
    const std::string_view line = first_line(rest_);
    if (is_blank_line(line)) {
      rest_ = {};
      return false;
    }
    const std::string_view whole = logical_line(rest_, line.size());
    rest_.remove_prefix(whole.size());
    if (split_field(whole, field)) return true;
  }
  return false;
}

std::vector<HeaderField> read_header(std::string_view header) {
  std::vector<HeaderField> fields;
  HeaderReader reader(header);
  for (HeaderField field; reader.next(field);) fields.push_back(field);
  return fields;
}

bool same_field_name(std::string_view a, std::string_view b) { return ascii::iequals(a, b); }

const HeaderField* find_field(std::span<const HeaderField> fields, std::string_view name) {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const HeaderField& f) { return same_field_name(f.name, name); });
  return found == fields.end() ? nullptr : &*found;
}

std::string unfold(std::string_view raw_value) {
  std::string out;
  out.reserve(raw_value.size());
  for (std::size_t i = 0; i < raw_value.size(); ++i) {
    const std::string_view rest = raw_value.substr(i);
    const std::size_t line_end = rest.starts_with("\r\n") ? 2 : rest.starts_with("\n") ? 1 : 0;
    if (line_end != 0 && line_end < rest.size() && ascii::is_wsp(rest[line_end])) {
      i += line_end - 1;
    } else {
      out += raw_value[i];
    }
  }
  const auto is_space = [](char c) { return ascii::is_wsp(c) || c == '\r' || c == '\n'; };
  const auto last = std::find_if_not(out.rbegin(), out.rend(), is_space);
  out.erase(last.base(), out.end());
  out.erase(out.begin(), std::find_if_not(out.begin(), out.end(), is_space));
  return out;
}

void append_header_subset(std::string_view header, std::span<const std::string> names, FieldSubset subset,
                          std::string& out) {
  while (!header.empty()) {
    const std::string_view line = first_line(header);
    if (is_blank_line(line)) {
      out.append(line);
      return;
    }
    const std::string_view whole = logical_line(header, line.size());
    header.remove_prefix(whole.size());
    HeaderField field;
    const bool listed = split_field(whole, field) &&
                        std::any_of(names.begin(), names.end(),
                                    [&](const std::string& name) { return same_field_name(name, field.name); });
    if (listed == (subset == FieldSubset::listed)) out.append(whole);
  }
}

std::string header_subset(std::string_view header, std::span<const std::string> names, FieldSubset subset) {
  std::string out;
  append_header_subset(header, names, subset, out);
  return out;
}

}  // namespace postkeep::mime
