// ban list, ban lift: who is kept out for guessing passwords (auth/guess_guard). Of a running server alone: bans are in
// its memory.
#include <array>
#include <ostream>

#include "protocol/text/display.h"
#include "server/admin/commands/rows.h"
#include "server/admin/live_server.h"
#include "server/admin/text_table.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;
using Kind = Parameter::Kind;

Result<LiveServer*> server_with_bans(Host& host) {
  if (LiveServer* server = host.live()) return server;
  return failure(ErrorKind::unavailable, "No server runs on this data, so nobody is banned");
}

Result<Json> run_ban_list(Host& host, const Json&) {
  LiveServer* server = TRY(server_with_bans(host));
  Json bans = Json::array();
  for (const auth::GuessGuard::Ban& ban : server->guard().bans()) {
    bans.push_back({{"address", ban.site.to_string()},
                    {"seconds", ban.left.count()},
                    {"times", ban.times},
                    {"login", text::displayable(ban.last_login)}});
  }
  return bans;
}

Result<Json> lift_address(LiveServer& server, const std::string& text) {
  const Result<IpNetwork> site = IpNetwork::parse(text);  // as `ban list` prints it
  if (!site) return failure(ErrorKind::bad_syntax, "\"" + text + "\": " + site.error().text);
  if (!server.guard().lift(site->address())) {
    return failure(ErrorKind::not_found, text + " is not banned; postkeep ban list tells who is");
  }
  return Json{{"lifted", 1}};
}

Result<Json> run_ban_lift(Host& host, const Json& arguments) {
  LiveServer* server = TRY(server_with_bans(host));
  const auto address = text_argument(arguments, "address"), user = text_argument(arguments, "user");
  const bool all = flag_argument(arguments, "all");
  if (int(address.has_value()) + int(user.has_value()) + int(all) != 1) {
    return failure(ErrorKind::bad_syntax, "Say what: ADDRESS, --user NAME or --all (postkeep ban list shows them)");
  }
  if (address) return lift_address(*server, *address);
  if (all) return Json{{"lifted", server->guard().lift_all()}};
  if (!server->guard().forgive(server->account_key(*user))) {
    return failure(ErrorKind::not_found, "Nothing is held against this user");
  }
  return Json{{"lifted", 1}};
}

void print_ban_list(const Json& bans, std::ostream& out) {
  using Align = TextTable::Align;
  TextTable table({Align::left, Align::right, Align::right, Align::left});
  table.add({"ADDRESS", "SECONDS", "TIMES", "LAST LOGIN"});
  for (const Json& ban : bans) {
    table.add({ban["address"], std::to_string(ban["seconds"].get<std::int64_t>()),
               std::to_string(ban["times"].get<unsigned>()), ban["login"]});
  }
  table.print(out);
}

void print_ban_lift(const Json& result, std::ostream& out) { out << "lifted " << result["lifted"] << "\n"; }

constexpr std::array lift_parameters = {
    Parameter{.kind = Kind::optional_positional,
              .name = "address",
              .help = "An address as `ban list` shows it; its failures are forgotten too."},
    Parameter{.kind = Kind::option,
              .name = "user",
              .value = "NAME",
              .help = "Forget the failures of this user, from all addresses.",
              .completes = Parameter::Completes::user},
    Parameter{.kind = Kind::flag, .name = "all", .help = "Lift all bans."},
};

constexpr std::array ban_commands = {
    Command{.noun = "ban",
            .verb = "list",
            .help = "Lists the addresses that may not log in for now, since too many logins failed from there.",
            .run = run_ban_list,
            .print = print_ban_list,
            .json = R"([{"address": "192.0.2.7", "seconds": 540, "times": 1, "login": "alice"}])",
            .details =
                "An IPv6 address stands for its /64. \"seconds\" are left; \"times\" counts bans within a day: each "
                "takes twice as long as the one before. The log has a line `address_banned` for each."},
    Command{.noun = "ban",
            .verb = "lift",
            .help = "Lifts the ban of an address, or all, or forgets the failed logins of a user.",
            .parameters = lift_parameters,
            .run = run_ban_lift,
            .print = print_ban_lift,
            .json = R"({"lifted": 1})",
            .details = "A user who is made to wait since others guess at the password gets in at once after\n"
                       "    postkeep ban lift --user alice\n"
                       "and an office whose new telephone system tried too long after\n"
                       "    postkeep ban lift 192.0.2.7"},
};

}  // namespace

std::span<const Command> ban_rows() { return ban_commands; }

}  // namespace postkeep::admin
