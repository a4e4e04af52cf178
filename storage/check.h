// Looking for damage: what a check of an account finds, and the part of it that needs no turn on the account: reading
// messages. Driven by the admin command `doctor`, piece by piece: AccountStore has the steps.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "protocol/base/result.h"
#include "protocol/mail/ids.h"
#include "storage/types.h"

namespace postkeep::storage {

enum class Repair { no, yes };

// Something that a check came upon, in words for an administrator.
struct Finding {
  enum class State {
    note,      // worth knowing; nothing is lost or wrong
    damage,    // still there
    repaired,  // mended just now
  };
  State state = State::note;
  std::string what;    // sentences
  std::string advice;  // likewise: what to do about it; may be empty
  std::optional<Uid> uid;
  bool mended_by_forgetting = false;  // AccountStore::forget_content() mends it
};
std::string_view to_string(Finding::State state);

// A message, and what the account keeps of it. Independent of the account: may be looked at on any one thread.
struct MessageToCheck {
  Uid uid;
  std::unique_ptr<MessageReader> reader;  // null: see error
  std::optional<Error> error;             // why it cannot be opened
  bool size_changed = false;              // the file has not the size that it had
  std::optional<MessageRow> kept;         // with all that comes from its content; none: not computed yet
};

// Reads the message through. nullopt: all is well.
std::optional<Finding> check_message(const MessageToCheck& message);

}  // namespace postkeep::storage
