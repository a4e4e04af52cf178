#include "server/config/config_file.h"

#include <arpa/inet.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <set>

#include "protocol/base/ascii.h"
#include "protocol/text/similar.h"
#include "server/config/settings_table.h"
#include "server/config/values.h"

namespace postkeep::config {

namespace {

unsigned line_of(const toml::node& node) { return node.source().begin.line; }

// A TOML value free of the library; nullopt for what no setting takes (dates, floats, tables, mixed lists).
std::optional<RawValue> raw_value(const toml::node& node) {
  if (const auto* text = node.as_string()) return RawValue(text->get());
  if (const auto* number = node.as_integer()) return RawValue(number->get());
  if (const auto* yes = node.as_boolean()) return RawValue(yes->get());
  const toml::array* list = node.as_array();
  if (list == nullptr) return std::nullopt;
  std::vector<std::string> texts;
  for (const toml::node& item : *list) {
    if (!item.is_string()) return std::nullopt;
    texts.push_back(item.as_string()->get());
  }
  return RawValue(std::move(texts));
}

std::string unknown_key(const std::string& path) {
  constexpr std::size_t near = 3, key_octets_max = 100;
  const Setting* best = nullptr;
  std::size_t best_distance = near + 1;
  for (const Setting& setting : settings_table()) {
    if (path.size() > key_octets_max) break;
    // The right key in the wrong section is near, too.
    const bool same_key = path.substr(path.rfind('.') + 1) == setting.key;
    const std::size_t d = same_key ? 1 : text::edit_distance(path, setting.path());
    if (d < best_distance) {
      best = &setting;
      best_distance = d;
    }
  }
  return path + ": there is no such key" + (best == nullptr ? "" : "; did you mean " + best->path() + "?");
}

bool is_section(std::string_view path) {
  return std::ranges::any_of(settings_table(), [&](const Setting& setting) { return setting.section == path; });
}

// One table of the file into the settings, its subtables after it.
void read_table(const toml::table& table, const std::string& prefix, Settings& settings, Problems& problems) {
  for (const auto& [key, node] : table) {
    const std::string path = prefix + std::string(key.str());
    const unsigned line = key.source().begin.line != 0 ? key.source().begin.line : line_of(node);
    const Setting* setting = find_setting(path);
    if (setting != nullptr) {
      const std::optional<RawValue> value = raw_value(node);
      const Outcome set = value ? setting->set(settings, *value)
                                : failure(ErrorKind::cannot, "must be a " + std::string(to_string(setting->type)));
      if (!set) problems.push_back({line, path + ": " + set.error().text});
    } else if (node.is_table() && prefix.empty() && is_section(path)) {
      read_table(*node.as_table(), path + ".", settings, problems);
    } else if (is_section(path)) {
      problems.push_back({line, path + ": is a section, [" + path + "]"});
    } else {
      problems.push_back({line, unknown_key(path)});
    }
  }
}

bool is_local(const ListenAddress& address) {
  if (address.kind == ListenAddress::Kind::unix_socket || address.host == "localhost") return true;
  std::array<unsigned char, 16> octets{};
  if (inet_pton(AF_INET, address.host.c_str(), octets.data()) == 1) return octets[0] == 127;
  constexpr std::array<unsigned char, 16> loopback = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return inet_pton(AF_INET6, address.host.c_str(), octets.data()) == 1 && octets == loopback;
}

// What no single key can say.
void check_whole(const Settings& settings, const toml::table& table, Problems& problems) {
  const auto problem = [&](std::string_view section_name, const std::string& text) {
    const toml::node* section = table.get(section_name);
    problems.push_back({section == nullptr ? 0 : line_of(*section), std::string(section_name) + text});
  };
  if (settings.tls.certificate.empty() != settings.tls.private_key.empty()) {
    problem("tls", ": certificate and private_key are set both or neither");
  }
  if (settings.service.user.empty() && !settings.service.group.empty()) problem("service", ": group is set, user not");
  for (const auto* addresses : {&settings.listen.imap, &settings.listen.imaps, &settings.listen.pop3,
                                &settings.listen.pop3s, &settings.listen.lmtp}) {
    const auto unusable = std::ranges::find_if(*addresses, [&](const ListenAddress& address) {
      return address.proxy && address.kind == ListenAddress::Kind::tcp && settings.proxy.trusted.empty();
    });
    if (unusable != addresses->end()) problem("proxy", ".trusted: name who may connect to \"" + unusable->text + "\"");
  }
  for (const ListenAddress& address : settings.metrics.listen) {
    if (address.proxy) problem("metrics", ".listen: " + address.text + ": there is no PROXY protocol here");
    if (settings.metrics.allow_remote || is_local(address)) continue;
    problem("metrics", ".listen: " + address.text + " is not on loopback; set allow_remote if others may read it");
  }
}

std::string machine_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  const Result<std::string> domain = read_domain(std::string(name.data()));
  return domain ? *domain : "localhost";
}

}  // namespace

