#include "server/config/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "protocol/base/ascii.h"
#include "protocol/text/utf8.h"

namespace postkeep::config {

namespace {

struct Unit {
  char letter;
  std::uint64_t factor;
};
constexpr std::array size_units = {Unit{'G', 1024ULL * 1024 * 1024}, Unit{'M', 1024ULL * 1024}, Unit{'K', 1024ULL}};
constexpr std::array time_units = {Unit{'d', 86'400}, Unit{'h', 3'600}, Unit{'m', 60}, Unit{'s', 1}};

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// A number, or a text of a number and one of the units. nullopt: neither, or negative, or past 2^64.
std::optional<std::uint64_t> number_with_unit(const RawValue& value, std::span<const Unit> units) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    if (*number < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*number);
  }
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr || text->empty()) return std::nullopt;
  const auto unit = std::ranges::find(units, text->back(), &Unit::letter);
  if (unit == units.end()) return whole_number(*text);
  const auto number = whole_number(std::string_view(*text).substr(0, text->size() - 1));
  if (!number || *number > UINT64_MAX / unit->factor) return std::nullopt;
  return *number * unit->factor;
}

// The shortest way to write a number with a unit; zero and what no unit divides stay plain numbers.
RawValue shortest(std::uint64_t number, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (number != 0 && number % unit.factor == 0) return std::to_string(number / unit.factor) + unit.letter;
  }
  return static_cast<std::int64_t>(number);
}

std::string as_text(const RawValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return std::to_string(std::get<std::int64_t>(value));
}

tl::unexpected<Error> wanted(std::string text) { return failure(ErrorKind::cannot, "must be " + std::move(text)); }

Result<ListenAddress> read_address(std::string text) {
  constexpr std::string_view proxy_mark = " proxy";
  ListenAddress address;
  address.text = text;
  if (text.ends_with(proxy_mark)) {
    address.proxy = true;
    text.resize(text.size() - proxy_mark.size());
  }
  if (text.starts_with("unix:")) {
    constexpr std::size_t path_octets_max = 107;  // sockaddr_un
    address.kind = ListenAddress::Kind::unix_socket;
    address.path = text.substr(5);
    if (address.path.empty() || address.path.size() > path_octets_max) {
      return wanted("\"unix:path\" with a path of at most " + std::to_string(path_octets_max) + " octets");
    }
    return address;
  }
  const std::size_t colon = text.rfind(':');
  const auto port =
      whole_number(colon == std::string::npos ? std::string_view() : std::string_view(text).substr(colon + 1));
  std::string host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!port || *port > 65535 || host.empty() || (!bracketed && host.find(':') != std::string::npos)) {
    return wanted("\"host:port\", \"[v6]:port\", \"*:port\" or \"unix:path\", not \"" + address.text + "\"");
  }
  address.host = host == "*" ? "" : host;
  address.port = static_cast<std::uint16_t>(*port);
  return address;
}

// The roles a mailbox can be given (RFC 6154 §2): those that are real mailboxes here.
constexpr std::array roles = {
    std::pair{std::string_view("drafts"), SpecialUse::drafts},
    std::pair{std::string_view("sent"), SpecialUse::sent},
    std::pair{std::string_view("junk"), SpecialUse::junk},
    std::pair{std::string_view("trash"), SpecialUse::trash},
    std::pair{std::string_view("archive"), SpecialUse::archive},
};

Result<SpecialUseMailbox> read_special_use(const std::string& text) {
  const std::size_t equals = text.rfind('=');
  if (equals != std::string::npos) {
    const auto role = std::ranges::find_if(
        roles, [&](const auto& r) { return ascii::iequals(r.first, std::string_view(text).substr(equals + 1)); });
    const Result<MailboxName> name = MailboxName::from_utf8(text.substr(0, equals));
    if (role != roles.end() && name && !name->is_inbox()) return SpecialUseMailbox{name->utf8(), role->second};
  }
  return wanted("a list of \"Name=role\", the role one of drafts, sent, junk, trash, archive; not \"" + text + "\"");
}

}  // namespace

Result<std::string> read_text(const RawValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr || text->find('\0') != std::string::npos) return wanted("a text in quotes");
  return *text;
}

Result<std::vector<std::string>> read_text_list(const RawValue& value) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return *list;
  if (const auto* text = std::get_if<std::string>(&value)) return std::vector{*text};
  return wanted("a list of texts, [\"...\", \"...\"]");
}

Result<bool> read_boolean(const RawValue& value) {
  if (const auto* yes = std::get_if<bool>(&value)) return *yes;
  return wanted("true or false");
}

