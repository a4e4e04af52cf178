// parse_message of the Dovecot authentication protocol: every line is a message or is refused, and what is given out
// keeps to the limits and can be answered in one line.
#include <algorithm>

#include "protocol/dovecot_auth/fields.h"
#include "protocol/dovecot_auth/message.h"
#include "protocol/dovecot_auth/reply.h"
#include "protocol/line/line_framer.h"
#include "tests/fuzz/fuzz_input.h"

using namespace postkeep;
using namespace postkeep::dovecot_auth;
using fuzz::require;

namespace {

void check_auth(const Auth& auth) {
  require(!auth.mechanism.empty() && auth.mechanism.size() <= mechanism_octets_max);
  require(auth.mechanism.find_first_of("\t\n ") == std::string::npos);
  if (auth.initial_response) {
    require(!auth.initial_response->empty());
    require(auth.initial_response->reveal().find('\t') == std::string_view::npos);
  }
  std::string reply;
  write_fail(reply, auth.id, Failing::for_a_while, auth.service, auth.remote_address);
  require(std::ranges::count(reply, '\n') == 1 && reply.ends_with('\n'));
}

void check_line(std::string_view line) {
  const auto whole = unescape_field(line);
  if (whole) require(unescape_field(escape_field(*whole)) == whole);
  const auto message = parse_message(line);
  if (!message) {
    require(message.error().kind == ErrorKind::bad_syntax && !message.error().text.empty());
  } else if (const auto* auth = std::get_if<Auth>(&*message)) {
    check_auth(*auth);
  } else if (const auto* other = std::get_if<Other>(&*message)) {
    require(!other->command.empty() && other->command.find('\t') == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  line::LineFramer framer(line_octets_max);
  fuzz::feed_in_pieces(fuzz::text_of(data, size), [&](std::string_view piece) {
    framer.push(piece);
    std::string_view line;
    for (auto event = framer.next(line); event != line::LineFramer::Event::incomplete; event = framer.next(line)) {
      if (event == line::LineFramer::Event::line) check_line(line);
    }
  });
  return 0;
}
