#include "server/app.h"

#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <iostream>
#include <thread>
#include <tuple>
#include <utility>

#include "auth/alias_table.h"
#include "auth/backends.h"
#include "auth/server_secret.h"
#include "server/admin/commands.h"
#include "server/admin/live_server.h"
#include "server/admin/local_host.h"
#include "server/admin/socket.h"
#include "server/admin/user_rename.h"
#include "server/config/config_file.h"
#include "server/config/settings_table.h"
#include "server/config/store_options.h"
#include "server/identity.h"
#include "server/listeners.h"
#include "server/lmtp/delivered_before.h"
#include "server/machine.h"
#include "server/metrics/endpoint.h"
#include "server/metrics/metrics.h"
#include "server/protocols.h"
#include "server/runtime/awaits.h"
#include "server/runtime/foreign_changes.h"
#include "server/runtime/quota_watch.h"
#include "server/runtime/recent_rates.h"
#include "server/runtime/runtime.h"
#include "server/runtime/session_host.h"
#include "server/status.h"
#include "storage/posix_file_system.h"

namespace postkeep::server {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view storage_backend = "maildir";
constexpr milliseconds wait_for_sessions{10'000};  // of a user whose mail is to be removed
constexpr milliseconds memory_interval{1'000};     // between looks at whether there is memory to give back
constexpr std::size_t admin_threads = 4;           // admin commands at once, besides those that stream
constexpr unsigned spare_auth_threads = 2;         // for logins that need no hash while hashes run

unsigned or_cores(std::uint64_t configured) {
  if (configured != 0) return static_cast<unsigned>(configured);
  return std::max(1U, std::thread::hardware_concurrency());
}

Runtime::Options runtime_options(const Settings& settings) {
  Runtime::Options options;
  options.io_threads = or_cores(settings.server.io_threads);
  options.storage_threads = static_cast<unsigned>(std::max<std::uint64_t>(1, settings.storage.threads));
  options.stranger_threads = or_cores(settings.auth.concurrent_hashes);
  options.auth_threads = options.stranger_threads + spare_auth_threads;
  return options;
}

AdmissionLimits admission_limits(const Settings& settings) {
  AdmissionLimits limits;
  limits.total = settings.limits.connections;
  limits.per_address = settings.limits.connections_per_address;
  limits.per_user = settings.limits.connections_per_user;
  return limits;
}

// The signals that App hears, for the calling thread and those that it starts: SIG_BLOCK or SIG_UNBLOCK.
void mask_signals(int how) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  ::pthread_sigmask(how, &signals, nullptr);
}

using Aliases = std::shared_ptr<const auth::AliasTable>;

Result<Aliases> load_aliases(storage::FileSystem& files, const Settings& settings) {
  const std::string& path = settings.recipients.aliases;
  if (path.empty()) return nullptr;
  auto text = storage::read_file(files, path, auth::alias_file_octets_max);
  if (!text) return failure(ErrorKind::unavailable, "The aliases cannot be read", path + ": " + text.error().detail);
  auto table = auth::AliasTable::parse(*text);
  if (!table) return failure(ErrorKind::unavailable, "The aliases cannot be read", path + ", " + table.error().text);
  return std::make_shared<const auth::AliasTable>(std::move(*table));
}

std::vector<auth::ActingRight> acting_rights(const Settings& settings) {
  std::vector<auth::ActingRight> rights;
  for (const std::string& master : settings.auth.masters) rights.push_back(auth::ActingRight{master, "*"});
  for (const std::string& text : settings.auth.delegates) {
    if (auto right = auth::acting_right_from_text(text)) rights.push_back(std::move(*right));
  }
  return rights;
}

auth::Authenticator::Options auth_options(const Settings& settings, const Secret& secret,
                                          std::vector<auth::CertificateRule> certificate_rules, Aliases aliases) {
  auth::Authenticator::Options options;
  options.domains = own_domains(settings);
  options.cost.argon2_memory_kib = static_cast<std::uint32_t>(settings.auth.argon2_memory / 1024);
  options.cost.argon2_iterations = static_cast<std::uint32_t>(settings.auth.argon2_iterations);
  options.cost.scram_iterations = static_cast<std::uint32_t>(settings.auth.scram_iterations);
  options.cost.scram_sha_1 = offers_scram_sha_1(settings);
  options.concurrent_hashes = or_cores(settings.auth.concurrent_hashes);
  options.add_scram_keys = settings.auth.add_scram_keys;
  options.remember_passwords = settings.auth.remember_passwords;
  options.server_secret = secret;
  options.acting = acting_rights(settings);
  options.master_separator = settings.auth.master_separator;
  options.certificate_rules = std::move(certificate_rules);
  options.anonymous_user = settings.auth.anonymous_user;
  options.detail_delimiters = settings.recipients.delimiter;
  options.aliases = std::move(aliases);
  return options;
}

auth::GuessGuard::Options guard_options(const Settings& settings) {
  auth::GuessGuard::Options options;
  options.enabled = settings.guard.enabled;
  options.delay_after = settings.guard.delay_after;
  options.delay_max = settings.guard.delay_max;
  options.ban_after = settings.guard.ban_after;
  options.ban_time = settings.guard.ban_time;
  options.exempt = settings.guard.exempt;
  return options;
}

bool has_certificates(const Settings& settings) {
  return !settings.tls.certificate.empty() || !settings.tls.certificates.empty();
}

// The first is for whoever asks for no name that another one has.
Result<std::vector<CertificateFiles>> certificate_files(const Settings& settings) {
  std::vector<CertificateFiles> files;
  if (!has_certificates(settings)) {
    files.push_back(TRY(ensure_self_signed(settings.data_dir + "/tls", settings.hostname)));
  }
  if (!settings.tls.certificate.empty()) files.push_back({settings.tls.certificate, settings.tls.private_key});
  for (const std::string& text : settings.tls.certificates) {
    const std::size_t space = text.find(' ');
    files.push_back({text.substr(0, space), space == std::string::npos ? text : text.substr(space + 1)});
  }
  return files;
}

TlsMinimum tls_minimum(const Settings& settings) {
  const bool only_1_3 = settings.tls.profile == TlsProfile::modern || settings.tls.min_version == TlsVersion::tls_1_3;
  return only_1_3 ? TlsMinimum::tls_1_3 : TlsMinimum::tls_1_2;
}

Outcome load_certificates(TlsStore& tls, const Settings& settings) {
  const std::vector<CertificateFiles> all = TRY(certificate_files(settings));
  std::vector<std::string> names;
  for (const CertificateFiles& files : all) names.insert(names.end(), {files.certificate, files.private_key});
  if (!settings.tls.client_ca.empty()) names.push_back(settings.tls.client_ca);
  for (const std::string& file : names) {
    if (const std::string why = why_unreadable(file); !why.empty()) {
      return failure(ErrorKind::unavailable, "TLS is not available", why);
    }
  }
  return tls.load(all, tls_minimum(settings), settings.tls.client_ca);
}

// Keys that differ and that a reload cannot change.
std::vector<std::string> need_restart(const Settings& before, const Settings& after) {
  std::vector<std::string> keys;
  for (const config::Setting& setting : config::settings_table()) {
    if (setting.needs_restart() && setting.get(before) != setting.get(after)) keys.push_back(setting.path());
  }
  return keys;
}

// sd_notify(3): a reload names the moment it began.
void notify_reloading() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const long long microseconds = now.tv_sec * 1'000'000LL + now.tv_nsec / 1'000;
  ::sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", microseconds);
}

// Members stand in the order in which they are built; they go in reverse. Everything that runs is stopped and
// joined by stop() first.
class App final : public admin::Host, public admin::LiveServer {
 public:
  App(Settings settings, std::string config_file)
      : config_file_(std::move(config_file)), settings_(std::make_shared<const Settings>(std::move(settings))) {}

