#include "protocol/mail/address.h"

#include <cstddef>
#include <optional>
#include <utility>

namespace postkeep {
namespace {

constexpr std::size_t encoded_word_max = 1000;  // bounds the look ahead
constexpr std::size_t comment_nesting_max = 32;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// RFC 5322 §3.2.3 specials, without "." (which phrases and local parts share) and without "[" "]" "\\".
bool is_special(char c) { return std::string_view("()<>@,;:\"").find(c) != std::string_view::npos; }

// One word of a phrase or local part, and whether white space stood before it.
struct Word {
  std::string text;
  bool spaced = false;
};

class AddressParser {
 public:
  explicit AddressParser(std::string_view text) : text_(text) {}

  AddressList run() {
    while (true) {
      comment_.clear();
      skip_space();
      if (at_end() || list_.size() + 2 > addresses_max) break;
      entry();
    }
    end_group();
    return std::move(list_);
  }

 private:
  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return text_[at_]; }

  // White space and comments; the last comment is kept, being the name in "user@host (Name)". Says whether
  // there was anything.
  bool skip_space() {
    const std::size_t start = at_;
    while (!at_end() && (is_space(peek()) || peek() == '(')) {
      if (peek() == '(') {
        comment_ = take_comment();
      } else {
        ++at_;
      }
    }
    return at_ != start;
  }

  std::string take_comment() {
    std::string out;
    std::size_t depth = 0;
    for (; !at_end(); ++at_) {
      const char c = peek();
      if (c == '\\' && at_ + 1 < text_.size()) {
        out += text_[++at_];
      } else if (c == '(' && depth < comment_nesting_max) {
        if (++depth > 1) out += c;
      } else if (c == ')') {
        if (--depth == 0) {
          ++at_;
          return out;
        }
        out += c;
      } else if (c != '\r' && c != '\n') {
        out += c;
      }
    }
    return out;
  }

