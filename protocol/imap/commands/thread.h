// THREAD and UID THREAD. RFC 5256 §3, §5; THREAD=REFS: draft-ietf-morg-inthread.
#pragma once

#include "protocol/base/result.h"
#include "protocol/imap/commands/search.h"
#include "protocol/imap/cursor.h"
#include "protocol/mail/search_key.h"

namespace postkeep::imap {

enum class ThreadAlgorithm { ordered_subject, references, refs };

struct ThreadArgs {
  ThreadAlgorithm algorithm = ThreadAlgorithm::references;
  NamedCharset charset = NamedCharset::none;
  SearchKey key;
};

// Errors: bad_syntax, also for an algorithm that nobody knows.
Result<ThreadArgs> parse_thread(Cursor& cursor);

}  // namespace postkeep::imap