  Outcome start();
  void run();
  // False if something did not end in time: then nothing may be destroyed.
  bool stop();
  std::string ready_line() const;

  // --- admin::Host, on the admin pool.
  const Settings& settings() override { return *admin_settings_; }
  auth::UserDirectory& users() override { return *users_; }
  Result<auth::LastLogins*> last_logins() override { return login_recorder_->logins(); }
  Result<nlohmann::json> with_account(const std::string& user, const Work& work) override;
  void end_sessions(const std::string& user) override { host_->end_sessions(user); }
  Outcome remove_mail(const std::string& user) override;
  Result<auth::Recipient> resolve_recipient(std::string_view address) override {
    return authenticator_->resolve_recipient(address);
  }
  Result<std::shared_ptr<storage::Incoming>> begin_incoming(std::uint64_t limit) override {
    return mail_->begin_incoming(limit);
  }
  Result<bool> has_mail(const std::string& user) override { return mail_->exists(user); }
  Result<std::vector<std::string>> mail_accounts() override { return mail_->list_accounts(); }
  Outcome rename_user(const std::string& from, const std::string& to) override;
  admin::LiveServer* live() override { return this; }

  // --- admin::LiveServer, likewise.
  std::vector<SessionFacts> sessions() override { return host_->list(); }
  std::size_t end_sessions_if(const Which& which) override { return host_->end_sessions_if(which); }
  Reload reload() override;
  LogLevel log_level() override { return log_->level(); }
  void set_log_level(LogLevel level) override { log_->set_level(level); }
  nlohmann::json status() override;
  auth::GuessGuard& guard() override { return *guard_; }
  std::string account_key(std::string_view login) override { return authenticator_->account_key(login); }

