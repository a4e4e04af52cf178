// pw hash|check|schemes: passwords in the forms in which they are kept, for passwd-files, for `user add --hash` and for
// other programs. Touches no data; takes the costs of hashes from the configuration.
#include <unistd.h>

#include <array>
#include <iomanip>
#include <ostream>

#include "auth/password_hash.h"
#include "auth/schemes.h"
#include "server/admin/commands/arguments.h"
#include "server/admin/commands/rows.h"
#include "server/admin/near_side.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;
using Kind = Parameter::Kind;

bool wants_json(const NearSide& near) { return near.format == NearSide::Format::json; }

enum class Ask { once, twice };

Result<Secret> password(const Json& arguments, NearSide& near, Ask ask) {
  if (flag_argument(arguments, "password-stdin")) return read_password_line(near);
  if (isatty(STDIN_FILENO) != 1) {
    return failure(ErrorKind::bad_syntax, "Give --password-stdin where there is no terminal");
  }
  return ask == Ask::twice ? ask_for_password(STDIN_FILENO, "the hash") : ask_for_password_once(STDIN_FILENO);
}

Result<auth::Scheme> wanted_scheme(const Json& arguments) {
  if (!arguments.contains("scheme")) return auth::Scheme::argon2id;
  const std::optional<auth::Scheme> scheme = auth::scheme_from_string(TRY(text_argument(arguments, "scheme")));
  if (scheme) return *scheme;
  return failure(ErrorKind::bad_syntax, "There is no such scheme; choose one of " + auth::makeable_schemes());
}

ExitCode make_hash(const Json& arguments, NearSide& near) {
  const std::optional<Settings> settings = load_settings(near);
  if (!settings) return ExitCode::bad_config;
  const auto make = [&]() -> Result<Secret> {
    const auth::Scheme scheme = TRY(wanted_scheme(arguments));
    const Secret given = TRY(password(arguments, near, Ask::twice));
    return auth::to_text(TRY(auth::make_verifiers(given, scheme, hash_cost(*settings))).front());
  };
  const Result<Secret> made = make();
  if (!made) return tell(made.error(), near);
  if (wants_json(near)) {
    near.out << Json{{"hash", made->reveal()}}.dump() << "\n";
  } else {
    near.out << made->reveal() << "\n";
  }
  return ExitCode::ok;
}

// The hash of --hash; or the next line of standard input, so that other users of the machine do not see it.
Result<auth::Verifier> given_verifier(const Json& arguments, NearSide& near) {
  if (arguments.contains("hash")) return auth::verifier_from_text_or_crypt(TRY(text_argument(arguments, "hash")));
  std::string line;
  if (!std::getline(near.in, line)) {
    return failure(ErrorKind::bad_syntax, "Give the hash with --hash, or on standard input after the password");
  }
  if (line.ends_with('\r')) line.pop_back();
  return auth::verifier_from_text_or_crypt(line);
}

ExitCode check_hash(const Json& arguments, NearSide& near) {
  const auto run = [&]() -> Result<bool> {
    if (!arguments.contains("hash") && !flag_argument(arguments, "password-stdin")) {
      return failure(ErrorKind::bad_syntax, "Give the hash with --hash, or both with --password-stdin");
    }
    const Secret given = TRY(password(arguments, near, Ask::once));
    return auth::verify_password(given, TRY(given_verifier(arguments, near)));
  };
  const Result<bool> fits = run();
  if (!fits) return tell(fits.error(), near);
  if (wants_json(near)) {
    near.out << Json{{"fits", *fits}}.dump() << "\n";
  } else {
    near.out << (*fits ? "The password fits." : "The password does not fit.") << "\n";
  }
  return *fits ? ExitCode::ok : ExitCode::failed;
}

ExitCode list_schemes(const Json&, NearSide& near) {
  Json all = Json::array();
  for (const auth::SchemeRow& row : auth::schemes()) {
    const bool made = row.make != nullptr;
    all.push_back({{"name", row.name}, {"alias", row.alias}, {"made", made}, {"about", row.doc}});
    if (wants_json(near)) continue;
    near.out << std::left << std::setw(16) << row.name << (made ? "made and read  " : "read           ") << row.doc
             << "\n";
  }
  if (wants_json(near)) near.out << all.dump(2) << "\n";
  return ExitCode::ok;
}

constexpr Parameter pw_stdin_parameter = {Kind::flag, "password-stdin", "", "read the password from standard input"};
constexpr std::array hash_parameters = {
    pw_stdin_parameter, Parameter{Kind::option, "scheme", "SCHEME", "the scheme, ARGON2ID if not given; see pw schemes",
                                  0, Parameter::Completes::nothing, scheme_choices}};
constexpr std::array check_parameters = {
    pw_stdin_parameter,
    Parameter{Kind::option, "hash", "{SCHEME}HASH", "the hash; without it the second line of standard input"}};

constexpr std::array pw_commands = {
    Command{.noun = "pw",
            .verb = "hash",
            .help = "Makes a hash of a password, for a passwd-file or for user add --hash.",
            .parameters = hash_parameters,
            .here = make_hash,
            .json = R"({"hash": "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$..."})",
            .details = "    printf '%s\\n' \"$PASSWORD\" | postkeep pw hash --password-stdin --scheme SHA512-CRYPT"},
    Command{.noun = "pw",
            .verb = "check",
            .help = "Tells whether a password fits a hash: exit code 0 if it does, 1 if not.",
            .parameters = check_parameters,
            .here = check_hash,
            .json = R"({"fits": true})",
            .details = "On standard input other users of the machine do not see the hash.\n"
                       "    printf '%s\\n%s\\n' \"$PASSWORD\" \"$HASH\" | postkeep pw check --password-stdin"},
    Command{.noun = "pw",
            .verb = "schemes",
            .help = "Lists the schemes in which passwords can be kept.",
            .here = list_schemes,
            .json = R"([{"name": "ARGON2ID", "alias": "", "made": true, "about": "..."}])",
            .details = "\"made\" is false for a scheme that is only read."},
};

}  // namespace

std::span<const Command> pw_rows() { return pw_commands; }

}  // namespace postkeep::admin
