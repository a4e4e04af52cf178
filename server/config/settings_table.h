// THE table of settings: one row per key, from which the file is read, `config show` is printed and
// docs/configuration.md is written. Adding a setting is a member in settings.h and a row.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/base/result.h"
#include "server/config/settings.h"

namespace postkeep::config {

// A value as the file gave it, free of the TOML library.
using RawValue = std::variant<std::string, std::int64_t, bool, std::vector<std::string>>;

// What a key takes, as the reference calls it.
enum class ValueType { text, text_list, count, size, duration, choice, boolean, addresses, special_uses, networks };
std::string_view to_string(ValueType type);

struct Setting {
  std::string_view section;  // "" for the top of the file
  std::string_view key;
  ValueType type;
  // Takes a value in, checked; the error's text says what is wanted instead. All errors are `cannot`.
  Outcome (*set)(Settings& settings, const RawValue& value);
  RawValue (*get)(const Settings& settings);
  std::string_view doc;  // one or more sentences; says the range and what 0 means

  std::string path() const;  // "limits.connections"
  // Whether a new value is taken over at the next start only, not by a reload.
  bool needs_restart() const;
};

std::span<const Setting> settings_table();
const Setting* find_setting(std::string_view path);

// A value as TOML: "text", 10, true, ["a", "b"].
std::string to_toml(const RawValue& value);

}  // namespace postkeep::config