 private:
  Outcome open_users();
  void note_ban(const auth::GuessGuard::Ban& ban);
  Outcome wait_for_end_of_sessions(const std::string& user);
  Outcome open_data();
  Outcome open_as_root();
  void start_listeners();
  Outcome open_admin();
  void start_endpoint();
  asio::awaitable<void> handle_signals();
  asio::awaitable<void> look_after_process();
  asio::awaitable<void> feed_watchdog();
  Reload reload_here();
  void take_over(const Settings& settings, Reload& report);
  void begin_stop();

  const std::string config_file_;
  const std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
  RecentRates rates_;
  SettingsHolder settings_;
  SettingsPtr admin_settings_;  // what start() began with: fixed, since admin commands get a reference
  MetricsEndpoint endpoint_;    // before all that its probes refer to
  std::unique_ptr<Log> log_;
  std::unique_ptr<storage::FileSystem> files_;
  std::unique_ptr<storage::FileLock> lock_;
  std::unique_ptr<auth::UserDirectory> users_;
  Secret secret_;
  std::vector<auth::CertificateRule> certificate_rules_;  // of the last configuration in which they could be read
  Aliases aliases_;                                       // those that hold; replaced on the control thread
  DeliveredBefore delivered_;
  std::unique_ptr<storage::MailStore> mail_;
  std::unique_ptr<Runtime> runtime_;  // before all that refers to its pools
  std::unique_ptr<WorkerPool> admin_pool_;
  ChangeHub hub_;
  std::unique_ptr<QuotaWatch> quota_watch_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<auth::Authenticator> authenticator_;
  std::unique_ptr<auth::GuessGuard> guard_;
  std::unique_ptr<AuthGateway> auth_;
  std::unique_ptr<LoginRecorder> login_recorder_;
  std::unique_ptr<Admission> admission_;
  TlsStore tls_;
  LoginIntervals login_intervals_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<SessionHost> host_;

