// Header blocks to fields, and subsets of them. RFC 5322 §2.2, §4.5; RFC 9051 §6.4.5.1 (HEADER.FIELDS).
// Called by mime/structure, search and FETCH. Works over views; never fails, never copies a field unasked.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postkeep::mime {

// A view into the header block it was read from.
struct HeaderField {
  std::string_view name;   // as written, without the white space that old mail has before the colon
  std::string_view value;  // raw: all after the colon up to the last line end of the field, folds included
  std::string_view whole;  // name, colon, value and the line end of the last line
};

// Reads a header block field by field. A line ends with LF or CRLF; a line that starts with white space
// continues the one before; a line that is neither (mbox "From ", junk) is passed over with its
// continuations; the first empty line ends the block.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view header) : rest_(header) {}
  bool next(HeaderField& field);  // false at the end

 private:
  std::string_view rest_;
};

// All fields. For headers of bounded size.
std::vector<HeaderField> read_header(std::string_view header);

// The first field of that name (ASCII case does not matter), nullptr if there is none.
const HeaderField* find_field(std::span<const HeaderField> fields, std::string_view name);

// A raw value on one line: folds' line ends removed (their white space stays), white space at both ends trimmed.
// A bare CR or LF that is no fold stays.
std::string unfold(std::string_view raw_value);

// ASCII letters compare without case, all else exactly.
bool same_field_name(std::string_view a, std::string_view b);

enum class FieldSubset {
  listed,      // HEADER.FIELDS
  not_listed,  // HEADER.FIELDS.NOT
};
// The octets that HEADER.FIELDS or HEADER.FIELDS.NOT of `header` names: whole fields, untouched and in order,
// then the blank line if the header has one. Lines that are no field are in no listed subset but in every other.
std::string header_subset(std::string_view header, std::span<const std::string> names, FieldSubset subset);
void append_header_subset(std::string_view header, std::span<const std::string> names, FieldSubset subset,
                          std::string& out);

}  // namespace postkeep::mime
