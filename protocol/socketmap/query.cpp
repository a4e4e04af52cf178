#include "protocol/socketmap/query.h"

#include "protocol/socketmap/netstring.h"

namespace postkeep::socketmap {
namespace {

std::string_view word_of(Status status) {
  switch (status) {
    case Status::ok:
      return "OK ";
    case Status::not_found:
      return "NOTFOUND ";
    case Status::temp:
      return "TEMP ";
    case Status::timeout:
      return "TIMEOUT ";
    case Status::perm:
      break;
  }
  return "PERM ";
}

}  // namespace

Result<Query> parse_query(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos || space == 0) {
    return failure(ErrorKind::bad_syntax, "Not the name of a map and a key");
  }
  Query query;
  query.map = std::string(text.substr(0, space));
  query.key = std::string(text.substr(space + 1));
  return query;
}

void write_answer(std::string& out, const Answer& answer) {
  std::string text(word_of(answer.status));
  if (answer.text.size() > answer_octets_max) {
    text = std::string(word_of(Status::perm)) + "The answer is too long";
  } else if (answer.status != Status::not_found) {
    for (const char c : answer.text) text += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
  }
  write_netstring(out, text);
}

}  // namespace postkeep::socketmap
