#include "protocol/imap/framer.h"

#include <algorithm>
#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/base/ensure.h"

namespace postkeep::imap {
namespace {

constexpr std::uint64_t literal_size_max = 0x7FFF'FFFF'FFFF'FFFF;  // number64 (RFC 9051 §9)

// The longest announcement that can stand at a line's end: "~{9223372036854775807+}" and CR.
constexpr std::size_t tail_bytes = 32;

struct AnnouncedAtEnd {
  LiteralAnnouncement literal;
  std::size_t text_size = 0;  // octets of the text in front of it
  bool too_large = false;     // more than a number64
};

// "{n}", "{n+}", "~{n}", "~{n+}" at the very end of a line.
std::optional<AnnouncedAtEnd> announced_at_end(std::string_view line) {
  if (!line.ends_with('}')) return std::nullopt;
  std::size_t at = line.size() - 1;
  AnnouncedAtEnd found;
  if (at > 0 && line[at - 1] == '+') {
    found.literal.synchronising = false;
    --at;
  }
  const std::size_t digits_end = at;
  while (at > 0 && ascii::is_digit(line[at - 1])) --at;
  if (at == digits_end || at == 0 || line[at - 1] != '{') return std::nullopt;
  for (const char c : line.substr(at, digits_end - at)) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (found.literal.size > (literal_size_max - digit) / 10) {
      found.too_large = true;
      break;
    }
    found.literal.size = found.literal.size * 10 + digit;
  }
  --at;
  if (at > 0 && line[at - 1] == '~') {
    found.literal.kind = LiteralKind::literal8;
    --at;
  }
  found.text_size = at;
  return found;
}

// The tag at the front of a line that may be cut off: what stands before the first space.
std::optional<std::string> tag_in(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space > limits::tag_bytes_max) return std::nullopt;  // npos too
  const std::string_view tag = line.substr(0, space);
  if (!ascii::all(tag, ascii::is_tag_char)) return std::nullopt;
  return std::string(tag);
}

void drop_cr(std::string& line) {
  if (line.ends_with('\r')) line.pop_back();
}

Error too_long_line() { return Error(ErrorKind::bad_syntax, "Command line is too long"); }

}  // namespace

void Framer::feed(std::string_view bytes) {
  if (input_used_ > 0) {
    input_.erase(0, input_used_);
    input_used_ = 0;
  }
  input_.append(bytes);
}

Framer::Event Framer::next() {
  while (true) {
    bool progress = true;
    switch (state_) {
      case State::command:
        return Event::command;
      case State::refused:
        return Event::refused;
      case State::literal_due:
        return Event::literal_due;
      case State::streaming:
        if (literal_left_ > 0) return Event::streaming;
        state_ = State::line;
        break;
      case State::line:
        progress = read_line();
        break;
      case State::literal:
        progress = read_literal();
        break;
      case State::discard_literal:
        progress = skip_literal();
        break;
      case State::discard_line:
        progress = skip_line();
        break;
    }
    if (!progress) {
      release_if_empty();
      return Event::need_more;
    }
  }
}

// A line ends with LF; the CR in front of it belongs to the line end. A lone LF is taken for CRLF, as people
// who type at a server send it; a lone CR stays in the text and no production will have it.
bool Framer::read_line() {
  const std::string_view input = unread();
  const std::size_t line_end = input.find('\n', scanned_);
  const bool complete = line_end != std::string_view::npos;
  const std::size_t length = complete ? line_end : input.size();
  if (text_bytes_ + length > limits_.command_text_bytes_max + tail_bytes) {
    if (!tag_ && command_.texts.empty() && !streamed_) tag_ = tag_in(input.substr(0, limits::tag_bytes_max + 1));
    begin_refusal(too_long_line());
    state_ = State::discard_line;
    return true;
  }
  if (!complete) {
    scanned_ = input.size();
    return false;
  }
  std::string line(input.substr(0, length));
  consume(length + 1);
  drop_cr(line);
  end_text(std::move(line));
  return true;
}

