#include "server/protocols.h"

#include <array>

#include "server/imap/session.h"
#include "server/lmtp/session.h"
#include "server/mta/auth_session.h"
#include "server/mta/socketmap_session.h"
#include "server/pop3/session.h"

namespace postkeep::server {

std::span<const ProtocolRow> protocols() {
  static const std::array table{
      ProtocolRow{{"imap", imap::run_session, TlsMode::plain, imap::refusal}, &Settings::Listen::imap},
      ProtocolRow{{"imaps", imap::run_session, TlsMode::implicit, imap::refusal}, &Settings::Listen::imaps},
      ProtocolRow{{"pop3", pop3::run_session, TlsMode::plain, pop3::refusal}, &Settings::Listen::pop3},
      ProtocolRow{{"pop3s", pop3::run_session, TlsMode::implicit, pop3::refusal}, &Settings::Listen::pop3s},
      ProtocolRow{{"lmtp", run_lmtp_session, TlsMode::plain, lmtp_refusal, false}, &Settings::Listen::lmtp},
      ProtocolRow{{"mta_auth", run_mta_auth_session, TlsMode::plain, "", false}, &Settings::Listen::mta_auth},
      ProtocolRow{{"socketmap", run_socketmap_session, TlsMode::plain, "", false}, &Settings::Listen::socketmap},
  };
  return table;
}

}  // namespace postkeep::server