  asio::io_context control_{1};  // this thread's: listeners, signals, the admin socket, inotify
  TaskGroup loops_{control_.get_executor()};
  asio::signal_set signals_{control_};
  asio::steady_timer memory_timer_{control_};
  bool stopping_ = false;
  asio::steady_timer watchdog_timer_{control_};
  std::vector<OpenListener> listeners_;
  std::vector<std::string> ready_;  // "imap 127.0.0.1:143"
  std::unique_ptr<asio::local::stream_protocol::acceptor> admin_acceptor_;
  std::unique_ptr<ForeignChanges> foreign_;
};

Outcome App::open_users() {
  const auth::BackendReport report = [this](const std::string& text) {
    log_->write(LogLevel::warn, "user_backend", {{"reason", text}});
  };
  const auth::BackendEnvironment environment{*files_, storage::system_clock(), admin_settings_->data_dir, report};
  users_ = TRY(auth::open_backends(admin_settings_->auth.backends, environment));
  secret_ = TRY(auth::server_secret(*files_, admin_settings_->data_dir));
  certificate_rules_ = TRY(auth::load_certificate_rules(*files_, admin_settings_->auth.certificate_users));
  aliases_ = TRY(load_aliases(*files_, *admin_settings_));
  return {};
}

Outcome App::open_data() {
  const Settings& settings = *admin_settings_;
  const std::string network = network_file_system(settings.data_dir);
  if (!network.empty() && !settings.storage.allow_network_file_system) {
    return failure(ErrorKind::unavailable, "data_dir is on a network file system",
                   settings.data_dir + " is on " + network + "; see storage.allow_network_file_system");
  }
  files_ = storage::posix_file_system();
  lock_ = TRY(files_->lock(admin::lock_path(settings.data_dir)));
  TRY(open_users());
  storage::StoreOptions options = store_options(settings);
  options.watch_folders = network.empty();  // what other machines change there is not told
  mail_ = TRY(storage::open_mail_store(storage_backend, std::move(options), *files_, storage::system_clock()));
  const auto move_mail = [this](const std::string& from, const std::string& to) { return mail_->rename(from, to); };
  return admin::finish_user_rename(*files_, settings.data_dir, *users_, move_mail);
}

// What only root may do, or whoever the service manager gave the right; then that right is given up. Everything else
// is done as the user that the data belongs to.
Outcome App::open_as_root() {
  const Settings& settings = *admin_settings_;
  const std::optional<Identity> identity = TRY(service_identity(settings.service));
  if (identity) TRY(may_become(*identity));
  listeners_ = TRY(open_listeners(control_, endpoint_, settings, given_sockets()));
  if (has_certificates(settings)) TRY(load_certificates(tls_, settings));
  TRY(make_data_dir(settings.data_dir, identity));
  return identity ? become(*identity) : give_up_capabilities();
}

Outcome App::start() {
  admin_settings_ = settings_.get();
  const Settings& settings = *admin_settings_;
  const Runtime::Options threads = runtime_options(settings);
  prepare_process(threads.io_threads + threads.auth_threads + threads.stranger_threads);
  const std::uint64_t files_max = raise_file_limit();
  TRY(open_as_root());
  log_ = TRY(Log::open(settings.log));
  TRY(open_data());
  if (!has_certificates(settings)) TRY(load_certificates(tls_, settings));
  // No other thread hears them, and this one only while it waits for them: their default meaning comes back at the end,
  // and whoever asks a second time, while we leave, must not turn a clean stop into a kill.
  mask_signals(SIG_BLOCK);
  runtime_ = std::make_unique<Runtime>(threads);
  admin_pool_ = std::make_unique<WorkerPool>(admin_threads, "admin");
  Gateway::Options gateway_options;
  gateway_options.open_accounts_max = settings.storage.open_accounts;
  quota_watch_ = std::make_unique<QuotaWatch>(settings_, *log_);
  gateway_options.quota_watch = quota_watch_.get();
  gateway_ = std::make_unique<Gateway>(
      runtime_->storage_pool(), *mail_, hub_, gateway_options, [this](const std::string& user, const Error& error) {
        log_->write(LogLevel::error, "background_failed",
                    {{"user", user}, {"kind", to_string(error.kind)}, {"reason", error.detail}});
        metrics().errors.at("storage", to_string(error.kind)).add();
      });
  authenticator_ =
      std::make_unique<auth::Authenticator>(*users_, auth_options(settings, secret_, certificate_rules_, aliases_));
  guard_ = std::make_unique<auth::GuessGuard>(guard_options(settings),
                                              [this](const auth::GuessGuard::Ban& ban) { note_ban(ban); });
  auth_ = std::make_unique<AuthGateway>(*authenticator_, runtime_->auth_pool(), runtime_->storage_pool(), guard_.get(),
                                        &runtime_->stranger_pool());
  login_recorder_ = std::make_unique<LoginRecorder>(
      runtime_->storage_pool(), *files_, auth::last_logins_path(settings.data_dir), [this](const Error& error) {
        log_->write(LogLevel::error, "last_logins_not_written", {{"reason", error.detail}});
      });
  admission_ = std::make_unique<Admission>(admission_limits(settings));
  services_.reset(
      new Services{*log_, settings_, hub_, *gateway_, *auth_, *admission_, tls_, login_recorder_.get(), &delivered_});
  services_->login_intervals = &login_intervals_;
  host_ = std::make_unique<SessionHost>(*services_, *runtime_);
  TRY(open_admin());
  foreign_ = std::make_unique<ForeignChanges>(control_, *mail_, *gateway_);
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  signals_.add(SIGHUP);
  log_->write(LogLevel::info, "start",
              {{"data_dir", settings.data_dir}, {"files_max", files_max}, {"uid", std::uint64_t{::geteuid()}}});
  if (::geteuid() == 0) {
    log_->write(LogLevel::warn, "running_as_root", {{"hint", "name a system user in [service] user"}});
  }
  start_listeners();
  return {};
}

// fail2ban reads this line (packaging/fail2ban).
void App::note_ban(const auth::GuessGuard::Ban& ban) {
  metrics().bans.add();
  log_->write(LogLevel::warn, "address_banned",
              {{"peer", ban.site.to_string()},
               {"seconds", static_cast<std::int64_t>(ban.left.count())},
               {"times", ban.times},
               {"login", ban.last_login}});
}

void App::start_listeners() {
  for (const OpenListener& open : listeners_) {
    ready_.push_back(std::string(open.protocol->name) + ' ' + open.listener->address());
    const bool proxied = open.listener->proxied();
    auto on_accept = [this, protocol = open.protocol, proxied](int descriptor, Peer peer) {
      host_->accept(descriptor, std::move(peer), *protocol, proxied);
    };
    auto on_problem = [this](const std::string& where, const std::string& reason) {
      log_->write(LogLevel::error, "cannot_accept", {{"address", where}, {"reason", reason}});
    };
    loops_.spawn(open.listener->run(std::move(on_accept), std::move(on_problem)));
  }
  for (const std::string& address : endpoint_.addresses()) ready_.push_back("metrics " + address);
}

// The health check asks the thread that accepts, and a storage thread that touches the data.
void App::start_endpoint() {
  std::vector<MetricsEndpoint::Probe> probes(2);
  probes[0].failure = "listeners do not answer";
  probes[0].ask = [this](std::function<void()> alive) { asio::post(control_, std::move(alive)); };
  probes[1].failure = "storage does not answer";
  probes[1].ask = [this](std::function<void()> alive) {
    asio::post(runtime_->storage_pool().get_executor(), [this, alive = std::move(alive)] {
      if (files_->info(admin_settings_->data_dir)) alive();
    });
  };
  const auto refresh = [this] { metrics().open_accounts.set(static_cast<std::int64_t>(gateway_->open_accounts())); };
  endpoint_.start(std::move(probes), refresh);
}

Outcome App::open_admin() {
  const std::string path = admin::socket_path(admin_settings_->data_dir);
  admin_acceptor_ = TRY(admin::open_admin_socket(control_.get_executor(), path));
  loops_.spawn(admin::serve_admin(*admin_acceptor_, *admin_pool_, *this, Logger(*log_, "admin")));
  return {};
}

std::string App::ready_line() const {
  std::string line = "postkeep ready:";
  for (const std::string& each : ready_) line += ' ' + each;
  return line;
}

void App::run() {
  foreign_->start(loops_);
  loops_.spawn(handle_signals());
  loops_.spawn(look_after_process());
  loops_.spawn(feed_watchdog());
  start_endpoint();
  std::cout << ready_line() << std::endl;
  ::sd_notify(0, "READY=1\nSTATUS=Serving mail");
  mask_signals(SIG_UNBLOCK);
  control_.run();  // until begin_stop() has ended all loops
  mask_signals(SIG_BLOCK);
}

asio::awaitable<void> App::handle_signals() {
  while (true) {
    const int signal = co_await signals_.async_wait(asio::use_awaitable);
    if (signal != SIGHUP) break;
    reload_here();
  }
  begin_stop();
}

// Accounts that were closed, sessions and threads that ended leave holes in the heap that the C library would keep. And
// `status` wants to know what was a minute ago.
asio::awaitable<void> App::look_after_process() {
  const auto look = [this] {
    return std::tuple(gateway_->closed_accounts(), host_->sessions(), runtime_->storage_pool().threads());
  };
  auto seen = look();
  while (!stopping_) {
    memory_timer_.expires_after(memory_interval);
    asio::error_code error;
    co_await memory_timer_.async_wait(into(error));
    runtime_->storage_pool().end_idle();
    auto now = look();
    if (std::exchange(seen, now) != now) return_memory();
    rates_.sample(activity_of(metrics()), std::chrono::steady_clock::now());
  }
}

// Where the service manager watches us (WatchdogSec=), it hears that this thread and all session threads answer. A slow
// disk is no reason to be killed, so storage is not asked.
asio::awaitable<void> App::feed_watchdog() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) co_return;
  while (!stopping_) {
    if (host_->threads_answered()) {
      ::sd_notifyf(0, "WATCHDOG=1\nSTATUS=Serving mail: %zu connections", host_->sessions());
    }
    host_->ask_threads();
    watchdog_timer_.expires_after(std::chrono::microseconds(microseconds / 3));
    asio::error_code error;
    co_await watchdog_timer_.async_wait(into(error));
  }
}

