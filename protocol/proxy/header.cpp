#include "protocol/proxy/header.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace postkeep::proxy {

namespace {

using MaybeHeader = Result<std::optional<ParsedHeader>>;

constexpr std::string_view text_begin = "PROXY ";
constexpr std::string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t binary_fixed_octets = 16;  // signature, version and command, family, length
constexpr unsigned char tlv_crc32c = 0x03;

tl::unexpected<Error> bad(const char* what) {
  return failure(ErrorKind::bad_syntax, std::string("PROXY header: ") + what);
}

unsigned octet(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }
unsigned two_octets(std::string_view bytes, std::size_t at) { return octet(bytes, at) << 8 | octet(bytes, at + 1); }
std::uint32_t four_octets(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint32_t>(two_octets(bytes, at)) << 16 | two_octets(bytes, at + 2);
}

// §2.1: decimal, without leading zeros.
std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return port;
}

// What stands before the next space, or all that is left.
std::string_view take_word(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(line.size(), word.size() + 1));
  return word;
}

MaybeHeader parse_line(std::string_view line, std::size_t size) {
  ParsedHeader parsed;
  parsed.size = size;
  line.remove_prefix(text_begin.size());
  const std::size_t spaces = static_cast<std::size_t>(std::count(line.begin(), line.end(), ' '));
  const std::string_view family = take_word(line);
  if (family == "UNKNOWN") return parsed;
  const bool v6 = family == "TCP6";
  if (!v6 && family != "TCP4") return bad("TCP4, TCP6 or UNKNOWN is wanted");
  const std::string_view from = take_word(line), to = take_word(line);
  const auto source = IpAddress::parse(from), destination = IpAddress::parse(to);
  const auto source_port = port_of(take_word(line)), destination_port = port_of(take_word(line));
  const bool of_family =
      (from.find(':') != std::string_view::npos) == v6 && (to.find(':') != std::string_view::npos) == v6;
  if (spaces != 4 || !source || !destination || !source_port || !destination_port || !of_family) {
    return bad("two addresses and two ports are wanted");
  }
  parsed.header.source = Endpoint{*source, *source_port};
  parsed.header.destination = Endpoint{*destination, *destination_port};
  return parsed;
}

MaybeHeader parse_text(std::string_view bytes) {
  const std::string_view beginning = bytes.substr(0, text_header_octets_max);
  const std::size_t end = beginning.find('\n');
  if (end == std::string_view::npos) {
    if (bytes.size() >= text_header_octets_max) return bad("the line is too long");
    return std::optional<ParsedHeader>();
  }
  if (end == 0 || bytes[end - 1] != '\r') return bad("the line ends with CRLF");
  const std::string_view line = bytes.substr(0, end - 1);
  if (line.find('\r') != std::string_view::npos || line.size() < text_begin.size()) return bad("a CR within the line");
  return parse_line(line, end + 1);
}

// RFC 3720 §12.1 (CRC32C), bit by bit: a header has some hundred octets.
std::uint32_t crc32c(std::string_view bytes, std::size_t zeros_at) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool zero = i >= zeros_at && i < zeros_at + 4;
    crc ^= zero ? 0 : octet(bytes, i);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78 : 0);
  }
  return ~crc;
}

// `header` is whole; additions begin at `at`.
Outcome check_additions(std::string_view header, std::size_t at) {
  while (at < header.size()) {
    if (header.size() - at < 3 || header.size() - at - 3 < two_octets(header, at + 1))
      return bad("an addition is cut off");
    const unsigned type = octet(header, at), length = two_octets(header, at + 1);
    at += 3;
    if (type == tlv_crc32c) {
      if (length != 4) return bad("a checksum has 4 octets");
      if (crc32c(header, at) != four_octets(header, at)) return bad("the checksum is wrong");
    }
    at += length;
  }
  return {};
}

template <class Octets>
Endpoint endpoint(std::string_view header, std::size_t address_at, std::size_t port_at) {
  Octets octets;
  for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<unsigned char>(octet(header, address_at + i));
  return Endpoint{IpAddress(octets), static_cast<std::uint16_t>(two_octets(header, port_at))};
}

MaybeHeader parse_binary(std::string_view bytes) {
  if (bytes.size() > 12 && octet(bytes, 12) >> 4 != 2) return bad("its version is unknown");
  if (bytes.size() < binary_fixed_octets) return std::optional<ParsedHeader>();
  const unsigned command = octet(bytes, 12) & 15, family = octet(bytes, 13) >> 4, transport = octet(bytes, 13) & 15;
  const std::size_t size = binary_fixed_octets + two_octets(bytes, 14);
  if (command > 1) return bad("its command is unknown");
  if (family > 3 || transport > 2) return bad("its family is unknown");
  if (size > binary_header_octets_max) return bad("it is too long");
  constexpr std::array<std::size_t, 4> addresses_octets = {0, 12, 36, 216};
  const std::size_t additions_at = binary_fixed_octets + addresses_octets[family];
  if (additions_at > size) return bad("the addresses are cut off");
  if (bytes.size() < size) return std::optional<ParsedHeader>();
  const std::string_view header = bytes.substr(0, size);
  TRY(check_additions(header, additions_at));
  ParsedHeader parsed;
  parsed.size = size;
  parsed.header.local = command == 0;
  if (parsed.header.local) return parsed;
  if (transport == 2) return bad("datagrams do not come by a stream");
  if (family == 1) {
    parsed.header.source = endpoint<IpAddress::V4>(header, 16, 24);
    parsed.header.destination = endpoint<IpAddress::V4>(header, 20, 26);
  } else if (family == 2) {
    parsed.header.source = endpoint<IpAddress::V6>(header, 16, 48);
    parsed.header.destination = endpoint<IpAddress::V6>(header, 32, 50);
  }
  return parsed;
}

}  // namespace

Result<std::optional<ParsedHeader>> parse_header(std::string_view bytes) {
  const auto may_be = [bytes](std::string_view beginning) {
    return beginning.starts_with(bytes.substr(0, beginning.size()));
  };
  if (bytes.empty()) return std::optional<ParsedHeader>();
  if (may_be(text_begin)) return parse_text(bytes);
  if (may_be(signature)) return parse_binary(bytes);
  return bad("there is none");
}

}  // namespace postkeep::proxy
