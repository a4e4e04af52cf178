#include "protocol/imap/commands/select.h"

#include "protocol/base/ascii.h"

namespace postkeep::imap {
namespace {

bool is_uid_set_char(char c) { return ascii::is_digit(c) || c == ':' || c == ','; }

// known-uids, known-sequence-set, known-uid-set: sets without "*" (RFC 7162 §7).
Result<UidSet> parse_closed_set(Cursor& cursor) { return UidSet::from_wire(cursor.take_while(is_uid_set_char)); }

// "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")" (RFC 7162 §3.2.5).
Result<QresyncParameter> parse_qresync(Cursor& cursor) {
  QresyncParameter parameter;
  TRY(cursor.expect('('));
  parameter.uid_validity = UidValidity(TRY(cursor.nz_number()));
  TRY(cursor.sp());
  parameter.modseq = ModSeq(TRY(cursor.nz_number64()));
  if (cursor.accept(' ')) {
    if (cursor.peek() != '(') {
      parameter.known_uids = TRY(parse_closed_set(cursor));
      if (cursor.accept(')')) return parameter;
      TRY(cursor.sp());
    }
    TRY(cursor.expect('('));
    parameter.known_sequence = TRY(parse_closed_set(cursor));
    TRY(cursor.sp());
    parameter.known_sequence_uids = TRY(parse_closed_set(cursor));
    TRY(cursor.expect(')'));
    if (parameter.known_sequence.size() != parameter.known_sequence_uids.size()) {
      return tl::unexpected<Error>(cursor.error("The two sets of sequence match data differ in size"));
    }
  }
  TRY(cursor.expect(')'));
  return parameter;
}

}  // namespace

Result<SelectArgs> parse_select(Cursor& cursor) {
  SelectArgs args;
  TRY(cursor.sp());
  args.mailbox = TRY(cursor.mailbox());
  if (cursor.end()) return args;
  TRY(cursor.sp());
  TRY(cursor.expect('('));
  do {
    const std::string name = TRY(cursor.keyword());
    if (name == "CONDSTORE") {
      args.condstore = true;
    } else if (name == "QRESYNC") {
      TRY(cursor.sp());
      args.qresync = TRY(parse_qresync(cursor));
    } else {
      return tl::unexpected<Error>(cursor.error("Unknown SELECT parameter " + name));
    }
  } while (cursor.accept(' '));
  TRY(cursor.expect(')'));
  TRY(cursor.end());
  return args;
}

}  // namespace postkeep::imap
