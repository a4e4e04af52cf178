// quota show|set: how much users' mail takes, and how much it may.
#include <array>
#include <charconv>
#include <ostream>

#include "protocol/text/display.h"
#include "server/admin/commands/arguments.h"
#include "server/admin/commands/rows.h"
#include "server/admin/exchange.h"
#include "server/admin/mail_batches.h"
#include "server/admin/text_table.h"
#include "server/config/values.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;
using Kind = Parameter::Kind;
using storage::AccountStore;
using storage::Quota;
using storage::QuotaLimits;

Json json_limit(std::optional<std::uint64_t> limit) { return limit ? Json(*limit) : Json(); }

Json describe_quota(const std::string& user, const Quota& quota) {
  return {{"user", user},
          {"octets", quota.used.octets},
          {"messages", quota.used.messages},
          {"limit_octets", json_limit(quota.limits.octets)},
          {"limit_messages", json_limit(quota.limits.messages)},
          {"own_octets", json_limit(quota.own.octets)},
          {"own_messages", json_limit(quota.own.messages)}};
}

Result<Json> stream_quota_show(Host& host, const Json& arguments, Exchange& exchange) {
  std::vector<std::string> users = TRY(texts_argument(arguments, "user"));
  for (std::string& name : users) name = TRY(existing_user(host, {{"user", name}})).name;
  if (users.empty()) users = TRY(host.mail_accounts());
  for (const std::string& user : users) {
    TRY(exchange.check());
    const auto ask = [](AccountStore& account) { return account.quota(); };
    const Quota quota = TRY(in_account<Quota>(host, user, ask));
    TRY(exchange.send(describe_quota(user, quota)));
  }
  return Json();
}

// "12.3 MiB of 5.0 GiB"
std::string shown_use(const std::string& used, const Json& limit, const std::string& shown_limit) {
  return limit.is_null() ? used : used + " of " + shown_limit;
}

void print_quota(const Json& piece, std::ostream& out) {
  const Json& octets = piece["limit_octets"];
  const Json& messages = piece["limit_messages"];
  const std::string storage =
      shown_use(shown_octets(piece["octets"]), octets, octets.is_null() ? "" : shown_octets(octets));
  const std::string count = shown_use(counted(piece["messages"], "message"), messages,
                                      messages.is_null() ? "" : std::to_string(messages.get<std::uint64_t>()));
  const bool own = !piece["own_octets"].is_null() || !piece["own_messages"].is_null();
  const bool none = octets.is_null() && messages.is_null();
  out << text::displayable(piece["user"].get<std::string>()) << ": " << storage << ", " << count
      << (none ? ", no limit" : "") << (own ? " (its own limits)" : "") << "\n";
}

// "none", "default", or what `read` takes; nothing changes where the argument is missing.
template <class Read>
Outcome take_limit(const Json& arguments, std::string_view name, std::optional<std::uint64_t>& limit, Read read) {
  const auto given = arguments.find(name);
  if (given == arguments.end()) return {};
  const std::string text = given->is_string() ? given->get<std::string>() : "";
  if (text == "default") {
    limit.reset();
  } else if (text == "none") {
    limit = 0;
  } else {
    const Result<std::uint64_t> value = read(text);
    if (!value) {
      return failure(ErrorKind::bad_syntax, "--" + std::string(name) + ": " + value.error().text + ", none or default");
    }
    limit = *value;
  }
  return {};
}

Result<std::uint64_t> read_message_count(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  return config::read_count(is_number ? config::RawValue(number) : config::RawValue(text), 1, quota_messages_max);
}

Result<Json> run_quota_set(Host& host, const Json& arguments) {
  const auth::User user = TRY(existing_user(host, arguments));
  return host.with_account(user.name, [&](AccountStore& account) -> Result<Json> {
    const QuotaLimits before = TRY(account.quota()).own;
    QuotaLimits own = before;
    TRY(take_limit(arguments, "storage", own.octets,
                   [](const std::string& text) { return config::read_size(text, 1, quota_storage_max); }));
    TRY(take_limit(arguments, "messages", own.messages, read_message_count));
    if (!(own == before)) TRY(account.set_quota(own));
    return describe_quota(user.name, TRY(account.quota()));
  });
}

constexpr std::array show_parameters = {
    Parameter{Kind::optional_rest, "user", "", "whose; without one of everybody who has mail", 0,
              Parameter::Completes::user},
};
constexpr std::array set_parameters = {
    Parameter{Kind::positional, "user", "", "whose", 0, Parameter::Completes::user},
    Parameter{Kind::option, "storage", "SIZE",
              "octets of all messages, \"5G\"; none; default: that of the configuration"},
    Parameter{Kind::option, "messages", "COUNT", "number of messages; none; default"},
};

constexpr char quota_json[] =
    R"({"user": "alice", "octets": 12897, "messages": 3, "limit_octets": 5368709120, "limit_messages": null, "own_octets": 5368709120, "own_messages": null})";

constexpr std::array quota_commands = {
    Command{
        .noun = "quota",
        .verb = "show",
        .help = "Shows how much mail users have, and how much they may have.",
        .parameters = show_parameters,
        .print = print_quota,
        .stream = stream_quota_show,
        .json = quota_json,
        .details = "\"limit_octets\" and \"limit_messages\" are what holds, null without a limit; \"own_octets\" and "
                   "\"own_messages\" what was set for this user: null follows the configuration, 0 is no limit.\n"
                   "    postkeep quota show\n"
                   "    postkeep quota show alice --json",
    },
    Command{
        .noun = "quota",
        .verb = "set",
        .help = "Sets how much mail a user may have, instead of what the configuration says.",
        .parameters = set_parameters,
        .run = run_quota_set,
        .print = print_quota,
        .json = quota_json,
        .details = "Nothing is removed where there is more already; no more is taken in until there is room.\n"
                   "    postkeep quota set alice --storage 5G\n"
                   "    postkeep quota set alice --storage none --messages 100000\n"
                   "    postkeep quota set alice --storage default --messages default",
    },
};

}  // namespace

std::span<const Command> quota_rows() { return quota_commands; }

}  // namespace postkeep::admin
