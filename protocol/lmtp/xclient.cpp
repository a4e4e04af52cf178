#include "protocol/lmtp/xclient.h"

#include <algorithm>
#include <utility>

#include "protocol/base/ascii.h"
#include "protocol/lmtp/parameters.h"

namespace postkeep::lmtp {
namespace {

constexpr std::size_t xclient_value_octets_max = 255;  // a host's name; addresses are shorter

tl::unexpected<Error> bad_xclient() {
  return failure(ErrorKind::bad_syntax, "The syntax is XCLIENT NAME=value, with attributes that LHLO names");
}

bool is_attribute(std::string_view name) {
  for (std::string_view rest = xclient_attributes; !rest.empty();) {
    const std::string_view each = rest.substr(0, rest.find(' '));
    if (ascii::iequals(each, name)) return true;
    rest.remove_prefix(std::min(rest.size(), each.size() + 1));
  }
  return false;
}

Result<IpAddress> client_address(std::string_view value) {
  constexpr std::string_view mark = "IPV6:";
  if (ascii::istarts_with(value, mark)) value.remove_prefix(mark.size());
  return IpAddress::parse(value);
}

Outcome read_attribute(std::string_view text, XClient& into) {
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  if (equals == std::string_view::npos || !is_attribute(name)) return bad_xclient();
  auto value = decode_xtext(text.substr(equals + 1));
  const auto fits = [](char c) { return c > ' ' && c <= '~'; };
  if (!value || value->size() > xclient_value_octets_max || !ascii::all(*value, fits)) return bad_xclient();
  if (ascii::iequals(*value, "[UNAVAILABLE]") || ascii::iequals(*value, "[TEMPUNAVAIL]")) return {};
  if (ascii::iequals(name, "ADDR")) {
    auto address = client_address(*value);
    if (!address) return bad_xclient();
    into.address = *address;
  } else if (ascii::iequals(name, "NAME")) {
    into.name = std::move(*value);
  } else if (ascii::iequals(name, "HELO")) {
    into.helo = std::move(*value);
  }
  return {};
}

}  // namespace

Result<XClient> parse_xclient(std::string_view arguments) {
  XClient client;
  bool any = false;
  while (!arguments.empty()) {
    const std::string_view word = arguments.substr(0, arguments.find_first_of(" \t"));
    arguments.remove_prefix(std::min(arguments.size(), word.size() + 1));
    if (word.empty()) continue;
    TRY(read_attribute(word, client));
    any = true;
  }
  if (!any) return bad_xclient();
  return client;
}

}  // namespace postkeep::lmtp
