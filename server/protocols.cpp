#include "server/protocols.h"

#include <array>

#include "server/lmtp/session.h"

namespace postkeep::server {

std::span<const ProtocolRow> protocols() {
  static const std::array table{
      ProtocolRow{{"lmtp", run_lmtp_session, TlsMode::plain, lmtp_refusal}, &Settings::Listen::lmtp},
  };
  return table;
}

}  // namespace postkeep::server