Result<std::uint64_t> read_count(const RawValue& value, std::uint64_t min, std::uint64_t max) {
  const auto* number = std::get_if<std::int64_t>(&value);
  if (number == nullptr || *number < 0 || static_cast<std::uint64_t>(*number) < min ||
      static_cast<std::uint64_t>(*number) > max) {
    return wanted("a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return static_cast<std::uint64_t>(*number);
}

Result<std::uint64_t> read_size(const RawValue& value, std::uint64_t min, std::uint64_t max) {
  const auto octets = number_with_unit(value, size_units);
  if (!octets || *octets < min || *octets > max) {
    return wanted("a size from " + as_text(write_size(min)) + " to " + as_text(write_size(max)) +
                  ", in octets or with K, M or G");
  }
  return *octets;
}

Result<std::chrono::seconds> read_duration(const RawValue& value, std::chrono::seconds min, std::chrono::seconds max) {
  const auto seconds = number_with_unit(value, time_units);
  if (!seconds || *seconds < static_cast<std::uint64_t>(min.count()) ||
      *seconds > static_cast<std::uint64_t>(max.count())) {
    return wanted("a time from " + as_text(write_duration(min)) + " to " + as_text(write_duration(max)) +
                  ", in seconds or with s, m, h or d");
  }
  return std::chrono::seconds(*seconds);
}

Result<std::vector<ListenAddress>> read_addresses(const RawValue& value) {
  std::vector<ListenAddress> addresses;
  for (const std::string& text : TRY(read_text_list(value))) addresses.push_back(TRY(read_address(text)));
  return addresses;
}

Result<std::vector<SpecialUseMailbox>> read_special_uses(const RawValue& value) {
  std::vector<SpecialUseMailbox> mailboxes;
  for (const std::string& text : TRY(read_text_list(value))) {
    SpecialUseMailbox mailbox = TRY(read_special_use(text));
    for (const SpecialUseMailbox& other : mailboxes) {
      if (other.use == mailbox.use || other.name == mailbox.name) return wanted("a list in which nothing is twice");
    }
    mailboxes.push_back(std::move(mailbox));
  }
  return mailboxes;
}

Result<std::vector<HiddenCapability>> read_hidden_capabilities(const RawValue& value) {
  constexpr std::string_view user = "user=", client = "client=";
  std::vector<HiddenCapability> all;
  for (const std::string& text : TRY(read_text_list(value))) {
    const std::size_t space = std::min(text.find(' '), text.size());
    HiddenCapability hidden;
    hidden.token = ascii::to_upper(text.substr(0, space));
    const std::string whose = space == text.size() ? "" : text.substr(space + 1);
    if (whose.starts_with(user)) hidden.user = whose.substr(user.size());
    if (whose.starts_with(client)) hidden.client = whose.substr(client.size());
    const bool fit = hidden.user.empty() && hidden.client.empty() ? space == text.size() : true;
    if (hidden.token.empty() || !fit) return wanted("\"TOKEN\", \"TOKEN user=NAME\" or \"TOKEN client=NAME\"");
    all.push_back(std::move(hidden));
  }
  return all;
}

Result<std::vector<IpNetwork>> read_networks(const RawValue& value) {
  std::vector<IpNetwork> networks;
  for (const std::string& text : TRY(read_text_list(value))) {
    const Result<IpNetwork> network = IpNetwork::parse(text);
    if (!network)
      return wanted("a list of networks, \"192.0.2.0/24\" or so; \"" + text + "\": " + network.error().text);
    networks.push_back(*network);
  }
  return networks;
}

Result<std::vector<unsigned>> read_percents(const RawValue& value) {
  std::vector<unsigned> percents;
  for (const std::string& text : TRY(read_text_list(value))) {
    const bool has_sign = text.ends_with('%');
    const auto number = whole_number(std::string_view(text).substr(0, text.size() - (has_sign ? 1 : 0)));
    if (!has_sign || !number || *number == 0 || *number > 100) {
      return wanted("a list of \"N%\", N from 1 to 100, not \"" + text + "\"");
    }
    percents.push_back(static_cast<unsigned>(*number));
  }
  std::ranges::sort(percents);
  percents.erase(std::unique(percents.begin(), percents.end()), percents.end());
  return percents;
}

Result<std::string> read_domain(const RawValue& value) {
  const std::string domain = ascii::to_lower(TRY(read_text(value)));
  const bool fit = ascii::all(
      domain, [](char c) { return ascii::is_alnum(c) || c == '-' || c == '.' || c == '_' || ascii::is_eight_bit(c); });
  if (!fit || domain.size() > 253 || domain.front() == '.' || !text::is_valid_utf8(domain)) {
    return wanted("a domain name, not \"" + domain + "\"");
  }
  return domain;
}

RawValue write_networks(const std::vector<IpNetwork>& networks) {
  std::vector<std::string> texts;
  for (const IpNetwork& network : networks) texts.push_back(network.to_string());
  return texts;
}

RawValue write_size(std::uint64_t octets) { return shortest(octets, size_units); }

RawValue write_duration(std::chrono::seconds duration) {
  return shortest(static_cast<std::uint64_t>(duration.count()), time_units);
}

RawValue write_hidden_capabilities(const std::vector<HiddenCapability>& all) {
  std::vector<std::string> texts;
  for (const HiddenCapability& hidden : all) {
    std::string text = hidden.token;
    if (!hidden.user.empty()) text += " user=" + hidden.user;
    if (!hidden.client.empty()) text += " client=" + hidden.client;
    texts.push_back(std::move(text));
  }
  return texts;
}

RawValue write_addresses(const std::vector<ListenAddress>& addresses) {
  std::vector<std::string> texts;
  for (const ListenAddress& address : addresses) texts.push_back(address.text);
  return texts;
}

RawValue write_percents(const std::vector<unsigned>& percents) {
  std::vector<std::string> texts;
  for (const unsigned percent : percents) texts.push_back(std::to_string(percent) + '%');
  return texts;
}

RawValue write_special_uses(const std::vector<SpecialUseMailbox>& mailboxes) {
  std::vector<std::string> texts;
  for (const SpecialUseMailbox& mailbox : mailboxes) {
    const auto role = std::ranges::find(roles, mailbox.use, [](const auto& r) { return r.second; });
    texts.push_back(mailbox.name + "=" + std::string(role->first));
  }
  return texts;
}

}  // namespace postkeep::config
