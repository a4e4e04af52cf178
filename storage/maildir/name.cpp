#include "storage/maildir/name.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <random>
#include <utility>

namespace postkeep::storage::maildir {
namespace {

constexpr std::size_t host_octets_max = 64;

struct SystemLetter {
  char letter;
  SystemFlag flag;
};
constexpr SystemLetter system_letters[] = {
    {'D', SystemFlag::draft}, {'F', SystemFlag::flagged}, {'R', SystemFlag::answered},
    {'S', SystemFlag::seen},  {'T', SystemFlag::deleted},
};

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

// All of `text` as a number, or nothing.
template <class Number>
std::optional<Number> number_of(std::string_view text, int base) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::string to_hex(std::uint32_t value) {
  char buffer[8];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value, 16);
  return {buffer, end};
}

// Position and length of the field `<letter>=...` in ",A=1,B=2", its comma included; {npos, 0} if not there.
std::pair<std::size_t, std::size_t> find_field(std::string_view fields, char letter) {
  std::size_t at = 0;
  while (at < fields.size()) {
    const std::size_t end = std::min(fields.find(',', at + 1), fields.size());
    if (end - at > 3 && fields[at + 1] == letter && fields[at + 2] == '=') return {at, end - at};
    at = end;
  }
  return {std::string_view::npos, 0};
}

std::optional<std::string_view> field_value(std::string_view fields, char letter) {
  const auto [at, length] = find_field(fields, letter);
  if (at == std::string_view::npos) return std::nullopt;
  return fields.substr(at + 3, length - 3);
}

std::string tag_field(UidTag tag) { return ",P=" + to_hex(tag.uid_validity.value()) + "-" + to_hex(tag.uid.value()); }

}  // namespace

NameFlags NameFlags::from_letters(std::string_view letters) {
  NameFlags flags;
  for (const char c : letters) {
    const auto* known = std::find_if(std::begin(system_letters), std::end(system_letters),
                                     [c](const SystemLetter& row) { return row.letter == c; });
    if (known != std::end(system_letters)) {
      flags.system_bits = static_cast<std::uint8_t>(flags.system_bits | static_cast<std::uint8_t>(known->flag));
    } else if (c == 'P') {
      flags.forwarded = true;
    } else if (is_lower(c)) {
      flags.keyword_bits |= std::uint32_t{1} << (c - 'a');
    } else if (is_capital(c) && flags.unknown.find(c) == std::string::npos) {
      flags.unknown += c;
    }
  }
  std::sort(flags.unknown.begin(), flags.unknown.end());
  return flags;
}

std::string NameFlags::letters() const {
  std::string out = unknown;
  for (const SystemLetter& row : system_letters) {
    if ((system_bits & static_cast<std::uint8_t>(row.flag)) != 0) out += row.letter;
  }
  if (forwarded) out += 'P';
  for (int i = 0; i < keyword_letters_max; ++i) {
    if ((keyword_bits >> i & 1) != 0) out += static_cast<char>('a' + i);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::optional<FileName> FileName::parse(std::string_view name) {
  if (!is_message(name)) return std::nullopt;
  FileName parsed;
  const std::size_t colon = name.rfind(':');
  const std::string_view before = name.substr(0, colon);
  const std::size_t comma = before.find(',');
  parsed.base = before.substr(0, comma);
  if (comma != std::string_view::npos) parsed.fields = before.substr(comma);
  if (colon == std::string_view::npos) return parsed;

  const std::string_view info = name.substr(colon + 1);
  if (!info.starts_with("2,")) {
    // Another version of the info part, or a colon that just happens to be in the name.
    parsed.info_rest = name.substr(colon);
    return parsed;
  }
  parsed.has_info = true;
  const std::string_view letters = info.substr(2);
  const auto letter = [](char c) { return is_capital(c) || is_lower(c); };
  const auto rest = std::find_if_not(letters.begin(), letters.end(), letter);
  const auto count = static_cast<std::size_t>(rest - letters.begin());
  parsed.flags = NameFlags::from_letters(letters.substr(0, count));
  parsed.info_rest = letters.substr(count);
  return parsed;
}

FileName FileName::make(std::string base, std::uint64_t octets, UidTag tag, NameFlags flags) {
  FileName name;
  name.base = std::move(base);
  name.fields = ",S=" + std::to_string(octets) + tag_field(tag);
  name.has_info = true;
  name.flags = std::move(flags);
  return name;
}

std::string FileName::to_string() const {
  std::string out = base + fields;
  if (has_info) out.append(":2,").append(flags.letters());
  return out + info_rest;
}

std::optional<UnixTime> FileName::time() const {
  const auto seconds = number_of<std::int64_t>(std::string_view(base).substr(0, base.find('.')), 10);
  if (!seconds || *seconds < 0) return std::nullopt;
  return UnixTime{*seconds};
}

std::optional<std::uint64_t> FileName::size() const {
  const auto value = field_value(fields, 'S');
  return value ? number_of<std::uint64_t>(*value, 10) : std::nullopt;
}

std::optional<UidTag> FileName::tag() const {
  const auto value = field_value(fields, 'P');
  if (!value) return std::nullopt;
  const std::size_t dash = value->find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto uid_validity = number_of<std::uint32_t>(value->substr(0, dash), 16);
  const auto uid = number_of<std::uint32_t>(value->substr(dash + 1), 16);
  if (!uid_validity || !uid || *uid_validity == 0 || *uid == 0) return std::nullopt;
  return UidTag{UidValidity(*uid_validity), Uid(*uid)};
}

void FileName::set_tag(UidTag tag) {
  const auto [at, length] = find_field(fields, 'P');
  if (at == std::string_view::npos) {
    fields += tag_field(tag);
  } else {
    fields.replace(at, length, tag_field(tag));
  }
}

std::string with_flags(std::string_view name, const NameFlags& flags) {
  std::optional<FileName> parsed = FileName::parse(name);
  if (!parsed) return std::string(name);
  if (!parsed->has_info && !parsed->info_rest.empty()) return std::string(name);  // flags have no place there
  parsed->has_info = true;
  parsed->flags = flags;
  return parsed->to_string();
}

NameMaker::NameMaker(std::string_view host) {
  std::random_device random;
  fixed_ = "P" + std::to_string(::getpid()) + "V" + to_hex(random()) + "Q";
  for (const char c : host.substr(0, host_octets_max)) {
    const bool plain = c > ' ' && c < 0x7f && c != '/' && c != ':' && c != ',';
    host_ += plain ? c : '_';
  }
  if (host_.empty()) host_ = "localhost";
}

std::string NameMaker::make_base(std::chrono::sys_time<std::chrono::microseconds> now) {
  // Of the process and not of this object, so that two makers of one process never agree.
  static std::atomic<std::uint64_t> counter{0};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const auto microseconds = (now - seconds).count();
  return std::to_string(std::max<std::int64_t>(0, seconds.time_since_epoch().count())) + ".M" +
         std::to_string(microseconds) + fixed_ + std::to_string(++counter) + "." + host_;
}

}  // namespace postkeep::storage::maildir
