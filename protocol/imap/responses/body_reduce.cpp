// See body_reduce.h.
#include "protocol/imap/responses/body_reduce.h"

#include <cstddef>

#include "protocol/imap/limits.h"

namespace postkeep::imap {

namespace {

// Reads one body and copies what BODY shows of it. Every step moves position_ forward; a step that finds what it does
// not expect sets failed_, after which nothing counts.
class Reducer {
 public:
  enum class Extensions { kept, dropped };
  Reducer(std::string_view in, Extensions extensions, GlobalParts global)
      : in_(in), extensions_(extensions), global_(global) {}

  bool reduce(std::string& out) {
    body(out, 0);
    return !failed_ && position_ == in_.size();
  }

 private:
  char peek() const { return position_ < in_.size() ? in_[position_] : '\0'; }
  void expect(char c) {
    if (peek() != c) {
      failed_ = true;
      position_ = in_.size();
      return;
    }
    ++position_;
  }

  void body(std::string& out, std::size_t depth) {
    // Nested messages and multiparts: twice what structures are allowed, since both count here.
    if (depth > 4 * limits::nesting_max) failed_ = true;
    if (failed_) return;
    const std::size_t begin = position_;
    expect('(');
    if (peek() == '(') {
      out += '(';
      while (!failed_ && peek() == '(') body(out, depth + 1);
      copy_sp_value(out);  // subtype
    } else {
      copy_single(out, begin, depth);
    }
    const std::size_t extensions_at = position_;
    while (!failed_ && peek() == ' ') skip_sp_value();
    if (extensions_ == Extensions::kept) out += in_.substr(extensions_at, position_ - extensions_at);
    expect(')');
    out += ')';
  }

  // type subtype params id description encoding octets, then what the type adds.
  void copy_single(std::string& out, std::size_t begin, std::size_t depth) {
    const std::size_t type_at = position_;
    skip_value();
    const std::string type = upper(in_.substr(type_at, position_ - type_at));
    expect(' ');
    const std::size_t subtype_at = position_;
    skip_value();
    const std::string subtype = upper(in_.substr(subtype_at, position_ - subtype_at));
    for (int field = 0; field < 5; ++field) skip_sp_value();
    if (failed_) return;
    out += in_.substr(begin, position_ - begin);
    if (type == "\"TEXT\"") {
      copy_sp_value(out);  // lines
    } else if (type == "\"MESSAGE\"" && subtype == "\"GLOBAL\"" && global_ == GlobalParts::plain) {
      for (int field = 0; field < 3; ++field) skip_sp_value();  // envelope, body, lines
    } else if (type == "\"MESSAGE\"" && (subtype == "\"RFC822\"" || subtype == "\"GLOBAL\"")) {
      copy_sp_value(out);  // envelope
      expect(' ');
      out += ' ';
      body(out, depth + 1);
      copy_sp_value(out);  // lines
    }
  }

  void copy_sp_value(std::string& out) {
    const std::size_t begin = position_;
    skip_sp_value();
    if (!failed_) out += in_.substr(begin, position_ - begin);
  }

  void skip_sp_value() {
    expect(' ');
    skip_value();
  }

  // An atom, a string, a literal, or a list with whatever is in it.
  void skip_value() {
    std::size_t depth = 0;
    do {
      switch (peek()) {
        case '(':
          ++depth, ++position_;
          break;
        case ')':
          leave(depth);
          break;
        case '"':
          skip_quoted();
          break;
        case '{':
          skip_literal();
          break;
        case ' ':
          if (depth == 0) failed_ = true;
          ++position_;
          break;
        default:
          skip_atom();
          break;
      }
    } while (!failed_ && depth > 0);
  }
  void leave(std::size_t& depth) {
    if (depth == 0) {
      failed_ = true;
      return;
    }
    --depth;
    ++position_;
  }
  void skip_atom() {
    const std::size_t begin = position_;
    while (position_ < in_.size() && in_[position_] != ' ' && in_[position_] != '(' && in_[position_] != ')')
      ++position_;
    if (position_ == begin) failed_ = true;
  }
  void skip_quoted() {
    for (++position_; position_ < in_.size() && in_[position_] != '"'; ++position_) {
      if (in_[position_] == '\\') ++position_;
    }
    expect('"');
  }
  void skip_literal() {
    std::size_t size = 0;
    for (++position_; peek() >= '0' && peek() <= '9' && size < in_.size(); ++position_) {
      size = size * 10 + static_cast<std::size_t>(peek() - '0');
    }
    expect('}');
    expect('\r');
    expect('\n');
    if (failed_ || size > in_.size() - position_) {
      failed_ = true;
      return;
    }
    position_ += size;
  }

  static std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return out;
  }

  const std::string_view in_;
  const Extensions extensions_;
  const GlobalParts global_;
  std::size_t position_ = 0;
  bool failed_ = false;
};

}  // namespace

std::string body_structure_with(std::string_view body_structure, GlobalParts global) {
  std::string out;
  if (Reducer(body_structure, Reducer::Extensions::kept, global).reduce(out)) return out;
  return std::string(body_structure);
}

std::string without_extension_data(std::string_view body_structure, GlobalParts global) {
  std::string out;
  if (Reducer(body_structure, Reducer::Extensions::dropped, global).reduce(out)) return out;
  return std::string(body_structure);
}

}  // namespace postkeep::imap
