#include "server/admin/near_side.h"

#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <istream>
#include <ostream>

#include "auth/limits.h"
#include "server/config/config_file.h"

namespace postkeep::admin {

namespace {

// No echo, and Ctrl-C makes the read fail instead of ending the program with the terminal left mute.
class MuteTerminal {
 public:
  explicit MuteTerminal(int terminal) : terminal_(terminal) {
    struct sigaction interrupt {};
    interrupt.sa_handler = [](int) {};  // without SA_RESTART
    sigaction(SIGINT, &interrupt, &old_interrupt_);
    if (tcgetattr(terminal_, &old_) != 0) return;
    termios mute = old_;
    mute.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    muted_ = tcsetattr(terminal_, TCSANOW, &mute) == 0;
  }
  ~MuteTerminal() {
    if (muted_) tcsetattr(terminal_, TCSANOW, &old_);
    sigaction(SIGINT, &old_interrupt_, nullptr);
  }
  MuteTerminal(const MuteTerminal&) = delete;
  MuteTerminal& operator=(const MuteTerminal&) = delete;

 private:
  int terminal_;
  bool muted_ = false;
  termios old_{};
  struct sigaction old_interrupt_ {};
};

void tell(int terminal, std::string_view text) {
  // A prompt that cannot be shown is no reason to stop.
  [[maybe_unused]] const ssize_t written = write(terminal, text.data(), text.size());
}

Result<Secret> read_terminal_line(int terminal, std::string_view prompt) {
  tell(terminal, prompt);
  std::string line;
  char c = 0;
  ssize_t got = 0;
  while ((got = read(terminal, &c, 1)) == 1 && c != '\n' && line.size() <= auth::password_octets_max) line += c;
  tell(terminal, "\n");
  Secret secret(std::move(line));
  if (got != 1) return failure(ErrorKind::bad_syntax, "No password was given");
  return secret;
}

}  // namespace

std::optional<Settings> load_settings(NearSide& near) {
  struct stat found {};
  const bool standard = near.config_file.empty();
  if (standard && stat(standard_config_file, &found) != 0 && errno == ENOENT) return config::parse("").value();
  const std::string file = standard ? standard_config_file : near.config_file;
  auto loaded = config::load(file);
  if (loaded) return std::move(*loaded);
  near.err << config::to_text(loaded.error(), file);
  return std::nullopt;
}

Result<Secret> read_password_line(NearSide& near) {
  std::string line;
  char c = 0;
  bool ended = false;
  while (line.size() <= auth::password_octets_max && near.in.get(c)) {
    if ((ended = c == '\n')) break;
    line += c;
  }
  if (ended && line.ends_with('\r')) line.pop_back();
  Secret secret(std::move(line));
  if (secret.empty()) return failure(ErrorKind::bad_syntax, "There was no password on standard input");
  return secret;
}

Result<Secret> ask_for_password(int terminal, std::string_view user) {
  const MuteTerminal mute(terminal);
  const Secret first = TRY(read_terminal_line(terminal, "Password for " + std::string(user) + ": "));
  const Secret second = TRY(read_terminal_line(terminal, "Once more: "));
  if (first.reveal() != second.reveal()) return failure(ErrorKind::bad_syntax, "The two passwords differ");
  return first;
}

Result<Secret> ask_for_password_once(int terminal) {
  const MuteTerminal mute(terminal);
  return read_terminal_line(terminal, "Password: ");
}

ExitCode tell(const Error& error, NearSide& near) {
  near.err << "postkeep: " << error.text << (error.detail.empty() ? "" : " (" + error.detail + ")") << "\n";
  return exit_code(error.kind);
}

auth::HashCost hash_cost(const Settings& settings) {
  auth::HashCost cost;
  cost.argon2_memory_kib = static_cast<std::uint32_t>(settings.auth.argon2_memory / 1024);
  cost.argon2_iterations = static_cast<std::uint32_t>(settings.auth.argon2_iterations);
  cost.scram_iterations = static_cast<std::uint32_t>(settings.auth.scram_iterations);
  cost.scram_sha_1 = offers_scram_sha_1(settings);
  return cost;
}

}  // namespace postkeep::admin
