// THE table of protocols that the server listens for: a new one is a row. Read by server/app.
#pragma once

#include <span>
#include <vector>

#include "server/config/settings.h"
#include "server/runtime/session_host.h"

namespace postkeep::server {

struct ProtocolRow {
  Protocol protocol;
  std::vector<ListenAddress> Settings::Listen::*addresses;  // its key in [listen]
};

std::span<const ProtocolRow> protocols();

}  // namespace postkeep::server