// On the control thread.
App::Reload App::reload_here() {
  Reload report;
  notify_reloading();
  auto loaded = config::load(config_file_);
  if (!loaded) {
    for (const config::Problem& problem : loaded.error()) {
      std::string line = config::to_text({problem}, config_file_);
      if (line.ends_with('\n')) line.pop_back();
      report.problems.push_back(std::move(line));
    }
    log_->write(LogLevel::error, "reload_failed", {{"reason", config::to_text(loaded.error(), config_file_)}});
  } else {
    auto settings = std::make_shared<const Settings>(std::move(*loaded));
    take_over(*settings, report);
    settings_.set(settings);
    log_->write(LogLevel::info, "reload", {});
    report.done = true;
  }
  ::sd_notify(0, "READY=1");
  return report;
}

void App::take_over(const Settings& settings, Reload& report) {
  const Outcome log_opened = log_->reopen(settings.log);
  const Outcome certificates = load_certificates(tls_, settings);
  if (!log_opened) {
    log_->write(LogLevel::error, "log_not_reopened", {{"reason", log_opened.error().detail}});
    report.problems.push_back(log_opened.error().text + " (" + log_opened.error().detail + "); the old one stays");
  }
  if (!certificates) {
    log_->write(LogLevel::error, "certificates_not_reloaded", {{"reason", certificates.error().detail}});
    report.problems.push_back(certificates.error().text + " (" + certificates.error().detail + "); the old one stays");
  }
  auto certificate_rules = auth::load_certificate_rules(*files_, settings.auth.certificate_users);
  if (!certificate_rules) {
    log_->write(LogLevel::error, "certificate_users_not_reloaded", {{"reason", certificate_rules.error().detail}});
    report.problems.push_back(certificate_rules.error().text + " (" + certificate_rules.error().detail +
                              "); the old ones stay");
  } else {
    certificate_rules_ = std::move(*certificate_rules);
  }
  auto aliases = load_aliases(*files_, settings);
  if (!aliases) {
    log_->write(LogLevel::error, "aliases_not_reloaded", {{"reason", aliases.error().detail}});
    report.problems.push_back(aliases.error().text + " (" + aliases.error().detail + "); the old ones stay");
  } else {
    aliases_ = std::move(*aliases);
  }
  admission_->set_limits(admission_limits(settings));
  authenticator_->reconfigure(auth_options(settings, secret_, certificate_rules_, aliases_));
  guard_->reconfigure(guard_options(settings));
  report.need_restart = need_restart(*admin_settings_, settings);
  std::string keys;
  for (const std::string& key : report.need_restart) keys += (keys.empty() ? "" : ",") + key;
  if (!keys.empty()) log_->write(LogLevel::warn, "reload_needs_restart", {{"keys", keys}});
}

