// postkeep-conformance: runs the scripts at an IMAP and POP3 server, and checks that the requirements are proved by
// cases.
#include <fmt/format.h>
#include <fnmatch.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <fstream>
#include <iostream>

#include "conformance/runner/coverage.h"
#include "conformance/runner/pop3_case_run.h"
#include "conformance/runner/report.h"
#include "conformance/runner/script_check.h"

using namespace postkeep;
using namespace postkeep::conformance;

namespace {

struct Options {
  std::string host = "127.0.0.1";
  std::string port = "143";
  bool tls = false;
  bool starttls = false;
  bool compress = false;
  std::string user, password, user2, password2, lmtp, pop3_port;
  std::string mode = "both";
  std::string only = "*";
  std::string protocol = "both";
  std::string json, junit, coverage;
  std::string server_name = "server";
  std::string folder = POSTKEEP_CONFORMANCE_DIR;
  bool list = false;
  bool check = false;
  bool quiet = false;
};

void declare(CLI::App& app, Options& options) {
  app.add_option("--host", options.host, "Where the server is");
  app.add_option("--port", options.port, "Its port for IMAP");
  app.add_option("--pop3-port", options.pop3_port, "Its port for POP3; without it the cases of POP3 are skipped");
  CLI::Option* tls = app.add_flag("--tls", options.tls, "TLS from the first octet; certificates are not checked");
  app.add_flag("--starttls", options.starttls, "TLS by STARTTLS and STLS; likewise")->excludes(tls);
  app.add_flag("--compress", options.compress, "COMPRESS DEFLATE after each login");
  app.add_option("--user", options.user, "A user with an empty account");
  app.add_option("--password", options.password);
  app.add_option("--user2", options.user2, "Another one, for the cases that need two");
  app.add_option("--password2", options.password2);
  app.add_option("--deliver-lmtp", options.lmtp, "HOST:PORT that takes mail for them");
  app.add_option("--mode", options.mode, "rev1, rev2 or both")->check(CLI::IsMember({"rev1", "rev2", "both"}));
  app.add_option("--protocol", options.protocol, "Scripts to run: imap, pop3 or both")
      ->check(CLI::IsMember({"imap", "pop3", "both"}));
  app.add_option("--only", options.only, "Cases to run, as a pattern of FILE/CASE: \"*/6.4.3-*\"");
  app.add_option("--json", options.json, "Write the results to this file");
  app.add_option("--junit", options.junit, "Write the results to this file");
  app.add_option("--server-name", options.server_name, "In these files");
  app.add_option("--folder", options.folder, "Where scripts, fixtures and requirements are");
  app.add_flag("--list", options.list, "Name the cases and run none");
  app.add_flag("--check", options.check, "Check that every clause is proved, and run none");
  app.add_option("--coverage", options.coverage, "Print tables of the clauses, by-rfc or by-section, and run none")
      ->check(CLI::IsMember({"by-rfc", "by-section"}));
  app.add_flag("--quiet", options.quiet, "Only failures and the last line");
}

bool is_chosen(const Options& options, const Script& script, const Case& one) {
  const std::string_view protocol = script.protocol == Speaks::pop3 ? "pop3" : "imap";
  if (options.protocol != "both" && options.protocol != protocol) return false;
  return ::fnmatch(options.only.c_str(), (script.path + "/" + one.name).c_str(), 0) == 0;
}

// To no path: nothing.
Outcome write_file(const std::string& path, const std::string& text) {
  if (path.empty()) return {};
  std::ofstream out(path, std::ios::binary);
  out << text << std::flush;
  if (!out) return failure(ErrorKind::unavailable, "cannot write " + path);
  return {};
}

Result<Target> target_of(const Options& options) {
  Target target;
  target.imap.host = options.host;
  target.imap.port = options.port;
  target.imap.tls = options.tls;
  target.imap.starttls = options.starttls;
  target.imap.compress = options.compress;
  target.accounts[0] = {options.user, options.password};
  target.accounts[1] = {options.user2, options.password2};
  if (!options.pop3_port.empty()) {
    target.pop3 = target.imap;
    target.pop3->port = options.pop3_port;
    target.pop3->compress = false;
  }
  if (!options.lmtp.empty()) target.lmtp = TRY(parse_endpoint(options.lmtp));
  return target;
}

// POP3 knows no versions of IMAP: its cases are run once, and counted with those of rev1.
std::vector<Mode> modes(const Options& options, const Script& script) {
  std::vector<Mode> modes;
  for (const Mode mode : {Mode::rev1, Mode::rev2}) {
    if (options.mode != "both" && options.mode != to_string(mode)) continue;
    if (script.protocol == Speaks::imap || mode == Mode::rev1) modes.push_back(mode);
  }
  return modes;
}

// None where there is no POP3: its cases are skipped.
Result<std::set<std::string>> capabilities_of_pop3(const Target& target) {
  std::vector<std::string> log;
  if (!target.pop3) return std::set<std::string>();
  return pop3_capabilities(target, log);
}

Result<std::vector<Ran>> run_all(const Options& options, const std::vector<Script>& scripts,
                                 const std::vector<Requirement>& requirements) {
  const Target target = TRY(target_of(options));
  const Fixtures fixtures = TRY(read_fixtures(options.folder + "/fixtures"));
  Housekeeper housekeeper(target, fixtures);
  std::optional<std::set<std::string>> of_pop3;  // once they are needed
  std::vector<Ran> all;
  for (const Script& script : scripts) {
    for (const Case& one : script.cases) {
      if (!is_chosen(options, script, one)) continue;
      for (const Mode mode : modes(options, script)) {
        Ran ran;
        ran.script = &script;
        ran.one = &one;
        ran.mode = mode;
        if (script.protocol == Speaks::pop3) {
          if (!of_pop3) of_pop3 = TRY(capabilities_of_pop3(target));
          ran.result = Pop3CaseRun(target, fixtures, housekeeper, *of_pop3).run(one);
        } else {
          ran.result = CaseRun(target, fixtures, housekeeper, mode, static_cast<int>(all.size()) + 1).run(one);
        }
        const bool failed = ran.result.verdict == CaseResult::Verdict::failed;
        if (failed) std::cout << failure_text(ran, requirements) << std::flush;
        all.push_back(std::move(ran));
      }
    }
  }
  return all;
}

void list(const Options& options, const std::vector<Script>& scripts) {
  for (const Script& script : scripts) {
    for (const Case& one : script.cases) {
      if (is_chosen(options, script, one)) std::cout << script.path << "/" << one.name << "\n";
    }
  }
}

// The exit status.
Result<int> check_all(const Options& options, const std::vector<Script>& scripts,
                      const std::vector<Requirement>& requirements) {
  std::vector<std::string> faults = script_faults(scripts, TRY(read_fixtures(options.folder + "/fixtures")));
  for (std::string& fault : check(requirements, scripts)) faults.push_back(std::move(fault));
  for (const std::string& fault : faults) std::cout << fault << "\n";
  std::cout << fmt::format("{} clauses, {} faults\n", requirements.size(), faults.size());
  return faults.empty() ? 0 : 1;
}

Result<int> run(const Options& options) {
  const std::vector<Script> scripts = TRY(read_scripts(options.folder + "/scripts"));
  const std::vector<Requirement> requirements = TRY(read_requirements(options.folder + "/requirements"));
  if (options.list) {
    list(options, scripts);
    return 0;
  }
  if (options.check) return check_all(options, scripts, requirements);
  if (!options.coverage.empty()) {
    std::cout << (options.coverage == "by-rfc" ? coverage_by_rfc : coverage_by_section)(requirements, scripts);
    return 0;
  }
  if (options.user.empty()) return failure(ErrorKind::bad_syntax, "--user is needed");
  const std::vector<Ran> ran = TRY(run_all(options, scripts, requirements));
  if (!options.quiet) std::cout << "\n" << table(ran);
  TRY(write_file(options.json, json(ran, options.server_name)));
  TRY(write_file(options.junit, junit(ran, options.server_name)));
  const Totals totals = totals_of(ran);
  std::cout << fmt::format("\n{}: {} passed, {} failed, {} skipped\n", options.server_name, totals.passed,
                           totals.failed, totals.skipped);
  return totals.failed == 0 && totals.passed > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Asks an IMAP and POP3 server whether it keeps to the RFCs");
  Options options;
  declare(app, options);
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGPIPE, SIG_IGN);  // a server that hangs up ends a case, not the run
  const Result<int> status = run(options);
  if (status) return *status;
  std::cerr << "postkeep-conformance: " << status.error().text << "\n";
  return 2;
}
