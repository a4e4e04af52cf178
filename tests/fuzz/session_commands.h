// Which IMAP commands are legal in which states, as session_fuzz.cpp goes by: clang 14 cannot compile the coroutines
// that the server's own table names for libFuzzer. tests/server/imap/fuzzed_commands_test.cpp holds this one to it.
#pragma once

#include <string_view>

#include "protocol/imap/command.h"

namespace postkeep::fuzz {

struct SessionCommand {
  std::string_view name;  // in capitals
  imap::UidForm uid;
  // States in which it is legal: "n" not authenticated, "a" authenticated, "s" selected.
  std::string_view states;
  bool is_barrier;  // what was sent behind it before its reply must not be understood
};

constexpr imap::UidForm plain = imap::UidForm::no;
constexpr imap::UidForm uid = imap::UidForm::yes;

// clang-format off
constexpr SessionCommand session_commands[] = {
    {"CAPABILITY", plain, "nas", false},
    {"NOOP", plain, "nas", false},
    {"LOGOUT", plain, "nas", false},
    {"ID", plain, "nas", false},
    {"STARTTLS", plain, "n", true},
    {"AUTHENTICATE", plain, "n", false},
    {"LOGIN", plain, "n", false},
    {"COMPRESS", plain, "as", true},
    {"ENABLE", plain, "as", false},
    {"SELECT", plain, "as", false},
    {"EXAMINE", plain, "as", false},
    {"CREATE", plain, "as", false},
    {"DELETE", plain, "as", false},
    {"RENAME", plain, "as", false},
    {"SUBSCRIBE", plain, "as", false},
    {"UNSUBSCRIBE", plain, "as", false},
    {"LIST", plain, "as", false},
    {"LSUB", plain, "as", false},
    {"NAMESPACE", plain, "as", false},
    {"STATUS", plain, "as", false},
    {"GETQUOTA", plain, "as", false},
    {"GETQUOTAROOT", plain, "as", false},
    {"SETQUOTA", plain, "as", false},
    {"APPEND", plain, "as", false},
    {"IDLE", plain, "as", false},
    {"NOTIFY", plain, "as", false},
    {"REPLACE", plain, "s", false},
    {"REPLACE", uid, "s", false},
    {"UNAUTHENTICATE", plain, "as", false},
    {"CHECK", plain, "s", false},
    {"CLOSE", plain, "s", false},
    {"UNSELECT", plain, "s", false},
    {"EXPUNGE", plain, "s", false},
    {"EXPUNGE", uid, "s", false},
    {"SEARCH", plain, "s", false},
    {"SEARCH", uid, "s", false},
    {"SORT", plain, "s", false},
    {"SORT", uid, "s", false},
    {"THREAD", plain, "s", false},
    {"THREAD", uid, "s", false},
    {"FETCH", plain, "s", false},
    {"FETCH", uid, "s", false},
    {"STORE", plain, "s", false},
    {"STORE", uid, "s", false},
    {"COPY", plain, "s", false},
    {"COPY", uid, "s", false},
    {"MOVE", plain, "s", false},
    {"MOVE", uid, "s", false},
};
// clang-format on

inline const SessionCommand* find_session_command(std::string_view name, imap::UidForm form) {
  for (const SessionCommand& command : session_commands) {
    if (command.name == name && command.uid == form) return &command;
  }
  return nullptr;
}

}  // namespace postkeep::fuzz