// On an admin thread, which waits for the control thread.
App::Reload App::reload() {
  const auto report = std::make_shared<std::promise<Reload>>();
  std::future<Reload> done = report->get_future();
  asio::post(control_, [this, report] { report->set_value(reload_here()); });
  return done.get();
}

nlohmann::json App::status() {
  metrics().open_accounts.set(static_cast<std::int64_t>(gateway_->open_accounts()));
  const Activity recent = rates_.within_window(activity_of(metrics()), std::chrono::steady_clock::now());
  return describe_status(metrics(), recent, started_);
}

void App::begin_stop() {
  ::sd_notify(0, "STOPPING=1\nSTATUS=Ending sessions");
  log_->write(LogLevel::info, "stop", {{"sessions", std::uint64_t{host_->sessions()}}});
  stopping_ = true;
  endpoint_.set_stopping();
  memory_timer_.cancel();
  watchdog_timer_.cancel();
  for (const OpenListener& open : listeners_) open.listener->close();
  asio::error_code ignored;
  if (admin_acceptor_) admin_acceptor_->close(ignored);
  if (foreign_) foreign_->stop();
}

bool App::stop() {
  const auto grace = std::chrono::duration_cast<milliseconds>(settings_.get()->server.shutdown_grace);
  bool clean = true;
  if (loops_.running() != 0) {  // start() failed half way
    begin_stop();
    control_.run();
  }
  if (auth_) auth_->stop_waiting();
  if (host_) clean = host_->shut_down(grace) && clean;
  if (gateway_) clean = gateway_->close(grace) && clean;
  if (login_recorder_) login_recorder_->close();
  if (!clean) {
    log_->write(LogLevel::error, "stop_forced", {{"reason", "sessions or storage did not end in time"}});
    return false;
  }
  if (admin_pool_) admin_pool_->join();
  if (runtime_) runtime_->join();
  endpoint_.stop();
  if (log_) log_->write(LogLevel::info, "stopped", {});
  return true;
}

