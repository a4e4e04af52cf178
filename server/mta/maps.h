// THE table of maps that MTAs look up by socketmap: a new one is a function and a row. What an answer means is said in
// docs/postfix.md. Used by mta/socketmap_session.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "protocol/socketmap/query.h"
#include "server/runtime/awaits.h"
#include "server/runtime/services.h"

namespace postkeep::server {

struct MapRow {
  std::string_view name;
  Awaitable<socketmap::Answer> (*look_up)(SessionContext& context, std::string key);
  std::string_view doc;
};
std::span<const MapRow> maps();

// The answer of the map that is named; `perm` if there is none.
Awaitable<socketmap::Answer> look_up(SessionContext& context, socketmap::Query query);

}  // namespace postkeep::server
