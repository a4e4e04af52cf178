// ENVELOPE, BODY and BODYSTRUCTURE of a message. RFC 9051 §7.5.2. Called by storage (which caches the bytes) and
// by FETCH. Whatever the message is, what is written follows the grammar.
#pragma once

#include "protocol/imap/writer.h"
#include "protocol/mime/envelope.h"
#include "protocol/mime/structure.h"

namespace postkeep::imap {

// Each writes the value alone, without the item's name: "(...)".
void write_envelope(Writer& out, const mime::Envelope& envelope);
void write_body(Writer& out, const mime::Part& root);           // BODY, no extension data
void write_bodystructure(Writer& out, const mime::Part& root);  // BODYSTRUCTURE

}  // namespace postkeep::imap
