// MailboxName: the name of a mailbox as all layers see it. RFC 9051 §5.1, Appendix A.1 (modified UTF-7).
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"

namespace postkeep {

// A valid name: UTF-8 in NFC, components separated by '/', whatever separator the wire shows. Never
// empty, no empty component, no control characters; the component INBOX at the top in capitals (INBOX
// alone ignores case). A value; compares byte by byte.
class MailboxName {
 public:
  // Errors: cannot, with the reason.
  static Result<MailboxName> from_utf8(std::string_view utf8);
  static MailboxName inbox();

  // What a client sent: modified UTF-7 (rev1) or UTF-8; raw UTF-8 is accepted in both since clients send it.
  // `separator` is the wire's, '/' or '.'. With '.' the two change places: "a.b/c" on the wire is "a/b.c" here,
  // so that every name can be told to the client.
  enum class Encoding { modified_utf7, utf8 };
  static Result<MailboxName> from_wire(std::string_view text, Encoding encoding, char separator);
  std::string to_wire(Encoding encoding, char separator) const;

  const std::string& utf8() const { return utf8_; }
  bool is_inbox() const { return utf8_ == "INBOX"; }
  std::vector<std::string_view> components() const;
  std::string_view last_component() const;
  std::optional<MailboxName> parent() const;         // none at the top
  bool is_under(const MailboxName& ancestor) const;  // a proper inferior
  // This name with the leading `from` replaced by `to`; *this is `from` or under it.
  MailboxName moved(const MailboxName& from, const MailboxName& to) const;

  auto operator<=>(const MailboxName&) const = default;

 private:
  explicit MailboxName(std::string valid) : utf8_(std::move(valid)) {}
  std::string utf8_ = "INBOX";

 public:
  MailboxName() = default;  // INBOX; so that Result<MailboxName> can be awaited
};

// Modified UTF-7 (RFC 3501 §5.1.3) and back. Decoding fails (nullopt) on what is not well formed:
// unterminated or overlong shifts, printable ASCII inside a shift, lone surrogates.
std::string encode_modified_utf7(std::string_view utf8);
std::optional<std::string> decode_modified_utf7(std::string_view text);

// Does `name` match a LIST pattern ("*" anything, "%" all but the separator)? Both in wire form with
// '/' as separator; INBOX without regard to case. Linear in the product of the two lengths at worst.
bool matches_list_pattern(std::string_view pattern, std::string_view name);

// Special-use attributes (RFC 6154 §2, RFC 8457 §4).
enum class SpecialUse { none, all, archive, drafts, flagged, important, junk, sent, trash };
std::string_view to_wire(SpecialUse use);                           // "\Sent"; "" for none
std::optional<SpecialUse> special_use_from_wire(std::string_view);  // ASCII case ignored

}  // namespace postkeep
