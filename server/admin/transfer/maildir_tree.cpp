#include "server/admin/transfer/maildir_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <utility>

#include "storage/maildir/layout.h"
#include "storage/maildir/name.h"

namespace postkeep::admin {

namespace {

namespace maildir = storage::maildir;

constexpr std::size_t block_octets = 256 * 1024;
constexpr std::size_t keyword_octets_max = 255;  // of a line that is believed to be a keyword

tl::unexpected<Error> failed(std::string text, const std::string& path) {
  return failure(errno == ENOSPC || errno == EDQUOT ? ErrorKind::over_quota : ErrorKind::unavailable, std::move(text),
                 path + ": " + std::strerror(errno));
}

bool is_directory(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// Names in a directory but "." and "..", sorted; none if there is no directory.
Result<std::vector<std::string>> names_in(const std::string& path) {
  std::vector<std::string> names;
  DIR* directory = opendir(path.c_str());
  if (directory == nullptr && errno == ENOENT) return names;
  if (directory == nullptr) return failed("A folder cannot be read", path);
  while (const dirent* entry = readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  closedir(directory);
  std::ranges::sort(names);
  return names;
}

// Other programs escape less than we do, and some write UTF-8 as it is. nullopt: no mailbox can be called that.
std::optional<MailboxName> mailbox_of(std::string_view directory) {
  if (const auto ours = maildir::mailbox_of_directory(directory)) return ours;
  std::string name;
  std::string_view rest = directory.substr(1);
  for (;;) {
    const std::size_t dot = std::min(rest.find('.'), rest.size());
    std::string part(rest.substr(0, dot));
    if (auto decoded = decode_modified_utf7(part)) part = std::move(*decoded);
    std::ranges::replace(part, '/', '_');
    name += part;
    if (dot == rest.size()) break;
    name += '/';
    rest.remove_prefix(dot + 1);
  }
  const auto mailbox = MailboxName::from_utf8(name);
  if (!mailbox || mailbox->is_inbox()) return std::nullopt;
  return *mailbox;
}

// dovecot-keywords, by letter; without the file none. What is no line of it is passed over.
std::vector<std::string> read_keywords(const std::string& folder) {
  std::vector<std::string> keywords;
  std::ifstream file(folder + "/dovecot-keywords");
  for (std::string line; std::getline(file, line);) {
    unsigned letter = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), letter);
    if (error != std::errc() || letter >= maildir::keyword_letters_max || *end != ' ') continue;
    if (line.size() > keyword_octets_max) continue;
    if (keywords.size() <= letter) keywords.resize(letter + 1);
    keywords[letter] = end + 1;
  }
  return keywords;
}

Flags flags_of(const maildir::NameFlags& name, const std::vector<std::string>& keywords) {
  Flags flags;
  flags.set_system_bits(name.system_bits);
  if (name.forwarded) flags.add_keyword("$Forwarded");
  for (std::size_t i = 0; i < keywords.size(); ++i) {
    // What another program believes to be a keyword need not be one.
    if ((name.keyword_bits >> i & 1) != 0 && !keywords[i].starts_with('\\')) (void)flags.add_from_wire(keywords[i]);
  }
  return flags;
}

std::string hex(std::uint32_t number) {
  char text[9];
  const auto [end, error] = std::to_chars(text, text + sizeof text, number, 16);
  return std::string(text, end);
}

// "<time>.V<uidvalidity>U<uid>.<source>.postkeep": the uid if it is of that uidvalidity and source.
std::optional<Uid> uid_in(std::string_view base, UidValidity uid_validity, const std::string& source) {
  const std::string mark = ".V" + hex(uid_validity.value()) + "U";
  const std::size_t at = base.find(mark);
  if (at == std::string_view::npos || !base.ends_with("." + source + ".postkeep")) return std::nullopt;
  const char* begin = base.data() + at + mark.size();
  std::uint32_t uid = 0;
  const auto [end, error] = std::from_chars(begin, base.data() + base.size(), uid, 16);
  if (error != std::errc() || uid == 0 || *end != '.') return std::nullopt;
  return Uid(uid);
}

Outcome make_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return failed("A folder cannot be made", path);
}

}  // namespace

Result<MaildirTree> read_maildir_tree(const std::string& path) {
  if (!is_directory(path)) return failure(ErrorKind::not_found, "There is no such folder", path);
  if (!is_directory(path + "/cur")) {
    return failure(ErrorKind::cannot, "That is no Maildir: it has no folder cur", path);
  }
  MaildirTree tree;
  tree.folders.push_back({MailboxName::inbox(), path});
  for (const std::string& name : TRY(names_in(path))) {
    if (!name.starts_with('.') || !is_directory(path + "/" + name + "/cur")) continue;
    if (const auto mailbox = mailbox_of(name)) {
      tree.folders.push_back({*mailbox, path + "/" + name});
    } else {
      tree.ignored.push_back(name);
    }
  }
  std::sort(tree.folders.begin() + 1, tree.folders.end(),
            [](const MaildirFolder& a, const MaildirFolder& b) { return a.mailbox < b.mailbox; });
  return tree;
}

