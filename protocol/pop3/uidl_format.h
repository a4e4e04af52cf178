// UidlFormat: how a unique-id is written (RFC 1939 §7): in the language of Dovecot's setting pop3_uidl_format, so that
// clients which left their mail on another server know it again. Called by server/config, which checks it, and by
// server/pop3. A value; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/mail/ids.h"

namespace postkeep::pop3 {

inline constexpr std::size_t unique_id_octets_max = 70;  // RFC 1939 §7

class UidlFormat {
 public:
  // "%08Xu%08Xv": 16 hexadecimal digits, UID and UIDVALIDITY.
  UidlFormat();

  // %u UID, %v UIDVALIDITY, %% a percent sign; between % and the letter "0" and a width (zeros in front) and "X"
  // (hexadecimal, small letters). Dovecot 2.4's %{uid}, %{uidvalidity}, %{uid | hex(8)} likewise. All else stands for
  // itself. Errors: cannot, with what is wrong: malformed; something that there is not here; no UID, by which
  // alone the messages of a maildrop differ; longer than a unique-id may be; characters that it may not have.
  static Result<UidlFormat> parse(std::string_view text);

  std::string unique_id(Uid uid, UidValidity uid_validity) const;

 private:
  enum class What : std::uint8_t { text, uid, uid_validity };
  struct Piece {
    What what = What::text;
    bool hexadecimal = false;
    unsigned width = 0;
    std::string text;
  };
  class Parser;

  std::vector<Piece> pieces_;
};

}  // namespace postkeep::pop3