void Framer::end_text(std::string line) {
  if (command_.texts.empty() && !streamed_) tag_ = tag_in(line);
  const std::optional<AnnouncedAtEnd> announced = announced_at_end(line);
  if (announced) line.resize(announced->text_size);
  text_bytes_ += line.size();
  command_.texts.push_back(std::move(line));
  if (!announced) {
    state_ = State::command;
    return;
  }
  announcement_ = announced->literal;
  announcement_.fits_in_memory = fits_in_memory(announcement_.size);
  state_ = State::literal_due;
  if (announced->too_large) {
    // Its end could never be found.
    begin_refusal(Error(ErrorKind::bad_syntax, "Literal size is out of range"));
    refusal_->fatal = !announcement_.synchronising;
    state_ = State::refused;
  } else if (text_bytes_ > limits_.command_text_bytes_max) {
    refuse_literal(too_long_line());
  } else if (command_.literals.size() >= limits_.command_literals_max) {
    refuse_literal(Error(ErrorKind::bad_syntax, "Too many literals in one command"));
  }
}

bool Framer::fits_in_memory(std::uint64_t size) const {
  return size <= limits_.literal_bytes_max && literal_bytes_ <= limits_.command_literal_bytes_max &&
         size <= limits_.command_literal_bytes_max - literal_bytes_;
}

void Framer::buffer_literal() {
  ENSURE(state_ == State::literal_due, "a literal is due when it is buffered");
  if (!announcement_.fits_in_memory) {
    refuse_literal(Error(ErrorKind::too_big, "Literal is too big"));
    return;
  }
  Literal literal;
  literal.kind = announcement_.kind;
  literal.size = announcement_.size;
  command_.literals.push_back(std::move(literal));
  literal_bytes_ += announcement_.size;
  literal_left_ = announcement_.size;
  continuation_due_ = announcement_.synchronising;
  state_ = State::literal;
}

bool Framer::read_literal() {
  const std::string_view input = unread().substr(0, literal_left_);
  command_.literals.back().bytes.append(input);
  literal_left_ -= input.size();
  consume(input.size());
  if (literal_left_ > 0) return false;
  state_ = State::line;
  return true;
}

void Framer::stream_literal() {
  ENSURE(state_ == State::literal_due, "a literal is due when it is streamed");
  const std::optional<std::string> tag = tag_;
  const bool synchronising = announcement_.synchronising;
  forget_command();
  tag_ = tag;
  streamed_ = true;
  literal_left_ = announcement_.size;
  continuation_due_ = synchronising;
  state_ = State::streaming;
}

std::string Framer::take_literal(std::size_t bytes_max) {
  ENSURE(state_ == State::streaming, "only a literal that is streamed is taken");
  std::uint64_t count = std::min<std::uint64_t>({bytes_max, literal_left_, buffered()});
  literal_left_ -= count;
  std::string octets;
  if (input_used_ == 0 && count == input_.size()) {
    octets.swap(input_);  // the usual case: a read in the middle of a literal, nothing is copied
    scanned_ = 0;
  } else {
    octets.assign(unread().substr(0, count));
    consume(count);
    release_if_empty();
  }
  return octets;
}

bool Framer::continuation_due() { return std::exchange(continuation_due_, false); }

void Framer::refuse_literal(Error error) {
  ENSURE(state_ == State::literal_due || state_ == State::streaming, "a literal is due or streamed when it is refused");
  const bool will_not_come = state_ == State::literal_due && announcement_.synchronising;
  const std::uint64_t to_come = state_ == State::streaming ? literal_left_ : announcement_.size;
  begin_refusal(std::move(error));
  if (will_not_come) {
    state_ = State::refused;
  } else {
    skip_announced(to_come);
  }
}

void Framer::begin_refusal(Error error) {
  Refusal refusal;
  refusal.tag = tag_;
  refusal.error = std::move(error);
  forget_command();
  refusal_ = std::move(refusal);
  discarded_ = 0;
}

void Framer::give_up() {
  refusal_->fatal = true;
  state_ = State::refused;
}

void Framer::skip_announced(std::uint64_t octets) {
  if (octets > limits_.discard_bytes_max - std::min(discarded_, limits_.discard_bytes_max)) {
    give_up();
    return;
  }
  literal_left_ = octets;
  state_ = State::discard_literal;
}