tl::expected<Settings, Problems> parse(std::string_view toml_text) {
  Problems problems;
  Settings settings;
  try {
    const toml::table table = toml::parse(toml_text);
    read_table(table, "", settings, problems);
    check_whole(settings, table, problems);
  } catch (const toml::parse_error& error) {
    problems.push_back({error.source().begin.line, "not TOML: " + std::string(error.description())});
  }
  if (!problems.empty()) {
    std::ranges::stable_sort(problems, {}, &Problem::line);
    return tl::unexpected(std::move(problems));
  }
  if (settings.hostname.empty()) settings.hostname = machine_name();
  return settings;
}

tl::expected<Settings, Problems> load(const std::string& path) {
  constexpr std::size_t file_octets_max = 1024 * 1024;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file) {
    text.resize(file_octets_max + 1);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
  }
  if (!file.is_open() || file.bad()) return tl::unexpected(Problems{{0, "the file cannot be read"}});
  if (text.size() > file_octets_max) return tl::unexpected(Problems{{0, "the file is too large"}});
  return parse(text);
}

std::string to_text(const Problems& problems, std::string_view file) {
  std::string out;
  for (const Problem& problem : problems) {
    out += file;
    if (problem.line != 0) out += ":" + std::to_string(problem.line);
    out += ": " + problem.text + "\n";
  }
  return out;
}

std::string show(const Settings& settings) {
  std::string out;
  std::string_view section;
  for (const Setting& setting : settings_table()) {
    if (setting.section != section) {
      section = setting.section;
      out += "\n[" + std::string(section) + "]\n";
    }
    out += std::string(setting.key) + " = " + to_toml(setting.get(settings)) + "\n";
  }
  return out;
}

namespace {

// Words as comment lines of at most `columns`.
std::string as_comment(std::string_view text) {
  constexpr std::size_t columns = 100;
  std::string out, line = "#";
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (line.size() + 1 + word.size() > columns) {
      out += line + "\n";
      line = "#";
    }
    line += ' ';
    line += word;
  }
  return out + line + "\n";
}

}  // namespace

std::string sample(const Settings& settings) {
  std::string out =
      "# The configuration of Postkeep (TOML). Every key is here with its default, as a comment where it is not set.\n"
      "# After a change: postkeep config check, then systemctl reload postkeep.\n"
      "# A size is in octets or like \"64K\", a time in seconds or like \"30m\", an address \"host:port\", "
      "\"[v6]:port\",\n"
      "# \"*:port\" or \"unix:path\", a network \"192.0.2.0/24\" or an IP address.\n";
  Settings defaults;
  defaults.hostname = machine_name();
  std::string_view section;
  for (const Setting& setting : settings_table()) {
    if (setting.section != section) {
      section = setting.section;
      out += "\n[" + std::string(section) + "]\n";
    }
    const std::string value = to_toml(setting.get(settings)), standard = to_toml(setting.get(defaults));
    out += "\n" + as_comment(setting.doc);
    const std::string key(setting.key);
    if (value != standard) {
      out += "# Default: " + standard + "\n" + key + " = " + value + "\n";
    } else {
      out += "#" + key + " = " + (setting.path() == "hostname" ? "\"mail.example.org\"" : standard) + "\n";
    }
  }
  return out;
}

std::string reference() {
  std::string out =
      "# Configuration reference\n\n"
      "Written by `postkeep config reference` from `server/config/settings_table.cpp`; a test compares the two.\n\n"
      "The file is [TOML](https://toml.io/en/v1.0.0). Every key has a default, so an empty file is a correct one, "
      "though "
      "a server\nwith no address to listen on will not start. `postkeep config check` tells all mistakes at once, with "
      "line numbers;\n`postkeep config show` prints what is in effect. A *size* is a number of octets or a text with "
      "K, M "
      "or G (`\"64K\"`); a *time*\nis a number of seconds or a text with s, m, h or d (`\"30m\"`); an *address* is "
      "`\"host:port\"`, `\"[v6]:port\"`,\n`\"*:port\"` or `\"unix:path\"`; a *network* is `\"192.0.2.0/24\"`, "
      "`\"2001:db8::/32\"` or an IP address.\n";
  const Settings defaults;
  std::string_view section = "none yet";
  for (const Setting& setting : settings_table()) {
    if (setting.section != section) {
      section = setting.section;
      out += section.empty() ? "\n## Top of the file\n\n" : "\n## [" + std::string(section) + "]\n\n";
      out += "| Key | Type | Default | Meaning |\n|---|---|---|---|\n";
    }
    const std::string standard =
        setting.path() == "hostname" ? "the machine's name" : "`" + to_toml(setting.get(defaults)) + "`";
    out += "| `" + std::string(setting.key) + "` | " + std::string(to_string(setting.type)) + " | " + standard + " | " +
           std::string(setting.doc) + " |\n";
  }
  return out;
}

}  // namespace postkeep::config
