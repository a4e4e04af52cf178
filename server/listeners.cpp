#include "server/listeners.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace postkeep::server {
namespace {

constexpr std::string_view metrics_name = "metrics";

// A key of the configuration that lists addresses.
struct Door {
  std::string_view name;
  const std::vector<ListenAddress>* addresses;
  const Protocol* protocol;  // null: [metrics]
  std::vector<GivenSocket> given = {};
};

std::vector<Door> doors_of(const Settings& settings) {
  std::vector<Door> doors;
  for (const ProtocolRow& row : protocols()) {
    doors.push_back({row.protocol.name, &(settings.listen.*row.addresses), &row.protocol});
  }
  doors.push_back({metrics_name, &settings.metrics.listen, nullptr});
  return doors;
}

// Named after a door, or standing for an address of one.
Door* door_for(std::vector<Door>& doors, const GivenSocket& socket) {
  const auto named = std::ranges::find(doors, socket.name, &Door::name);
  if (named != doors.end()) return &*named;
  const auto like_it = std::ranges::find_if(doors, [&](const Door& door) {
    return std::ranges::any_of(*door.addresses, [&](const ListenAddress& a) { return stands_for(socket, a); });
  });
  return like_it == doors.end() ? nullptr : &*like_it;
}

Outcome hand_out(std::vector<Door>& doors, std::vector<GivenSocket> given) {
  for (GivenSocket& socket : given) {
    Door* door = door_for(doors, socket);
    if (door == nullptr) {
      const std::string where = socket.path.empty() ? "port " + std::to_string(socket.port) : socket.path;
      return failure(
          ErrorKind::cannot, "A socket was passed that belongs to no protocol",
          "\"" + socket.name + "\" on " + where +
              "; FileDescriptorName= is one of imap, imaps, pop3, pop3s, lmtp, mta_auth, socketmap, metrics");
    }
    door->given.push_back(std::move(socket));
  }
  return {};
}

// All of one door: those passed, then those of its key that none of them stands for.
Result<std::vector<std::unique_ptr<Listener>>> open_door(asio::io_context& io, const Door& door) {
  std::vector<std::unique_ptr<Listener>> opened;
  for (const GivenSocket& socket : door.given) {
    opened.push_back(TRY(Listener::adopt(io, socket.descriptor)));
    opened.back()->set_proxied(
        std::ranges::any_of(*door.addresses, [&](const ListenAddress& a) { return a.proxy && stands_for(socket, a); }));
  }
  for (const ListenAddress& address : *door.addresses) {
    const auto is_it = [&](const GivenSocket& socket) { return stands_for(socket, address); };
    if (std::ranges::any_of(door.given, is_it)) continue;
    for (auto& listener : TRY(Listener::open(io, address))) {
      listener->set_proxied(address.proxy);
      opened.push_back(std::move(listener));
    }
  }
  return opened;
}

}  // namespace

Result<std::vector<OpenListener>> open_listeners(asio::io_context& io, MetricsEndpoint& endpoint,
                                                 const Settings& settings, std::vector<GivenSocket> given) {
  std::vector<Door> doors = doors_of(settings);
  TRY(hand_out(doors, std::move(given)));
  std::vector<OpenListener> opened;
  for (const Door& door : doors) {
    auto listeners = TRY(open_door(door.protocol == nullptr ? endpoint.io() : io, door));
    for (auto& listener : listeners) {
      if (door.protocol == nullptr) {
        endpoint.add(std::move(listener));
      } else {
        opened.push_back({std::move(listener), door.protocol});
      }
    }
  }
  if (opened.empty()) {
    return failure(ErrorKind::cannot, "There is nothing to listen on", "set an address in [listen], such as imaps");
  }
  return opened;
}

}  // namespace postkeep::server
