// parse_command and LineFramer: every line is a command or a reason, and a path written is the path read.
#include "protocol/line/line_framer.h"
#include "protocol/lmtp/command.h"
#include "protocol/lmtp/reply.h"
#include "tests/fuzz/fuzz_input.h"

using namespace postkeep;

namespace {

void check_path(const lmtp::Path& path) {
  const std::string written = "<" + path.to_string() + ">";
  std::string_view text = written;
  const auto back = lmtp::take_path(text, lmtp::NullPath::allowed, lmtp::Utf8Path::allowed);
  fuzz::require(back.has_value() && *back == path && text.empty());
}

void check_line(std::string_view line) {
  for (const auto utf8 : {lmtp::Utf8Path::allowed, lmtp::Utf8Path::refused}) {
    const lmtp::Command command = lmtp::parse_command(line, utf8);
    if (const auto* mail = std::get_if<lmtp::Mail>(&command)) check_path(mail->from);
    if (const auto* rcpt = std::get_if<lmtp::Rcpt>(&command)) check_path(rcpt->to);
    const auto* bad = std::get_if<lmtp::Bad>(&command);
    if (bad == nullptr) continue;
    fuzz::require(bad->code >= 500 && bad->code < 600 && !bad->enhanced.empty() && !bad->text.empty());
    std::string reply;
    lmtp::write_reply(reply, lmtp::Reply(bad->code, bad->enhanced, bad->text));
    fuzz::require(reply.find('\n') == reply.size() - 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  line::LineFramer framer(200);
  fuzz::feed_in_pieces(fuzz::text_of(data, size), [&](std::string_view piece) {
    framer.push(piece);
    std::string_view line;
    for (auto event = framer.next(line); event != line::LineFramer::Event::incomplete; event = framer.next(line)) {
      if (event == line::LineFramer::Event::line) check_line(line);
    }
    fuzz::require(framer.buffered().size() < 200);
  });
  return 0;
}
