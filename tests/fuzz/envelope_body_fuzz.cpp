// ENVELOPE, BODY and BODYSTRUCTURE of any bytes follow the grammar, in ASCII and in UTF-8 sessions.
#include "protocol/imap/responses/envelope_body.h"

#include "tests/fuzz/fuzz_input.h"
#include "tests/support/imap_body_grammar.h"

using namespace postkeep;
using Grammar = test::ImapBodyGrammar;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const mime::Part root = mime::parse_structure(fuzz::text_of(data, size));
  for (const auto utf8 : {imap::Utf8::no, imap::Utf8::yes}) {
    const auto charset = utf8 == imap::Utf8::yes ? Grammar::Charset::utf8 : Grammar::Charset::ascii;
    std::string out;
    imap::Writer writer(out, utf8);
    imap::write_envelope(writer, *root.envelope);
    fuzz::require(Grammar::envelope_error(out, charset).empty());
    out.clear();
    imap::write_body(writer, root);
    fuzz::require(Grammar::body_error(out, Grammar::Kind::body, charset).empty());
    out.clear();
    imap::write_bodystructure(writer, root);
    fuzz::require(Grammar::body_error(out, Grammar::Kind::bodystructure, charset).empty());
  }
  return 0;
}
