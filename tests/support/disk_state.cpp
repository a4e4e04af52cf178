#include "tests/support/disk_state.h"

#include <algorithm>
#include <cerrno>

namespace postkeep::test {
namespace {

constexpr std::uint64_t root_number = 1;
constexpr std::size_t sector_octets = 512;

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

void put(std::string& content, std::uint64_t offset, std::string_view bytes) {
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size(), '\0');
  content.replace(offset, bytes.size(), bytes);
}

void apply(std::string& content, const Inode::Write& write) {
  if (write.is_truncation) {
    content.resize(write.offset, '\0');
  } else {
    put(content, write.offset, write.bytes);
  }
}

bool coin(std::mt19937_64& random, unsigned chance_in_hundred) { return random() % 100 < chance_in_hundred; }

// The write as it would be after a power cut: some of its sectors, some of those grown but never written.
void apply_torn(std::string& content, const Inode::Write& write, std::mt19937_64& random, unsigned chance) {
  if (write.is_truncation) {
    if (coin(random, chance)) apply(content, write);
    return;
  }
  for (std::size_t at = 0; at < write.bytes.size();) {
    const std::uint64_t offset = write.offset + at;
    const std::size_t length = std::min<std::size_t>(write.bytes.size() - at, sector_octets - offset % sector_octets);
    if (coin(random, chance)) {
      put(content, offset, std::string_view(write.bytes).substr(at, length));
    } else if (coin(random, 10) && content.size() < offset + length) {
      content.resize(offset + length, '\0');
    }
    at += length;
  }
}

}  // namespace

DiskState::DiskState() {
  auto root = std::make_shared<Inode>();
  root->number = root_number;
  root->is_directory = true;
  root->links = 1;
  root->modified = root->durable_modified = now_;
  inodes_[root_number] = root;
}

InodePtr DiskState::inode(std::uint64_t number) const {
  const auto found = inodes_.find(number);
  return found == inodes_.end() ? nullptr : found->second;
}

InodePtr DiskState::find(std::string_view path) const {
  InodePtr at = inode(root_number);
  for (const std::string& part : split(path)) {
    const auto next = at->entries.find(part);
    if (!at->is_directory || next == at->entries.end()) return nullptr;
    at = inode(next->second);
  }
  return at;
}

DiskState::Place DiskState::place_of(std::string_view path) const {
  std::vector<std::string> parts = split(path);
  if (parts.empty()) return Place{nullptr, "", EEXIST};
  Place place;
  place.name = parts.back();
  place.directory = inode(root_number);
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    const auto next = place.directory->entries.find(parts[i]);
    if (next == place.directory->entries.end()) return Place{nullptr, "", ENOENT};
    place.directory = inode(next->second);
    if (!place.directory->is_directory) return Place{nullptr, "", ENOTDIR};
  }
  return place;
}

InodePtr DiskState::entry(const Place& place) const {
  const auto found = place.directory->entries.find(place.name);
  return found == place.directory->entries.end() ? nullptr : inode(found->second);
}

InodePtr DiskState::make_inode(bool is_directory) {
  auto made = std::make_shared<Inode>();
  made->number = next_inode_++;
  made->is_directory = is_directory;
  made->modified = made->durable_modified = now_;
  inodes_[made->number] = made;
  return made;
}

InodePtr DiskState::anonymous_file() { return make_inode(false); }

void DiskState::add_entry(const Place& place, Inode& file) {
  place.directory->entries[place.name] = file.number;
  place.directory->modified = now_;
  ++file.links;
  journal_.push_back({EntryChange::Kind::add, place.directory->number, place.name, file.number, 0, "", false});
}

void DiskState::remove_entry(const Place& place, Inode& file) {
  place.directory->entries.erase(place.name);
  place.directory->modified = now_;
  --file.links;
  journal_.push_back({EntryChange::Kind::remove, place.directory->number, place.name, file.number, 0, "", false});
}

int DiskState::create_file(std::string_view path, InodePtr& file) {
  const Place place = place_of(path);
  if (!place.directory) return place.error;
  if (entry(place)) return EEXIST;
  file = make_inode(false);
  add_entry(place, *file);
  return 0;
}

int DiskState::make_directory(std::string_view path) {
  const Place place = place_of(path);
  if (!place.directory) return place.error;
  if (entry(place)) return EEXIST;
  add_entry(place, *make_inode(true));
  return 0;
}