Result<std::vector<MaildirMessage>> read_maildir_folder(const MaildirFolder& folder) {
  const std::vector<std::string> keywords = read_keywords(folder.path);
  std::vector<MaildirMessage> messages;
  for (const char* part : {"/cur/", "/new/"}) {
    for (std::string& name : TRY(names_in(folder.path + part))) {
      const auto parsed = maildir::FileName::parse(name);
      if (!parsed) continue;
      MaildirMessage message;
      message.path = folder.path + part + name;
      struct stat info {};
      if (stat(message.path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
      message.flags = flags_of(parsed->flags, keywords);
      message.date = UnixTime{info.st_mtim.tv_sec};
      message.name = std::move(name);
      messages.push_back(std::move(message));
    }
  }
  return messages;
}

Result<std::size_t> count_messages(const MaildirFolder& folder) {
  const std::size_t current = TRY(names_in(folder.path + "/cur/")).size();
  return current + TRY(names_in(folder.path + "/new/")).size();
}

Outcome read_file(const std::string& path, const OctetSink& sink) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (descriptor < 0 && errno == ENOENT) return failure(ErrorKind::not_found, "The file is gone", path);
  if (descriptor < 0) return failed("A message cannot be read", path);
  std::string block(block_octets, '\0');
  Outcome outcome;
  for (;;) {
    const ssize_t got = read(descriptor, block.data(), block.size());
    if (got == 0) break;
    outcome = got > 0 ? sink(std::string_view(block).substr(0, static_cast<std::size_t>(got)))
                      : Outcome(failed("A message cannot be read", path));
    if (!outcome) break;
  }
  close(descriptor);
  return outcome;
}

Result<MaildirTarget> MaildirTarget::open(const std::string& tree, const MailboxName& mailbox, std::string source) {
  TRY(make_directory(tree));
  const std::string directory = TRY(maildir::folder_directory(mailbox));
  MaildirTarget target(maildir::folder_path(tree, directory), std::move(source));
  TRY(make_directory(target.path_));
  for (const char* part : {"/cur", "/new", "/tmp"}) TRY(make_directory(target.path_ + part));
  target.keywords_ = read_keywords(target.path_);
  return target;
}

MaildirTarget::MaildirTarget(MaildirTarget&& other) noexcept
    : path_(std::move(other.path_)),
      source_(std::move(other.source_)),
      keywords_(std::move(other.keywords_)),
      keywords_left_out_(other.keywords_left_out_),
      base_(std::move(other.base_)),
      name_(std::move(other.name_)),
      date_(other.date_),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

Result<UidSet> MaildirTarget::present(UidValidity uid_validity) {
  UidSet uids;
  for (const char* part : {"/cur/", "/new/"}) {
    for (const std::string& name : TRY(names_in(path_ + part))) {
      const auto parsed = maildir::FileName::parse(name);
      const std::optional<Uid> uid = parsed ? uid_in(parsed->base, uid_validity, source_) : std::nullopt;
      if (!uid) continue;
      const std::string path = path_ + part + name;
      struct stat info {};
      const bool whole = stat(path.c_str(), &info) == 0 &&
                         static_cast<std::uint64_t>(info.st_size) == parsed->size().value_or(std::uint64_t(-1));
      if (whole) {
        uids.add(*uid);
      } else {
        unlink(path.c_str());  // a machine that stopped suddenly left it like that
      }
    }
  }
  return uids;
}

// The letters of flags; a keyword that has none gets one first, in the file, too.
Result<std::string> MaildirTarget::letters(const Flags& flags) {
  maildir::NameFlags letters;
  letters.system_bits = flags.system_bits();
  bool added = false;
  for (const std::string& keyword : flags.keywords()) {
    if (keyword == "$Forwarded") {
      letters.forwarded = true;
      continue;
    }
    std::size_t at = static_cast<std::size_t>(std::ranges::find(keywords_, keyword) - keywords_.begin());
    if (at >= maildir::keyword_letters_max) {
      ++keywords_left_out_;
      continue;
    }
    if (at == keywords_.size()) {
      keywords_.push_back(keyword);
      added = true;
    }
    letters.keyword_bits |= 1U << at;
  }
  if (added) {
    const std::string path = path_ + "/dovecot-keywords";
    std::ofstream file(path + ".new", std::ios::trunc);
    for (std::size_t i = 0; i < keywords_.size(); ++i) {
      if (!keywords_[i].empty()) file << i << ' ' << keywords_[i] << '\n';
    }
    file.close();
    if (!file || rename((path + ".new").c_str(), path.c_str()) != 0) return failed("A file cannot be written", path);
  }
  return letters.letters();
}

Outcome MaildirTarget::begin(const Message& message) {
  abandon();
  base_ = std::to_string(message.save_date.seconds) + ".V" + hex(message.uid_validity.value()) + "U" +
          hex(message.uid.value()) + "." + source_ + ".postkeep";
  name_ = base_ + ",S=" + std::to_string(message.size) + ":2," + TRY(letters(message.flags));
  date_ = message.internal_date;
  const std::string path = path_ + "/tmp/" + base_;
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor_ < 0) return failed("A message cannot be written", path);
  return {};
}

Outcome MaildirTarget::write(std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t written = ::write(descriptor_, octets.data(), octets.size());
    if (written < 0 && errno != EINTR) return failed("A message cannot be written", path_ + "/tmp/" + base_);
    if (written > 0) octets.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Outcome MaildirTarget::end() {
  const timespec times[2] = {{date_.seconds, 0}, {date_.seconds, 0}};
  const bool timed = futimens(descriptor_, times) == 0;
  const bool closed = close(std::exchange(descriptor_, -1)) == 0;
  const std::string from = path_ + "/tmp/" + base_, to = path_ + "/cur/" + name_;
  if (timed && closed && rename(from.c_str(), to.c_str()) == 0) return {};
  const auto error = failed("A message cannot be written", to);
  unlink(from.c_str());
  return error;
}

void MaildirTarget::abandon() {
  if (descriptor_ < 0) return;
  close(std::exchange(descriptor_, -1));
  unlink((path_ + "/tmp/" + base_).c_str());
}

}  // namespace postkeep::admin