bool Framer::count_discarded(std::uint64_t octets) {
  discarded_ += octets;
  if (discarded_ <= limits_.discard_bytes_max) return true;
  give_up();
  return false;
}

bool Framer::skip_literal() {
  const std::uint64_t count = std::min<std::uint64_t>(literal_left_, buffered());
  consume(count);
  literal_left_ -= count;
  if (!count_discarded(count)) return true;
  if (literal_left_ > 0) return false;
  state_ = State::discard_line;
  return true;
}

bool Framer::skip_line() {
  const std::string_view input = unread();
  const std::size_t line_end = input.find('\n');
  const std::string_view line = input.substr(0, line_end);
  tail_.append(line.substr(line.size() - std::min(line.size(), tail_bytes)));
  if (tail_.size() > tail_bytes) tail_.erase(0, tail_.size() - tail_bytes);
  const bool complete = line_end != std::string_view::npos;
  const std::size_t count = complete ? line_end + 1 : input.size();
  consume(count);
  if (!count_discarded(count)) return true;
  if (complete) end_skipped_line();
  return complete;
}

// A refused command ends here, unless more of it is on its way behind another literal.
void Framer::end_skipped_line() {
  std::string tail = std::exchange(tail_, {});
  drop_cr(tail);
  const std::optional<AnnouncedAtEnd> announced = announced_at_end(tail);
  if (!announced || announced->literal.synchronising) {
    state_ = State::refused;
  } else if (announced->too_large) {
    give_up();
  } else {
    skip_announced(announced->literal.size);
  }
}

FramedCommand Framer::take_command() {
  ENSURE(state_ == State::command, "a command is complete when it is taken");
  FramedCommand command = std::move(command_);
  forget_command();
  state_ = State::line;
  return command;
}

Refusal Framer::take_refusal() {
  ENSURE(state_ == State::refused && refusal_, "a command is refused when its refusal is taken");
  Refusal refusal = std::move(*refusal_);
  refusal_.reset();
  forget_command();
  state_ = State::line;
  return refusal;
}

void Framer::forget_command() {
  command_ = FramedCommand();
  text_bytes_ = 0;
  literal_bytes_ = 0;
  literal_left_ = 0;
  streamed_ = false;
  continuation_due_ = false;
  tag_.reset();
}

Result<std::optional<std::string>> Framer::next_line(std::size_t bytes_max) {
  ENSURE(state_ == State::line && command_.texts.empty() && !streamed_, "raw lines are read between commands");
  const std::string_view input = unread();
  const std::size_t line_end = input.find('\n', scanned_);
  const bool complete = line_end != std::string_view::npos;
  const std::size_t length = complete ? line_end : input.size();
  const bool too_long = skipping_raw_line_ || length > bytes_max + 1;  // 1: the CR
  if (!complete) {
    if (too_long) {
      skipping_raw_line_ = true;
      consume(length);
    } else {
      scanned_ = length;
    }
    release_if_empty();
    return std::optional<std::string>();
  }
  std::string line = too_long ? std::string() : std::string(input.substr(0, length));
  consume(length + 1);
  release_if_empty();
  drop_cr(line);
  skipping_raw_line_ = false;
  if (too_long || line.size() > bytes_max) return tl::unexpected<Error>(too_long_line());
  return std::optional<std::string>(std::move(line));
}

void Framer::consume(std::size_t octets) {
  input_used_ += octets;
  scanned_ = 0;
}

void Framer::release_if_empty() {
  if (buffered() > 0) return;
  std::string().swap(input_);
  input_used_ = 0;
  scanned_ = 0;
}

std::size_t Framer::memory_held() const {
  const auto held = [](const std::string& s) { return s.capacity() > std::string().capacity() ? s.capacity() + 1 : 0; };
  std::size_t bytes = held(input_) + held(tail_) + (tag_ ? held(*tag_) : 0);
  bytes += command_.texts.capacity() * sizeof(std::string) + command_.literals.capacity() * sizeof(Literal);
  for (const std::string& text : command_.texts) bytes += held(text);
  for (const Literal& literal : command_.literals) bytes += held(literal.bytes);
  return bytes;
}

}  // namespace postkeep::imap