int DiskState::remove_directory(std::string_view path) {
  const Place place = place_of(path);
  if (!place.directory) return place.error;
  const InodePtr gone = entry(place);
  if (!gone) return ENOENT;
  if (!gone->is_directory) return ENOTDIR;
  if (!gone->entries.empty()) return ENOTEMPTY;
  remove_entry(place, *gone);
  return 0;
}

int DiskState::link(std::string_view from, std::string_view to) {
  const InodePtr file = find(from);
  if (!file) return ENOENT;
  if (file->is_directory) return EPERM;
  const Place place = place_of(to);
  if (!place.directory) return place.error;
  if (entry(place)) return EEXIST;
  add_entry(place, *file);
  return 0;
}

int DiskState::unlink(std::string_view path) {
  const Place place = place_of(path);
  if (!place.directory) return place.error;
  const InodePtr file = entry(place);
  if (!file) return ENOENT;
  if (file->is_directory) return EISDIR;
  remove_entry(place, *file);
  return 0;
}

bool DiskState::is_within(const Inode& directory, std::uint64_t number) const {
  if (directory.number == number) return true;
  return std::any_of(directory.entries.begin(), directory.entries.end(), [&](const auto& named) {
    const InodePtr child = inode(named.second);
    return child->is_directory && is_within(*child, number);
  });
}

int DiskState::check_rename(const Place& from, const Place& to, bool replace) const {
  if (!from.directory) return from.error;
  if (!to.directory) return to.error;
  const InodePtr file = entry(from);
  if (!file) return ENOENT;
  const InodePtr replaced = entry(to);
  if (replaced && !replace) return EEXIST;
  if (file->is_directory && is_within(*file, to.directory->number)) return EINVAL;
  if (!replaced) return 0;
  if (replaced->is_directory != file->is_directory) return file->is_directory ? ENOTDIR : EISDIR;
  return replaced->entries.empty() ? 0 : ENOTEMPTY;
}

int DiskState::rename(std::string_view from, std::string_view to, bool replace) {
  const Place source = place_of(from);
  const Place target = place_of(to);
  if (const int error = check_rename(source, target, replace); error != 0) return error;
  const InodePtr file = entry(source);
  const InodePtr replaced = entry(target);
  if (replaced == file) return 0;  // two names of one file: POSIX says that nothing happens
  if (replaced) --replaced->links;
  source.directory->entries.erase(source.name);
  target.directory->entries[target.name] = file->number;
  source.directory->modified = target.directory->modified = now_;
  journal_.push_back({EntryChange::Kind::rename, source.directory->number, source.name, file->number,
                      target.directory->number, target.name, false});
  return 0;
}

// --- Durability of entries ---

void DiskState::make_durable(const EntryChange& change) {
  const bool is_rename = change.kind == EntryChange::Kind::rename;
  if (change.kind != EntryChange::Kind::remove) {
    const InodePtr directory = inode(is_rename ? change.to_directory : change.directory);
    directory->durable_entries[is_rename ? change.to_name : change.name] = change.inode;
  }
  if (change.kind != EntryChange::Kind::add) {
    auto& entries = inode(change.directory)->durable_entries;
    const auto found = entries.find(change.name);
    // The name may be another file's by now.
    if (found != entries.end() && found->second == change.inode) entries.erase(found);
  }
  // A directory's time changes with its entries.
  for (const std::uint64_t number : {change.directory, change.to_directory}) {
    if (const InodePtr directory = inode(number)) directory->durable_modified = directory->modified;
  }
}

std::vector<DiskState::Name> DiskState::names_of(const EntryChange& change) {
  std::vector<Name> names{{change.directory, change.name}};
  if (change.kind == EntryChange::Kind::rename) names.emplace_back(change.to_directory, change.to_name);
  return names;
}

