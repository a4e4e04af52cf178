#include "protocol/imap/commands/thread.h"

#include <string>
#include <utility>

#include "protocol/imap/commands/sort.h"

namespace postkeep::imap {
namespace {

Result<ThreadAlgorithm> parse_algorithm(Cursor& cursor) {
  const std::string name = TRY(cursor.keyword());
  if (name == "ORDEREDSUBJECT") return ThreadAlgorithm::ordered_subject;
  if (name == "REFERENCES") return ThreadAlgorithm::references;
  if (name == "REFS") return ThreadAlgorithm::refs;
  return tl::unexpected<Error>(cursor.error("Unknown threading algorithm " + name));
}

}  // namespace

Result<ThreadArgs> parse_thread(Cursor& cursor) {
  ThreadArgs args;
  TRY(cursor.sp());
  args.algorithm = TRY(parse_algorithm(cursor));
  CharsetAndKeys criteria = TRY(parse_charset_and_keys(cursor));
  args.charset = criteria.charset;
  args.key = std::move(criteria.key);
  return args;
}

}  // namespace postkeep::imap