  // A quoted string without its quotes; nullopt if it never ends, and then no later quote is looked at either.
  std::optional<std::string> take_quoted() {
    if (quotes_broken_) return std::nullopt;
    std::string out;
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '"') {
        at_ = i + 1;
        return out;
      }
      if (c == '\\' && i + 1 < text_.size()) {
        out += text_[++i];
      } else if (c != '\r' && c != '\n') {
        out += c;
      }
    }
    quotes_broken_ = true;
    return std::nullopt;
  }

  // An atom. An encoded word is taken whole, since broken mailers leave commas and brackets in it.
  std::string take_atom() {
    const std::size_t start = at_;
    if (text_.substr(at_).starts_with("=?")) {
      const std::string_view window = text_.substr(at_, encoded_word_max);
      const std::size_t charset_end = window.find('?', 2);
      const std::size_t coding_end = charset_end == window.npos ? window.npos : window.find('?', charset_end + 1);
      const std::size_t end = coding_end == window.npos ? window.npos : window.find("?=", coding_end + 1);
      if (end != window.npos && window.substr(0, end).find_first_of(" \t\r\n\"<>") == window.npos) at_ += end + 2;
    }
    while (!at_end() && !is_special(peek()) && !is_space(peek())) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  bool at_word() const { return !at_end() && (!is_special(peek()) || peek() == '"'); }

  // Words up to the next special that is neither quote nor comment.
  std::vector<Word> take_words() {
    std::vector<Word> words;
    bool spaced = skip_space();
    while (at_word()) {
      if (peek() == '"') {
        if (auto quoted = take_quoted()) {
          words.push_back(Word{*std::move(quoted), spaced});
        } else {
          ++at_;
        }
      } else {
        words.push_back(Word{take_atom(), spaced});
      }
      spaced = skip_space();
    }
    return words;
  }

  static std::string join_phrase(const std::vector<Word>& words) {
    std::string out;
    for (const Word& word : words) {
      if (word.spaced && !out.empty()) out += ' ';
      out += word.text;
    }
    return out;
  }

  // "john . doe" and "\"j\".doe" are one local part (RFC 5322 §4.4); the words of "John Doe jdoe@x" before it
  // are a name without brackets.
  static std::string split_local_part(std::vector<Word>& words) {
    if (words.empty()) return {};
    std::size_t first = words.size() - 1;
    while (first > 0) {
      const bool dotted = words[first].text.starts_with('.') || words[first - 1].text.ends_with('.');
      if (words[first].spaced && !dotted) break;
      --first;
    }
    std::string local;
    for (std::size_t i = first; i < words.size(); ++i) local += words[i].text;
    words.resize(first);
    return local;
  }

  // After "@": atoms joined by dots, or a literal in brackets. Blanks are allowed around dots only.
  std::string take_domain() {
    skip_space();
    if (!at_end() && peek() == '[') return take_literal();
    std::string out;
    while (!at_end() && !is_special(peek())) {
      while (!at_end() && !is_special(peek()) && !is_space(peek())) out += text_[at_++];
      skip_space();
      const bool joins = !at_end() && (peek() == '.' || out.ends_with('.'));
      if (!joins) break;
    }
    return out;
  }

  std::string take_literal() {
    std::string out;
    while (!at_end()) {
      const char c = text_[at_++];
      if (c != '\r' && c != '\n') out += c;
      if (c == ']') break;
    }
    return out;
  }

  // "@" and what follows; of several the last one counts, so that nothing is lost.
  void take_at_domain(Address& address) {
    while (!at_end() && peek() == '@') {
      ++at_;
      if (!address.domain.empty()) address.local_part += "@" + address.domain;
      address.domain = take_domain();
    }
  }

  // RFC 5322 §4.4 obs-route: "@a,@b:" before the address.
  std::string take_route() {
    const std::size_t start = at_;
    const std::size_t colon = text_.find_first_of(":>", at_);
    if (colon == text_.npos || text_[colon] != ':') return {};
    at_ = colon + 1;
    std::string out;
    for (const char c : text_.substr(start, colon - start)) {
      if (!is_space(c)) out += c;
    }
    return out;
  }

  // From behind "<" to behind ">". Without ">" it ends at a comma or semicolon.
  void take_angle_address(Address& address) {
    skip_space();
    if (!at_end() && peek() == '@') address.route = take_route();
    while (!at_end() && peek() != '>' && peek() != ',' && peek() != ';') {
      const std::size_t before = at_;
      if (peek() == '@') {
        take_at_domain(address);
      } else {
        std::string& part = address.domain.empty() ? address.local_part : address.domain;
        for (const Word& word : take_words()) part += word.text;
        if (!at_end() && (peek() == ':' || peek() == '<')) part += text_[at_++];  // "<mailto:user@host>"
      }
      if (at_ == before) ++at_;
    }
    if (!at_end() && peek() == '>') ++at_;
  }

  // One mailbox, the head of a group, or the end of one.
  void entry() {
    std::vector<Word> words = take_words();
    while (!at_end() && (peek() == ')' || peek() == '>')) {  // closes nothing
      ++at_;
      for (Word& word : take_words()) words.push_back(std::move(word));
    }
    Address address;
    if (at_end() || peek() == ',' || peek() == ';') {
      address.local_part = join_phrase(words);
    } else if (peek() == ':') {
      ++at_;
      if (!words.empty()) begin_group(join_phrase(words));
      return;
    } else if (peek() == '@') {
      address.local_part = split_local_part(words);
      take_at_domain(address);
      address.name = join_phrase(words);
    }
    skip_space();
    if (!at_end() && peek() == '<') {
      if (!address.domain.empty()) {  // "joe@example.org <joe@example.org>"
        words.push_back(Word{address.local_part + "@" + address.domain, true});
        address = Address();
      }
      ++at_;
      address.name = join_phrase(words);
      take_angle_address(address);
    }
    finish(std::move(address));
  }

  // What stands between the address and the next comma: a name on the wrong side, junk, or, where the comma was
  // forgotten, the next address.
  void finish(Address address) {
    while (!at_end() && peek() != ',' && peek() != ';') {
      const std::size_t before = at_;
      const std::vector<Word> words = take_words();
      if (!words.empty() && !at_end() && (peek() == '@' || peek() == '<')) {
        at_ = before;
        add(std::move(address));
        return;
      }
      if (address.name.empty()) address.name = join_phrase(words);
      if (!at_end() && peek() != ',' && peek() != ';') ++at_;
    }
    add(std::move(address));
    if (at_end()) return;
    if (peek() == ';') end_group();
    ++at_;
  }

  void add(Address address) {
    const bool somewhere = !address.local_part.empty() || !address.domain.empty();
    if (somewhere && address.name.empty()) address.name = std::exchange(comment_, {});
    if (somewhere || !address.name.empty()) list_.push_back(std::move(address));
  }

  void begin_group(std::string name) {
    end_group();
    in_group_ = true;
    Address start;
    start.kind = Address::Kind::group_start;
    start.local_part = std::move(name);
    list_.push_back(std::move(start));
  }

  void end_group() {
    if (!std::exchange(in_group_, false)) return;
    Address end;
    end.kind = Address::Kind::group_end;
    list_.push_back(std::move(end));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  AddressList list_;
  std::string comment_;
  bool in_group_ = false;
  bool quotes_broken_ = false;
};

}  // namespace

AddressList parse_address_list(std::string_view value) { return AddressParser(value).run(); }

}  // namespace postkeep