int DiskState::sync_directory(std::string_view path) {
  const InodePtr directory = find(path);
  if (!directory) return ENOENT;
  if (!directory->is_directory) return ENOTDIR;
  // Syncing only the directory that a file was moved out of does not bring it into the other one. What was done before
  // to a name that is made durable is made durable first: changes of one name keep their order.
  std::set<Name> names;
  std::vector<EntryChange> taken;
  for (auto change = journal_.rbegin(); change != journal_.rend(); ++change) {
    const bool is_rename = change->kind == EntryChange::Kind::rename;
    const std::vector<Name> own = names_of(*change);
    const bool is_here = (is_rename ? change->to_directory : change->directory) == directory->number;
    if (!is_here && std::none_of(own.begin(), own.end(), [&](const Name& n) { return names.contains(n); })) continue;
    names.insert(own.begin(), own.end());
    taken.push_back(std::move(*change));
    change->inode = 0;
  }
  std::erase_if(journal_, [](const EntryChange& change) { return change.inode == 0; });
  for (auto change = taken.rbegin(); change != taken.rend(); ++change) {
    if (!change->lost) make_durable(*change);
  }
  directory->durable_modified = directory->modified;
  return 0;
}

int DiskState::fail_sync_directory(std::string_view path) {
  const InodePtr directory = find(path);
  if (!directory) return ENOENT;
  for (EntryChange& change : journal_) {
    const bool is_rename = change.kind == EntryChange::Kind::rename;
    if ((is_rename ? change.to_directory : change.directory) == directory->number) change.lost = true;
  }
  return 0;
}

// --- Content ---

void DiskState::write(Inode& file, std::uint64_t offset, std::string_view bytes) {
  put(file.content, offset, bytes);
  file.unsynced.push_back({offset, std::string(bytes), false, false});
  file.modified = now_;
}

void DiskState::truncate(Inode& file, std::uint64_t size) {
  file.content.resize(size, '\0');
  file.unsynced.push_back({size, "", true, false});
  file.modified = now_;
}

void DiskState::set_modified(Inode& file, storage::FileTime time) { file.modified = time; }

void DiskState::sync(Inode& file) {
  for (const Inode::Write& write : file.unsynced) {
    if (!write.lost) apply(file.durable_content, write);
  }
  file.unsynced.clear();
  file.durable_modified = file.modified;
}

void DiskState::fail_sync(Inode& file) {
  for (Inode::Write& write : file.unsynced) write.lost = true;
}

// --- Power ---

DiskState DiskState::clone() const {
  DiskState copy = *this;
  for (auto& [number, node] : copy.inodes_) node = std::make_shared<Inode>(*node);
  return copy;
}

void DiskState::survive_entries(const SurvivalPlan& plan, std::mt19937_64& random, unsigned chance) {
  for (const EntryChange& change : journal_) {
    const bool survives = plan.kind == SurvivalPlan::Kind::everything ? !change.lost : coin(random, chance);
    if (survives) make_durable(change);
  }
}

void DiskState::survive_content(Inode& file, const SurvivalPlan& plan, std::mt19937_64& random, unsigned chance) {
  const bool everything = plan.kind == SurvivalPlan::Kind::everything;
  for (const Inode::Write& write : file.unsynced) {
    if (!everything) {
      apply_torn(file.durable_content, write, random, chance);
    } else if (!write.lost) {
      apply(file.durable_content, write);
    }
  }
  if (everything || coin(random, 50)) file.durable_modified = file.modified;
}

// What is durable becomes what is seen; what no directory leads to is gone.
void DiskState::settle() {
  journal_.clear();
  std::map<std::uint64_t, InodePtr> reached;
  const std::function<void(std::uint64_t)> reach = [&](std::uint64_t number) {
    const InodePtr node = inode(number);
    const bool first = reached.emplace(number, node).second;
    if (first) node->links = 0;
    ++node->links;
    if (!first) return;
    node->unsynced.clear();
    node->content = node->durable_content;
    node->modified = node->durable_modified;
    node->entries = node->durable_entries;
    for (const auto& [name, child] : node->entries) reach(child);
  };
  reach(root_number);
  inodes_ = std::move(reached);
}

DiskState DiskState::after_power_cut(const SurvivalPlan& plan) const {
  DiskState survivor = clone();
  if (plan.kind != SurvivalPlan::Kind::nothing) {
    std::mt19937_64 random(plan.seed);
    // Some cuts leave nearly all and some nearly nothing; both find other faults than the even chance does.
    constexpr unsigned chances[] = {10, 50, 90};
    const unsigned chance = chances[random() % 3];
    survivor.survive_entries(plan, random, chance);
    for (const auto& [number, node] : survivor.inodes_) survive_content(*node, plan, random, chance);
  }
  survivor.settle();
  return survivor;
}

}  // namespace postkeep::test
