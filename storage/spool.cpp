#include "storage/spool.h"

#include <utility>

#include "protocol/base/ensure.h"

namespace postkeep::storage {
namespace {

constexpr std::size_t copy_buffer_octets = 256 * 1024;
constexpr std::size_t kept_facts_octets_max = 8 * 1024;

std::size_t octets_of(const MessageRow& facts) {
  return facts.envelope.size() + facts.body_structure.size() + facts.cached_headers.value_or("").size();
}

Outcome copy_content(File& from, File& to) {
  std::string buffer(copy_buffer_octets, '\0');
  for (std::uint64_t at = 0;;) {
    const std::size_t got = TRY(from.read_at(at, buffer));
    if (got == 0) return {};
    TRY(to.append(std::string_view(buffer).substr(0, got)));
    at += got;
  }
}

// Errors of link() that say something about the target, so that a copy would meet them as well.
bool is_about_target(ErrorKind kind) {
  return kind == ErrorKind::already_exists || kind == ErrorKind::not_found || kind == ErrorKind::over_quota;
}

}  // namespace

Result<std::shared_ptr<Spool>> Spool::create(FileSystem& files, Clock& clock, const std::string& directory,
                                             maildir::NameMaker& names, std::uint64_t limit) {
  std::string path = directory + "/" + names.make_base(clock.now());
  std::unique_ptr<File> file = TRY(files.create(path, FileSystem::Existing::fail));
  return std::shared_ptr<Spool>(new Spool(files, clock, std::move(path), std::move(file), limit));
}

Spool::Spool(FileSystem& files, Clock& clock, std::string path, std::unique_ptr<File> file, std::uint64_t limit)
    : files_(files), clock_(clock), path_(std::move(path)), file_(std::move(file)), limit_(limit) {}

Spool::~Spool() {
  // What cannot be unlinked now is removed by clear_spool at the next start.
  (void)files_.unlink(path_);
}

Outcome Spool::failed(Error error) {
  state_ = State::failed;
  error_ = std::move(error);
  return tl::unexpected<Error>(error_);
}

Outcome Spool::write(std::string_view bytes) {
  if (state_ == State::failed) return tl::unexpected<Error>(error_);
  ENSURE(state_ == State::writing, "a finished spool is not written");
  if (bytes.size() > limit_ - size_) {
    return failed(Error(ErrorKind::too_big, "The message is larger than " + std::to_string(limit_) + " octets"));
  }
  if (Outcome appended = file_->append(bytes); !appended) return failed(std::move(appended).error());
  size_ += bytes.size();
  if (size_ > facts_on_arrival_octets_max) collecting_.reset();
  if (collecting_) collecting_->feed(bytes);
  return {};
}

Outcome Spool::encode_binary_parts() {
  if (state_ == State::failed) return tl::unexpected<Error>(error_);
  ENSURE(state_ == State::writing, "a finished spool is not written");
  const auto source = [this](std::uint64_t offset, std::span<char> buffer) { return file_->read_at(offset, buffer); };
  auto parts = mime::find_binary_parts(source);
  if (!parts) return failed(std::move(parts).error());
  if (parts->empty()) return {};
  if (Outcome written = write_encoded(*parts); !written) return failed(std::move(written).error());
  return {};
}

Outcome Spool::write_encoded(const std::vector<mime::BinaryPart>& parts) {
  Spool encoded(files_, clock_, path_ + ".encoded", nullptr, limit_);
  encoded.file_ = TRY(files_.create(encoded.path_, FileSystem::Existing::fail));
  const auto source = [this](std::uint64_t offset, std::span<char> buffer) { return file_->read_at(offset, buffer); };
  TRY(mime::encode_binary_parts(source, parts, [&](std::string_view octets) { return encoded.write(octets); }));
  std::swap(path_, encoded.path_);
  std::swap(file_, encoded.file_);
  std::swap(size_, encoded.size_);
  std::swap(collecting_, encoded.collecting_);
  return {};
}

void Spool::set_internal_date(UnixTime date) { dated_ = file_time(date); }

Outcome Spool::finish() {
  TRY(prepare_sync());
  if (Outcome synced = file_->sync(); !synced) return failed(std::move(synced).error());
  note_synced();
  return {};
}

std::vector<Outcome> Spool::finish_together(FileSystem& files, std::span<Spool* const> spools) {
  std::vector<Outcome> outcomes;
  std::vector<File*> prepared;
  for (Spool* spool : spools) {
    outcomes.push_back(spool->prepare_sync());
    if (outcomes.back()) prepared.push_back(spool->file_.get());
  }
  const Outcome synced = files.sync_together(prepared);
  for (std::size_t i = 0; i < spools.size(); ++i) {
    if (!outcomes[i]) continue;
    if (synced) spools[i]->note_synced();
    if (!synced) outcomes[i] = spools[i]->failed(synced.error());
  }
  return outcomes;
}

Outcome Spool::prepare_sync() {
  if (state_ == State::failed) return tl::unexpected<Error>(error_);
  ENSURE(state_ == State::writing, "a spool is finished once");
  modified_ = dated_.value_or(clock_.now());
  if (Outcome set = file_->set_modified(modified_); !set) return failed(std::move(set).error());
  return {};
}

void Spool::note_synced() {
  if (collecting_) facts_ = collecting_->finish();
  if (facts_ && octets_of(*facts_) > kept_facts_octets_max) facts_.reset();
  collecting_.reset();
  state_ = State::finished;
}

const std::optional<MessageRow>& Spool::facts() const {
  ENSURE(state_ == State::finished, "a spool has facts when it is finished");
  return facts_;
}

Result<FileTime> Spool::link_into(const std::string& folder_path, const std::string& name,
                                  std::optional<FileTime> modified) {
  if (state_ == State::failed) return tl::unexpected<Error>(error_);
  ENSURE(state_ == State::finished, "only a finished spool is linked");
  const FileTime wanted = modified.value_or(modified_);
  if (wanted != modified_ && links_ > 0) {
    // The inode's time is that of another message by now.
    TRY(copy_into(folder_path, name, wanted));
    return wanted;
  }
  TRY(prepare_time(wanted));
  const Outcome linked = files_.link(path_, folder_path + "/cur/" + name);
  if (linked) {
    ++links_;
    return wanted;
  }
  if (is_about_target(linked.error().kind)) return tl::unexpected<Error>(linked.error());
  TRY(copy_into(folder_path, name, wanted));
  return wanted;
}

// The time of the file before its first link. Failing to sync it is final, as with finish().
Outcome Spool::prepare_time(FileTime wanted) {
  if (wanted == modified_) return {};
  if (Outcome set = file_->set_modified(wanted); !set) return failed(std::move(set).error());
  if (Outcome synced = file_->sync(); !synced) return failed(std::move(synced).error());
  modified_ = wanted;
  return {};
}

Outcome Spool::copy_into(const std::string& folder_path, const std::string& name, FileTime modified) {
  const std::string fresh = folder_path + "/tmp/" + name;
  const auto copy = [&]() -> Outcome {
    const std::unique_ptr<File> to = TRY(files_.create(fresh, FileSystem::Existing::truncate));
    TRY(copy_content(*file_, *to));
    TRY(to->set_modified(modified));
    TRY(to->sync());
    return files_.rename_new(fresh, folder_path + "/cur/" + name);
  };
  Outcome copied = copy();
  if (!copied) (void)files_.unlink(fresh);
  return copied;
}

Outcome clear_spool(FileSystem& files, const std::string& directory) {
  const std::vector<std::string> names = TRY(files.list(directory));
  for (const std::string& name : names) TRY(files.unlink(directory + "/" + name));
  return {};
}

}  // namespace postkeep::storage
