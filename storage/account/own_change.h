// OwnChange: tells our own changes of a folder from those of other programs. Made before the first link, rename or
// unlink of an operation; note() afterwards takes the new directory times into the mailbox's row, unless somebody
// else had changed the folder before: then the next refresh lists it. Used by all of storage/account that touches
// files.
#pragma once

#include "protocol/base/result.h"
#include "storage/account/mailbox_state.h"

namespace postkeep::storage {

class OwnChange {
 public:
  static Result<OwnChange> begin(const MailboxState& box) {
    const maildir::FolderTimes times = TRY(box.folder.times());
    return OwnChange(box.folder, times.cur == box.row.cur_modified && times.fresh == box.row.new_modified);
  }

  Outcome note(MailboxRow& row) const {
    maildir::FolderTimes times;
    if (undisturbed_) times = TRY(folder_->times());
    row.cur_modified = times.cur;
    row.new_modified = times.fresh;
    return {};
  }

 private:
  OwnChange(const maildir::MessageFolder& folder, bool undisturbed) : folder_(&folder), undisturbed_(undisturbed) {}
  const maildir::MessageFolder* folder_;
  bool undisturbed_;
};

}  // namespace postkeep::storage