Result<nlohmann::json> App::with_account(const std::string& user, const Work& work) {
  return gateway_->run_blocking(gateway_->account(user), [&work](storage::AccountStore& store) { return work(store); });
}

// For a short while. The user's login is gone, or nobody may use it.
Outcome App::wait_for_end_of_sessions(const std::string& user) {
  const auto until = std::chrono::steady_clock::now() + wait_for_sessions;
  while (admission_->sessions_of(user) != 0) {
    if (std::chrono::steady_clock::now() > until) return failure(ErrorKind::in_use, "The user's sessions do not end");
    std::this_thread::sleep_for(milliseconds(20));
  }
  return {};
}

Outcome App::remove_mail(const std::string& user) {
  TRY(wait_for_end_of_sessions(user));
  return gateway_->remove_mail(user);
}

Outcome App::rename_user(const std::string& from, const std::string& to) {
  // The new login works before the mail is there: until then it must not make mail of its own.
  const Gateway::Hold hold = gateway_->hold(to);
  const auto move_mail = [this](const std::string& old_name, const std::string& new_name) -> Outcome {
    host_->end_sessions(old_name);
    TRY(wait_for_end_of_sessions(old_name));
    return gateway_->rename_mail(old_name, new_name);
  };
  return admin::rename_user(*files_, admin_settings_->data_dir, *users_, from, to, move_mail);
}

}  // namespace

int run_server(Settings settings, const std::string& config_file) {
  App app(std::move(settings), config_file);
  const Outcome started = app.start();
  if (!started) {
    std::cerr << "postkeep: cannot start: " << started.error().text;
    if (!started.error().detail.empty()) std::cerr << " (" << started.error().detail << ')';
    std::cerr << std::endl;
  } else {
    app.run();
  }
  // What does not end must not keep the process, and must not find its world destroyed.
  const int status = started ? 0 : static_cast<int>(admin::ExitCode::unavailable);
  if (!app.stop()) std::_Exit(status);
  return status;
}

}  // namespace postkeep::server
