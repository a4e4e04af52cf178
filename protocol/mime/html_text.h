// The words of an HTML document, for previews and SEARCH: no tags, no scripts and styles, character references
// resolved. Not a renderer: what breaks lines becomes a space, as does all white space. Never fails; HTML may be cut or
// malformed anywhere. Linear.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postkeep::mime {

enum class HtmlHead { hidden, shown };  // its title, that is: scripts and styles never are

// Takes a document in pieces, cut anywhere; needs a few octets of memory. Input and output are UTF-8.
class HtmlText {
 public:
  explicit HtmlText(HtmlHead head) : head_(head) {}

  // Appends to `out` what is text for sure by now.
  void feed(std::string_view html, std::string& out);
  // What looked like the beginning of markup and was none. Ready for another document afterwards.
  void finish(std::string& out);

 private:
  enum class State { text, reference, opened, declaration, comment, name, tag, hidden, hidden_opened, hidden_name };

  void take(char c, std::string& out);
  std::size_t take_run(std::string_view html, std::string& out);
  void take_text(char c, std::string& out);
  void take_reference(char c, std::string& out);
  void take_opened(char c, std::string& out);
  void take_declaration(char c, std::string& out);
  void take_comment(char c);
  void take_name(char c, std::string& out);
  void take_hidden(char c);
  void begin_name(bool is_closing);
  void end_tag(std::string& out);
  bool hides(std::string_view element) const;
  void put_space(std::string& out);

  HtmlHead head_;
  State state_ = State::text;
  std::string word_;     // of a reference or of an element, as far as it has come; a few octets
  std::string element_;  // whose content is hidden, in lower case
  bool is_closing_ = false;
  bool behind_space_ = false;  // one stands in for a stretch of white space
  int dashes_ = 0;             // at the end of a comment so far, or at its beginning
};

// The whole of it, without the head.
std::string html_to_text(std::string_view html);

}  // namespace postkeep::mime
