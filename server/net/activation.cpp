#include "server/net/activation.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include <cstdlib>

namespace postkeep::server {

std::vector<GivenSocket> given_sockets() {
  char** names = nullptr;
  const int count = ::sd_listen_fds_with_names(1, &names);
  std::vector<GivenSocket> sockets;
  for (int i = 0; i < count; ++i) {
    GivenSocket given;
    given.descriptor = SD_LISTEN_FDS_START + i;
    if (names != nullptr && names[i] != nullptr) given.name = names[i];
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getsockname(given.descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
      if (address.ss_family == AF_INET) given.port = ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
      if (address.ss_family == AF_INET6) given.port = ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
      if (address.ss_family == AF_UNIX) given.path = reinterpret_cast<const sockaddr_un*>(&address)->sun_path;
    }
    sockets.push_back(std::move(given));
  }
  for (int i = 0; names != nullptr && names[i] != nullptr; ++i) std::free(names[i]);
  std::free(names);
  return sockets;
}

bool stands_for(const GivenSocket& socket, const ListenAddress& address) {
  if (address.kind == ListenAddress::Kind::unix_socket) return !socket.path.empty() && socket.path == address.path;
  return socket.port != 0 && socket.port == address.port;
}

}  // namespace postkeep::server
