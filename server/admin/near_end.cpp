#include "server/admin/near_end.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace postkeep::admin {

Outcome Feed::send_all_of(int descriptor) {
  std::string block(channel_block_octets, '\0');
  for (;;) {
    // Of the channel only its end is of interest: somebody at the terminal may never send anything.
    pollfd wait[2] = {{descriptor, POLLIN, 0}, {channel_.descriptor(), POLLRDHUP, 0}};
    if (poll(wait, 2, -1) < 0 && errno != EINTR) break;
    if ((wait[1].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) {
      return noted(failure(ErrorKind::unavailable, "The far side has ended"));
    }
    if (wait[0].revents == 0) continue;
    const ssize_t got = read(descriptor, block.data(), block.size());
    if (got == 0) return {};
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    TRY(send_octets(std::string_view(block).substr(0, static_cast<std::size_t>(got))));
  }
  return failure(ErrorKind::unavailable, "Standard input cannot be read", std::strerror(errno));
}

Outcome PrintingEnd::take(const nlohmann::json& piece) {
  if (near_.format == NearSide::Format::json) {
    near_.out << piece.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else {
    command_.print(piece, near_.out);
  }
  if (near_.out.good()) return {};
  return failure(ErrorKind::unavailable, "Standard output cannot be written");
}

Outcome PrintingEnd::take_octets(std::string_view octets) {
  near_.out.write(octets.data(), static_cast<std::streamsize>(octets.size()));
  if (near_.out.good()) return {};
  return failure(ErrorKind::unavailable, "Standard output cannot be written");
}

Outcome PrintingEnd::finish(const nlohmann::json& result) {
  if (!result.is_null()) TRY(take(result));
  near_.out.flush();
  if (near_.out.good()) return {};
  return failure(ErrorKind::unavailable, "Standard output cannot be written");
}

}  // namespace postkeep::admin
