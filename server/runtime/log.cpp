#include "server/runtime/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <chrono>

#include "protocol/text/utf8.h"

namespace postkeep {

namespace {

// A value longer than this is cut: one event is one line that a person can read.
constexpr std::size_t value_octets_max = 2000;

// What could end a line, hide a part of it or turn it round (Unicode's line ends and direction marks).
bool is_dangerous(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

void append_escape(std::string& out, char32_t c, LogFormat format) {
  const auto value = static_cast<unsigned>(c);
  if (format == LogFormat::json || value > 0xFF) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", value);
  } else {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", value);
  }
}

// The inside of a quoted value: JSON's escapes, or \xNN where the text format has an octet to show.
void append_escaped(std::string& out, std::string_view value, LogFormat format) {
  const bool cut = value.size() > value_octets_max;
  value = value.substr(0, value_octets_max);
  while (!value.empty()) {
    const text::CodePoint point = text::first_code_point(value);
    const std::string_view bytes = value.substr(0, point.length);
    value.remove_prefix(point.length);
    if (point.state != text::CodePoint::State::ok) {
      if (format == LogFormat::json) {
        text::append_utf8(out, 0xFFFD);
      } else {
        for (const char byte : bytes) append_escape(out, static_cast<unsigned char>(byte), format);
      }
    } else if (point.value == '"' || point.value == '\\') {
      out += '\\';
      out += static_cast<char>(point.value);
    } else if (point.value == '\n') {
      out += "\\n";
    } else if (point.value == '\r') {
      out += "\\r";
    } else if (is_dangerous(point.value)) {
      append_escape(out, point.value, format);
    } else {
      out += bytes;
    }
  }
  if (cut) out += "...";
}

// Words that need no quotes in the text format.
bool is_plain_word(std::string_view value) {
  constexpr std::string_view marks = "-_.:/@+,[]";
  if (value.empty() || value.size() > value_octets_max) return false;
  for (const char c : value) {
    const bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alnum && marks.find(c) == std::string_view::npos) return false;
  }
  return true;
}

void append_value(std::string& out, std::string_view value, LogFormat format) {
  if (format == LogFormat::text && is_plain_word(value)) {
    out += value;
    return;
  }
  out += '"';
  append_escaped(out, value, format);
  out += '"';
}
void append_value(std::string& out, bool value, LogFormat) { out += value ? "true" : "false"; }
template <class Number>
void append_value(std::string& out, Number value, LogFormat) {
  fmt::format_to(std::back_inserter(out), "{}", value);
}

void append_key(std::string& out, std::string_view key, LogFormat format) {
  if (format == LogFormat::text) {
    if (!out.empty()) out += ' ';
    out += key;
    out += '=';
  } else {
    out += out.empty() ? "{\"" : ",\"";
    out += key;
    out += "\":";
  }
}

void append_field(std::string& out, const LogField& field, LogFormat format) {
  append_key(out, field.key, format);
  std::visit([&](auto value) { append_value(out, value, format); }, field.value);
}

// "2026-11-23T19:19:06.123Z"
std::string time_stamp(std::chrono::system_clock::time_point now) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  return fmt::format("{}.{:03}Z", std::string_view(text.data(), length), ms % 1000);
}

std::string make_line(LogFormat format, LogLevel level, std::string_view event, LogFields context, LogFields fields) {
  std::string line;
  line.reserve(160);
  const std::string time = time_stamp(std::chrono::system_clock::now());
  append_field(line, LogField("time", time), format);
  append_field(line, LogField("level", to_string(level)), format);
  append_field(line, LogField("event", event), format);
  for (const LogField& field : context) append_field(line, field, format);
  for (const LogField& field : fields) append_field(line, field, format);
  if (format == LogFormat::json) line += '}';
  return line;
}

Result<spdlog::sink_ptr> open_sink(const Settings::Log& settings) {
  try {
    spdlog::sink_ptr sink;
    if (settings.file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(settings.file);
    }
    sink->set_pattern("%v");
    return sink;
  } catch (const spdlog::spdlog_ex& error) {
    return failure(ErrorKind::unavailable, "The log file cannot be opened", error.what());
  }
}

}  // namespace

struct Log::Impl {
  // Its own mutex lets set_sinks() and logging go on at the same time.
  std::shared_ptr<spdlog::sinks::dist_sink_mt> sinks = std::make_shared<spdlog::sinks::dist_sink_mt>();
  std::atomic<LogLevel> level{LogLevel::info};
  std::atomic<LogFormat> format{LogFormat::text};
};

Log::Log() : impl_(std::make_unique<Impl>()) {}
Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::open(const Settings::Log& settings) {
  std::unique_ptr<Log> log(new Log());
  TRY(log->reopen(settings));
  return log;
}

Outcome Log::reopen(const Settings::Log& settings) {
  spdlog::sink_ptr sink = TRY(open_sink(settings));
  impl_->sinks->set_sinks({std::move(sink)});
  impl_->level = settings.level;
  impl_->format = settings.format;
  return {};
}

bool Log::wants(LogLevel level) const { return level <= impl_->level.load(std::memory_order_relaxed); }

LogLevel Log::level() const { return impl_->level; }

void Log::set_level(LogLevel level) { impl_->level = level; }

void Log::write(LogLevel level, std::string_view event, LogFields fields, LogFields context) {
  if (!wants(level)) return;
  const std::string line = make_line(impl_->format.load(std::memory_order_relaxed), level, event, context, fields);
  try {
    impl_->sinks->log(spdlog::details::log_msg(spdlog::string_view_t(), spdlog::level::info, line));
    impl_->sinks->flush();
  } catch (const spdlog::spdlog_ex&) {
    // A full disk: mail goes on, the line is lost.
  }
}

void Logger::write(LogLevel level, std::string_view event, LogFields fields) const {
  if (!wants(level)) return;
  const LogField session("session", session_), user("user", user_);
  if (session_.empty()) {
    log_->write(level, event, fields);
  } else if (user_.empty()) {
    log_->write(level, event, fields, {session});
  } else {
    log_->write(level, event, fields, {session, user});
  }
}

std::string next_session_id() {
  static std::atomic<std::uint64_t> last{0};
  return fmt::format("{:x}", ++last);
}

}  // namespace postkeep
