#include "storage/account/recovery.h"

#include "storage/account/message_transfer.h"
#include "storage/maildir/folder.h"
#include "storage/maildir/layout.h"

namespace postkeep::storage {
namespace {

using maildir::Intent;
using maildir::MessageFolder;

bool is_missing(const Outcome& outcome) { return !outcome && outcome.error().kind == ErrorKind::not_found; }

MessageFolder folder_of(AccountContext& context, const std::string& directory) {
  return MessageFolder(context.files(), maildir::folder_path(context.path, directory));
}

Outcome undo(AccountContext& context, const Intent& intent) {
  const MessageFolder target = folder_of(context, intent.target);
  for (const Intent::Entry& entry : intent.entries) {
    Outcome gone = context.files().unlink(target.file_path(Place::cur, entry.target_name));
    if (!gone && !is_missing(gone)) return gone;
  }
  Outcome synced = target.sync(Place::cur);
  return is_missing(synced) ? Outcome() : synced;
}

// Ours is what carries the tag of the folder it lies in. What cannot be told now must not be guessed: a file of ours
// that is taken for another program's is written anew, with other line ends.
Result<Origin> origin_of(AccountContext& context, const Intent& intent, const std::string& name) {
  const auto file = maildir::read_mailbox_file(context.files(), maildir::folder_path(context.path, intent.source));
  if (!file && file.error().kind != ErrorKind::not_found) return tl::unexpected<Error>(file.error());
  const auto parsed = maildir::FileName::parse(name);
  const bool ours = file && parsed && parsed->tag() && parsed->tag()->uid_validity == file->uid_validity;
  return ours ? Origin::ours : Origin::foreign;
}

Outcome sync_both(const MessageFolder& folder) {
  for (const Place place : {Place::cur, Place::fresh}) {
    Outcome synced = folder.sync(place);
    if (!synced && !is_missing(synced)) return synced;
  }
  return {};
}

Outcome carry_on_move(AccountContext& context, const Intent& intent) {
  const MessageFolder source = folder_of(context, intent.source);
  MessageFolder target = folder_of(context, intent.target);
  std::vector<std::string> left;  // sources that go when what they became is safe
  for (const Intent::Entry& entry : intent.entries) {
    for (const Place place : {Place::cur, Place::fresh}) {
      const std::string path = source.file_path(place, entry.source_name);
      const Result<FileInfo> info = context.files().info(path);
      if (!info && info.error().kind == ErrorKind::not_found) continue;  // moved already
      if (!info) return tl::unexpected<Error>(info.error());
      const Origin origin = TRY(origin_of(context, intent, entry.source_name));
      const Result<SourceIs> moved =
          transfer_file(context, TransferKind::move, path, origin, target, entry.target_name);
      // It may have been written there already, or a power cut have kept both names of a rename.
      const bool both = moved ? *moved == SourceIs::there : moved.error().kind == ErrorKind::already_exists;
      if (both) left.push_back(path);
      if (!both && !moved && moved.error().kind != ErrorKind::not_found) {
        return tl::unexpected<Error>(moved.error());
      }
    }
  }
  TRY(sync_both(target));
  for (const std::string& path : left) TRY(context.files().unlink(path));
  return sync_both(source);
}

// Only the folder that was meant: its name may be another one's by now.
Outcome carry_on_rename(AccountContext& context, const Intent& intent) {
  for (const Intent::Entry& entry : intent.entries) {
    const auto file =
        maildir::read_mailbox_file(context.files(), maildir::folder_path(context.path, entry.source_name));
    const bool readable =
        file || file.error().kind == ErrorKind::not_found || file.error().kind == ErrorKind::corruption;
    if (!readable) return tl::unexpected<Error>(file.error());
    if (!file || file->uid_validity.value() != entry.source_uid.value()) continue;
    Outcome renamed = context.files().rename_new(maildir::folder_path(context.path, entry.source_name),
                                                 maildir::folder_path(context.path, entry.target_name));
    const bool done = renamed || is_missing(renamed) || renamed.error().kind == ErrorKind::already_exists;
    if (!done) return renamed;
  }
  return context.files().sync_directory(context.path);
}

Outcome recover(AccountContext& context, const Intent& intent) {
  switch (intent.kind) {
    case Intent::Kind::append:
    case Intent::Kind::copy:
      return undo(context, intent);
    case Intent::Kind::move:
      return carry_on_move(context, intent);
    case Intent::Kind::rename:
      break;
  }
  return carry_on_rename(context, intent);
}

}  // namespace

Result<Recovered> recover_intents(AccountContext& context) {
  const std::vector<std::string> names = TRY(context.files().list(context.path));
  return recover_intents(context, names);
}

Result<Recovered> recover_intents(AccountContext& context, const std::vector<std::string>& names) {
  const maildir::IntentListing listing = TRY(maildir::list_intents(context.files(), context.path, names));
  for (const maildir::StoredIntent& stored : listing.intents) {
    TRY(recover(context, stored.intent));
    TRY(maildir::remove_intent(context.files(), context.path, stored.number, maildir::Durable::now));
  }
  for (const std::string& path : listing.torn) TRY(context.files().unlink(path));
  return listing.intents.empty() ? Recovered::nothing : Recovered::something;
}

}  // namespace postkeep::storage
