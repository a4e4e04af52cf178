// CAPABILITY and ENABLED data. RFC 9051 §7.2.1, §7.2.2.
#pragma once

#include <string>
#include <vector>

#include "protocol/imap/writer.h"

namespace postkeep::imap {

// "* CAPABILITY IMAP4rev2 ..."; the tokens are atoms.
void write_capability(Writer& writer, const std::vector<std::string>& capabilities);
// "* ENABLED ..."; also when nothing was enabled.
void write_enabled(Writer& writer, const std::vector<std::string>& capabilities);

}  // namespace postkeep::imap
