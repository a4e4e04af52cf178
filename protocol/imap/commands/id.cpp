#include "protocol/imap/commands/id.h"

#include "protocol/imap/limits.h"

namespace postkeep::imap {

// RFC 2971 §3.3 limits the length of names and values; longer ones are cut, since some clients send them and
// nothing depends on what they say.
Result<IdArgs> parse_id(Cursor& cursor) {
  IdArgs args;
  TRY(cursor.sp());
  if (!cursor.accept_word("NIL")) {
    TRY(cursor.expect('('));
    while (!cursor.accept(')')) {
      if (!args.fields.empty()) TRY(cursor.sp());
      if (args.fields.size() == limits::id_pairs_max) return tl::unexpected<Error>(cursor.error("Too many ID fields"));
      std::string name = TRY(cursor.string());
      TRY(cursor.sp());
      std::optional<std::string> value = TRY(cursor.nstring());
      name = name.substr(0, limits::id_name_bytes_max);
      if (value) value = value->substr(0, limits::id_value_bytes_max);
      args.fields.emplace_back(std::move(name), std::move(value));
    }
  }
  TRY(cursor.end());
  return args;
}

}  // namespace postkeep::imap
