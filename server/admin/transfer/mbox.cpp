#include "server/admin/transfer/mbox.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>
#include <vector>

#include "protocol/base/ascii.h"

namespace postkeep::admin {

namespace {

constexpr std::size_t mbox_block_octets = 256 * 1024;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t line_decision_octets_max = 4096;  // what is longer is neither a "From " line nor a flag's field

tl::unexpected<Error> cannot_read(const std::string& what) {
  return failure(ErrorKind::unavailable, "The mbox file cannot be read", what + ": " + std::strerror(errno));
}

bool is_digits(std::string_view text, std::size_t least, std::size_t most) {
  return text.size() >= least && text.size() <= most &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_time(std::string_view text) {  // hh:mm or hh:mm:ss
  const bool length = text.size() == 5 || text.size() == 8;
  return length && is_digits(text.substr(0, 2), 2, 2) && text[2] == ':' && is_digits(text.substr(3, 2), 2, 2) &&
         (text.size() == 5 || (text[5] == ':' && is_digits(text.substr(6), 2, 2)));
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t begin = line.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) break;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(" \t\r\n"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

bool is_state_field(std::string_view line) {
  for (const std::string_view name : {"Status:", "X-Status:", "X-Keywords:"}) {
    if (ascii::istarts_with(line, name)) return true;
  }
  return false;
}

void add_state(std::string_view line, Flags& flags) {
  const std::size_t colon = line.find(':');
  const std::string_view value = line.substr(colon + 1);
  if (line.front() == 'X' || line.front() == 'x') {
    if (colon == std::string_view("X-Keywords").size()) {
      for (const std::string_view word : words_of(value)) (void)flags.add_from_wire(word);  // what is none is left out
      return;
    }
    if (value.find('A') != std::string_view::npos) flags.set(SystemFlag::answered);
    if (value.find('F') != std::string_view::npos) flags.set(SystemFlag::flagged);
    if (value.find('D') != std::string_view::npos) flags.set(SystemFlag::deleted);
    if (value.find('T') != std::string_view::npos) flags.set(SystemFlag::draft);
  } else if (value.find('R') != std::string_view::npos) {
    flags.set(SystemFlag::seen);
  }
}

// ">From ", ">>From " and so on: not the line "From " itself, which begins a message or is content as it is.
bool is_quoted_from(std::string_view line) {
  const std::size_t marks = std::min(line.find_first_not_of('>'), line.size());
  return marks > 0 && line.substr(marks).starts_with("From ");
}

}  // namespace

std::optional<FromLine> parse_from_line(std::string_view line) {
  if (!line.starts_with("From ") || line.size() > line_decision_octets_max) return std::nullopt;
  const std::vector<std::string_view> words = words_of(line);
  const auto time = std::find_if(words.begin(), words.end(), is_time);
  FromLine from;
  // Netscape wrote "From - ", some exports "From 1234@xxx" or nothing, without a date.
  const bool bare =
      words.size() == 1 || (words.size() == 2 && (words[1] == "-" || words[1].find('@') != std::string_view::npos));
  if (bare) return from;
  if (time == words.end() || time - words.begin() < 3) return std::nullopt;
  // "Nov 26 17:33:22 2026", with a zone before or after the year, which hardly anybody writes as it is.
  const auto year = std::find_if(time, words.end(), [](std::string_view word) { return is_digits(word, 4, 4); });
  if (year == words.end() || !is_digits(time[-1], 1, 2)) return from;
  const std::string date = std::string(time[-1]) + " " + std::string(time[-2]) + " " + std::string(*year) + " " +
                           std::string(*time) + " +0000";
  if (const auto parsed = parse_rfc5322_date(date)) from.date = parsed->time;
  return from;
}

// A line, or a piece of one that is longer than the buffer: with its end, if that is in it.
struct MboxReader::Piece {
  std::string_view text;
  std::uint64_t offset = 0;
  bool begins = false;  // a line
};

Result<MboxReader> MboxReader::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT) return failure(ErrorKind::not_found, "There is no such file", path);
  if (descriptor < 0) return cannot_read(path);
  struct stat info {};
  fstat(descriptor, &info);
  MboxReader reader(descriptor, static_cast<std::uint64_t>(info.st_size));
  if (!S_ISREG(info.st_mode)) return failure(ErrorKind::cannot, "That is no mbox file but something else", path);
  Piece first;
  const bool any = TRY(reader.next_piece(first));
  if (any && first.text.starts_with(byte_order_mark)) {
    reader.next_message_ = byte_order_mark.size();
    first.text.remove_prefix(byte_order_mark.size());
  }
  if (any && !parse_from_line(first.text)) {
    return failure(ErrorKind::cannot, "That is no mbox file: it does not begin with a line \"From ...\"", path);
  }
  return reader;
}

MboxReader::MboxReader(MboxReader&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_),
      next_message_(other.next_message_),
      buffer_(std::move(other.buffer_)),
      buffer_offset_(other.buffer_offset_),
      taken_(other.taken_),
      line_begins_(other.line_begins_) {}

MboxReader::~MboxReader() {
  if (descriptor_ >= 0) close(descriptor_);
}

void MboxReader::seek(std::uint64_t offset) {
  buffer_.clear();
  buffer_offset_ = offset;
  taken_ = 0;
  line_begins_ = true;
}

// False at the end of the file.
Result<bool> MboxReader::next_piece(Piece& piece) {
  std::size_t end = buffer_.find('\n', taken_);
  while (end == std::string::npos && buffer_.size() - taken_ < mbox_block_octets) {
    buffer_.erase(0, taken_);
    buffer_offset_ += std::exchange(taken_, 0);
    const std::size_t before = buffer_.size();
    buffer_.resize(before + mbox_block_octets);
    const ssize_t got =
        pread(descriptor_, buffer_.data() + before, mbox_block_octets, static_cast<off_t>(buffer_offset_ + before));
    buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0) return cannot_read("at " + std::to_string(buffer_offset_ + before));
    if (got == 0) break;
    end = buffer_.find('\n', before);
  }
  const std::size_t size = end == std::string::npos ? buffer_.size() - taken_ : end + 1 - taken_;
  if (size == 0) return false;
  piece.text = std::string_view(buffer_).substr(taken_, size);
  piece.offset = buffer_offset_ + taken_;
  piece.begins = std::exchange(line_begins_, end != std::string::npos);
  taken_ += size;
  return true;
}

