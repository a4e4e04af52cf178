// A strict reader of ENVELOPE, BODY and BODYSTRUCTURE by the grammar of RFC 9051 §9, for tests of what we write. It
// shares no code with the server's writer or with the client parser in protocol/imap/client.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace postkeep::test {

class ImapBodyGrammar {
 public:
  enum class Charset { ascii, utf8 };
  enum class Kind { body, bodystructure };

  // Nothing if `text` is exactly one envelope or body; else where and why it is not.
  static std::string envelope_error(std::string_view text, Charset charset) {
    return run(text, charset, [](ImapBodyGrammar& in) { in.envelope(); });
  }
  static std::string body_error(std::string_view text, Kind kind, Charset charset) {
    return run(text, charset, [kind](ImapBodyGrammar& in) { in.body(kind); });
  }

 private:
  ImapBodyGrammar(std::string_view text, Charset charset) : text_(text), charset_(charset) {}

  template <class Read>
  static std::string run(std::string_view text, Charset charset, Read&& read) {
    ImapBodyGrammar in(text, charset);
    try {
      read(in);
      if (in.at_ != text.size()) in.fail("trailing octets");
      return {};
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  }

  [[noreturn]] void fail(const std::string& why) const {
    throw std::runtime_error("at " + std::to_string(at_) + ": " + why + ", near " +
                             std::string(text_.substr(at_ < 40 ? 0 : at_ - 40, 80)));
  }

  bool at(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool at_nil() const { return text_.substr(at_).starts_with("NIL"); }
  void expect(char c) {
    if (!at(c)) fail(std::string("no '") + c + "'");
    ++at_;
  }
  void sp() { expect(' '); }

  std::uint64_t number() {
    const std::size_t start = at_;
    std::uint64_t value = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      value = value * 10 + static_cast<std::uint64_t>(text_[at_++] - '0');
    }
    if (at_ == start) fail("no number");
    return value;
  }

  std::string string() {
    if (at('{')) return literal();
    expect('"');
    std::string out;
    while (!at('"')) {
      if (at_ >= text_.size()) fail("quoted string without end");
      char c = text_[at_++];
      if (c == '\\') {
        c = at_ < text_.size() ? text_[at_++] : '\0';
        if (c != '"' && c != '\\') fail("escape of what needs none");
      } else if (c == '\r' || c == '\n' || c == '\0') {
        fail("octet that cannot be quoted");
      }
      if (static_cast<unsigned char>(c) >= 0x80 && charset_ == Charset::ascii) fail("8-bit octet in quotes");
      out += c;
    }
    ++at_;
    if (charset_ == Charset::utf8 && !is_utf8(out)) fail("quoted string is not UTF-8");
    return out;
  }

  std::string literal() {
    expect('{');
    const std::uint64_t size = number();
    expect('}');
    expect('\r');
    expect('\n');
    if (text_.size() - at_ < size) fail("literal longer than the text");
    const std::string_view out = text_.substr(at_, size);
    if (out.find('\0') != out.npos) fail("NUL in a literal");
    at_ += size;
    return std::string(out);
  }

  // RFC 3629, by counting continuation octets; overlong forms need not concern a test of ours.
  static bool is_utf8(std::string_view text) {
    std::size_t more = 0;
    for (const char c : text) {
      const auto octet = static_cast<unsigned char>(c);
      if (more > 0) {
        if ((octet & 0xC0) != 0x80) return false;
        --more;
      } else if (octet >= 0x80) {
        more = octet >= 0xF0 ? 3 : octet >= 0xE0 ? 2 : octet >= 0xC2 ? 1 : 9;
        if (more == 9) return false;
      }
    }
    return more == 0;
  }

  void nil() {
    if (!at_nil()) fail("no NIL");
    at_ += 3;
  }
  void nstring() {
    if (at_nil()) return nil();
    string();
  }

  void address() {
    expect('(');
    nstring();
    sp();
    nstring();
    sp();
    nstring();
    sp();
    nstring();
    expect(')');
  }
  void addresses() {
    if (at_nil()) return nil();
    expect('(');
    do {
      address();
    } while (at('('));
    expect(')');
  }

  void envelope() {
    expect('(');
    nstring();
    sp();
    nstring();
    for (int i = 0; i < 6; ++i) {
      sp();
      addresses();
    }
    sp();
    nstring();
    sp();
    nstring();
    expect(')');
  }

  void parameters() {
    if (at_nil()) return nil();
    expect('(');
    while (true) {
      string();
      sp();
      string();
      if (!at(' ')) break;
      sp();
    }
    expect(')');
  }

  void common_extensions() {
    sp();
    if (at_nil()) {
      nil();
    } else {
      expect('(');
      string();
      sp();
      parameters();
      expect(')');
    }
    sp();
    if (at('(')) {
      expect('(');
      string();
      while (at(' ')) {
        sp();
        string();
      }
      expect(')');
    } else {
      nstring();
    }
    sp();
    nstring();
  }

  std::string media() {
    std::string name = string();
    if (name.empty()) fail("empty media type");
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return name;
  }

  void body(Kind kind) {
    expect('(');
    if (at('(')) {
      do {
        body(kind);
      } while (at('('));
      sp();
      media();
      if (kind == Kind::bodystructure) {
        sp();
        parameters();
        common_extensions();
      }
    } else {
      single_part(kind);
    }
    expect(')');
  }

  void single_part(Kind kind) {
    const std::string type = media();
    sp();
    const std::string subtype = media();
    if (type == "multipart") fail("a multipart without parts");
    sp();
    parameters();
    sp();
    nstring();
    sp();
    nstring();
    sp();
    if (string().empty()) fail("empty transfer encoding");
    sp();
    if (number() > 0xFFFFFFFF) fail("octets do not fit a number");
    if (type == "message" && (subtype == "rfc822" || subtype == "global")) {
      sp();
      envelope();
      sp();
      body(kind);
      sp();
      number();
    } else if (type == "text") {
      sp();
      number();
    }
    if (kind == Kind::bodystructure) {
      sp();
      nstring();
      common_extensions();
    }
  }

  std::string_view text_;
  Charset charset_;
  std::size_t at_ = 0;
};

}  // namespace postkeep::test
