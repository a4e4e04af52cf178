// POP3 lines and arguments: every line is a command or a reason, the cuts do not matter, and whatever a client sends
// can be put into a reply without ending its line.
#include <vector>

#include "protocol/line/line_framer.h"
#include "protocol/pop3/command.h"
#include "protocol/pop3/reply.h"
#include "tests/fuzz/fuzz_input.h"

using namespace postkeep;

namespace {

template <class Read>
void check_refusal(const Read& read) {
  if (read) return;
  fuzz::require(read.error().kind == ErrorKind::bad_syntax && !read.error().text.empty());
}

void check_line(std::string_view line) {
  std::string reply;
  pop3::write_error(reply, "", line);
  fuzz::require(reply.find('\n') == reply.size() - 1 && reply.size() <= pop3::reply_line_octets_max);
  fuzz::require(!reply.starts_with("-ERR ["));

  const auto command = pop3::parse_command_line(line);
  check_refusal(command);
  if (!command) return;
  fuzz::require(line.ends_with(command->arguments) && command->keyword.size() <= line.size());
  const std::string_view arguments = command->arguments;
  check_refusal(pop3::parse_nothing(arguments));
  check_refusal(pop3::parse_user(arguments));
  check_refusal(pop3::parse_auth(arguments));
  check_refusal(pop3::parse_apop(arguments));
  check_refusal(pop3::parse_list(arguments));
  check_refusal(pop3::parse_lang(arguments));
  const auto pass = pop3::parse_pass(arguments);
  fuzz::require(pass ? pass->password.reveal() == arguments : arguments.empty());
  const auto message = pop3::parse_message(arguments);
  check_refusal(message);
  const auto top = pop3::parse_top(arguments);
  check_refusal(top);
  fuzz::require(!message || !top);
}

std::vector<std::string> lines_of(line::LineFramer& framer) {
  std::vector<std::string> lines;
  std::string_view line;
  for (auto event = framer.next(line); event != line::LineFramer::Event::incomplete; event = framer.next(line)) {
    lines.push_back(event == line::LineFramer::Event::line ? std::string(line) : "(too long)");
  }
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = fuzz::text_of(data, size);
  line::LineFramer whole(pop3::command_line_octets_max);
  whole.push(input);
  const std::vector<std::string> lines = lines_of(whole);
  for (const std::string& line : lines) check_line(line);

  line::LineFramer cut(pop3::command_line_octets_max);
  std::vector<std::string> again;
  fuzz::feed_in_pieces(input, [&](std::string_view piece) {
    cut.push(piece);
    for (std::string& line : lines_of(cut)) again.push_back(std::move(line));
    fuzz::require(cut.buffered().size() < pop3::command_line_octets_max);
  });
  fuzz::require(lines == again);
  return 0;
}
