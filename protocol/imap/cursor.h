// Cursor: reads a framed command by the productions of RFC 9051 §9, one method per production. Used by the
// parsers in protocol/imap/commands. Never needs more input and never recovers: the first error ends the parse.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/base/secret.h"
#include "protocol/imap/framed_command.h"
#include "protocol/mail/date_time.h"
#include "protocol/mail/flags.h"
#include "protocol/mail/uid_set.h"

namespace postkeep::imap {

// What may stand in a quoted string beyond ASCII: any octets, as old clients send them, or UTF-8 alone (RFC 9755 §3).
enum class QuotedOctets { any, utf8 };

// Not owning: the command outlives the cursor. A position between two octets; every method that succeeds
// moves it behind what it read. All errors are bad_syntax unless a method says otherwise.
class Cursor {
 public:
  explicit Cursor(const FramedCommand& command, QuotedOctets quoted_octets = QuotedOctets::any);

  // --- looking ---
  bool at_end() const { return position_ == text().size() && text_index_ + 1 == command_.texts.size(); }
  // The next octet; '\0' at the end of a text (and for a NUL, which no production begins with).
  char peek() const { return position_ < text().size() ? text()[position_] : '\0'; }
  std::size_t position() const { return position_; }  // octets of the current text that were read
  bool at_literal() const { return position_ == text().size() && text_index_ < command_.literals.size(); }
  // Is `word` (upper case) next, in any case, and not the beginning of a longer atom? Does not move.
  bool at_word(std::string_view word) const;

  // --- structure ---
  Outcome sp();                                // exactly one space
  Outcome expect(char c);                      // this octet
  bool accept(char c);                         // moves only if it is next
  bool accept_word(std::string_view word);     // as at_word()
  bool accept_sp_word(std::string_view word);  // a space and the word, or nothing
  // Nothing but spaces may follow: clients that leave a space before CRLF are let through. Does not move on error.
  Outcome end();

  // --- words ---
  Result<std::string> tag();
  Result<std::string> atom();
  // An atom in upper case, without regard to what may follow it: a verb, an item's name.
  Result<std::string> keyword();
  // The longest run, possibly empty, of octets of one class of ascii.h; upper case.
  template <class Predicate>
  std::string take_while(Predicate&& predicate) {
    const std::size_t start = position_;
    while (position_ < text().size() && predicate(text()[position_])) ++position_;
    return std::string(text().substr(start, position_ - start));
  }

  // --- strings: the value, unquoted. Raw 8-bit octets in quoted strings are let through (RFC 2683 §3.4.x:
  //     clients send them whatever was negotiated), unless only UTF-8 may be; NUL, CR and LF never. ---
  Result<std::string> quoted();
  Result<std::string> string();                  // quoted / literal
  Result<std::string> astring();                 // 1*ASTRING-CHAR / string
  Result<std::optional<std::string>> nstring();  // string / nil
  Result<std::string> mailbox();                 // as astring(): wire form, MailboxName::from_wire() judges it
  Result<std::string> list_mailbox();            // 1*list-char / string
  Result<Secret> password();                     // astring
  // literal or literal8, whatever octets. The pointer is into the command.
  Result<const Literal*> literal();

  // --- numbers ---
  Result<std::uint32_t> number();       // 0..2^32-1
  Result<std::uint32_t> nz_number();    // 1..2^32-1
  Result<std::uint64_t> number64();     // 0..2^63-1
  Result<std::uint64_t> nz_number64();  // 1..2^63-1; mod-sequence-value (RFC 7162 §7)
  Result<SequenceSet> sequence_set();   // "$" included

  // --- dates ---
  Result<Day> date();             // with or without quotes
  Result<ZonedTime> date_time();  // quoted

  // --- flags ---
  // "(\Seen $Junk)". \Recent and unknown system flags: see Flags::add_from_wire().
  Result<Flags> flag_list();
  // flag *(SP flag), without parentheses.
  Result<Flags> flags_bare();

  // Skips one tagged-ext-val, option-value and the like: whatever stands there, parentheses balanced to
  // limits::nesting_max.
  Outcome skip_value();

  Error error(std::string text) const;  // bad_syntax, with the position in the detail

 private:
  std::string_view text() const { return command_.texts[text_index_]; }
  tl::unexpected<Error> fail(std::string text) const { return tl::unexpected<Error>(error(std::move(text))); }
  Result<std::string> take_literal_bytes();
  Result<std::uint64_t> digits(std::uint64_t max, const char* what);

  const FramedCommand& command_;
  const QuotedOctets quoted_octets_;
  std::size_t text_index_ = 0;
  std::size_t position_ = 0;
};

}  // namespace postkeep::imap
