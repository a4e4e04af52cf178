// SessionFacts: what an administrator is told of a session (`who`), and finds it by (`kick`). A value.
#pragma once

#include <chrono>
#include <string>

namespace postkeep::server {

struct SessionFacts {
  std::string id;        // as in the log
  std::string protocol;  // of the listener: "imap", "imaps", "pop3", "lmtp"...
  std::string user;      // empty before a login, and for LMTP
  std::string address;
  std::string tls;  // "TLSv1.3 ...", empty without
  std::chrono::system_clock::time_point since{};
  std::chrono::milliseconds idle{};  // since the peer sent anything
};

}  // namespace postkeep::server