// From message.begin; sets its end and flags.
Outcome MboxReader::read_message(MboxMessage& message, const OctetSink& sink) {
  seek(message.begin);
  std::string held;  // an empty line: before a "From " line and at the end of the file it is the format's
  bool in_header = true, in_state_field = false;
  message.end = size_;
  Piece piece;
  while (TRY(next_piece(piece))) {
    const bool empty = piece.begins && (piece.text == "\n" || piece.text == "\r\n");
    const bool first_line = piece.offset == message.begin;
    if (piece.begins && (!held.empty() || first_line) && parse_from_line(piece.text)) {
      message.end = piece.offset;
      break;
    }
    const bool folded = piece.text.front() == ' ' || piece.text.front() == '\t';
    if (piece.begins && !folded) in_state_field = false;
    if (in_header && piece.begins && is_state_field(piece.text)) {
      in_state_field = true;
      add_state(piece.text.substr(0, line_decision_octets_max), message.flags);
    }
    if (in_state_field) continue;
    if (empty) in_header = false;
    if (!held.empty()) TRY(sink(held));
    held.clear();
    if (empty) {
      held = piece.text;
    } else {
      TRY(sink(piece.begins && is_quoted_from(piece.text) ? piece.text.substr(1) : piece.text));
    }
  }
  return {};
}

Result<std::optional<MboxMessage>> MboxReader::next(const OctetSink& sink) {
  seek(next_message_);
  Piece piece;
  if (!TRY(next_piece(piece))) return std::optional<MboxMessage>();
  const std::optional<FromLine> from = parse_from_line(piece.text);
  MboxMessage message;
  if (from) message.date = from->date;
  message.begin = piece.offset + piece.text.size();
  TRY(read_message(message, sink));
  next_message_ = message.end;
  return std::optional<MboxMessage>(std::move(message));
}

Outcome MboxReader::read(const MboxMessage& message, const OctetSink& sink) {
  MboxMessage again;
  again.begin = message.begin;
  return read_message(again, sink);
}

Outcome MboxWriter::begin(std::string_view sender, UnixTime date, const Flags& flags) {
  const std::time_t seconds = date.seconds;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "%a %b %e %H:%M:%S %Y", &utc);  // the C locale's names: none other is set
  out_ = "From " + std::string(sender.empty() ? "MAILER-DAEMON" : sender) + " " + text.data() + "\n";
  out_ += flags.has(SystemFlag::seen) ? "Status: RO\n" : "Status: O\n";
  std::string letters;
  if (flags.has(SystemFlag::answered)) letters += 'A';
  if (flags.has(SystemFlag::flagged)) letters += 'F';
  if (flags.has(SystemFlag::draft)) letters += 'T';
  if (flags.has(SystemFlag::deleted)) letters += 'D';
  if (!letters.empty()) out_ += "X-Status: " + letters + "\n";
  if (!flags.keywords().empty()) {
    out_ += "X-Keywords:";
    for (const std::string& keyword : flags.keywords()) out_ += " " + keyword;
    out_ += "\n";
  }
  line_start_.clear();
  deciding_ = true;
  after_cr_ = in_line_ = false;
  return {};
}

// `part` is of one line, its LF included if that is reached.
Outcome MboxWriter::line_part(std::string_view part) {
  const bool ends = part.ends_with('\n');
  if (deciding_) {
    line_start_ += part;
    const std::size_t marks = std::min(line_start_.find_first_not_of('>'), line_start_.size());
    const std::string_view rest = std::string_view(line_start_).substr(marks);
    const bool undecided = !ends && rest.size() < 5 && std::string_view("From ").starts_with(rest);
    if (undecided && line_start_.size() < line_decision_octets_max) return {};
    if (rest.starts_with("From ")) out_ += '>';
    out_ += line_start_;
    line_start_.clear();
    deciding_ = false;
  } else {
    out_ += part;
  }
  in_line_ = !ends;
  deciding_ = ends;
  return out_.size() < mbox_block_octets ? Outcome() : flush();
}

Outcome MboxWriter::flush() {
  const Outcome given = sink_(out_);
  out_.clear();
  return given;
}

Outcome MboxWriter::write(std::string_view octets) {
  std::string text;  // without the CR of each CRLF
  text.reserve(octets.size() + 1);
  for (const char c : octets) {
    if (after_cr_ && c != '\n') text += '\r';
    after_cr_ = c == '\r';
    if (!after_cr_) text += c;
  }
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    TRY(line_part(rest.substr(0, end)));
    rest.remove_prefix(end);
  }
  return {};
}

Outcome MboxWriter::end() {
  if (std::exchange(after_cr_, false)) TRY(line_part("\r"));
  if (in_line_ || !line_start_.empty()) TRY(line_part("\n"));
  out_ += '\n';
  return flush();
}

}  // namespace postkeep::admin
