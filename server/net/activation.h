// Sockets that the service manager bound and passed to us (systemd.socket(5), sd_listen_fds(3)): so the server needs no
// right to bind low ports, and connections wait while it is started anew. Used by server/listeners.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/config/settings.h"

namespace postkeep::server {

struct GivenSocket {
  int descriptor = -1;
  std::string name;        // of FileDescriptorName=
  std::uint16_t port = 0;  // 0: not TCP
  std::string path;        // of a Unix socket
};

// What was passed to this process; afterwards no child would take it for its own. Once.
std::vector<GivenSocket> given_sockets();

// Whether the socket stands for that address: by port, since the manager may have bound it on more or fewer hosts, or
// by path.
bool stands_for(const GivenSocket& socket, const ListenAddress& address);

}  // namespace postkeep::server
