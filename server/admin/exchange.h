// Exchange: how a command that streams speaks with the process that was started, from the far side: inside the server,
// or in that process itself when no server runs. Results go out piece by piece, values and octets come in as the
// command asks for them; both wait for the other side, so memory does not grow with what passes. Blocking; one thread.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "protocol/base/result.h"

namespace postkeep::admin {

// How far a command is. A total of 0: not known.
struct Progress {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::string unit;  // of both, "messages"; "octets" are shown as KiB, MiB...
  std::string text;  // what is being done now, a mailbox's name say
};

class Exchange {
 public:
  virtual ~Exchange() = default;

  // One result to the near side. Errors: unavailable when the near side left or was interrupted.
  virtual Outcome send(const nlohmann::json& piece) = 0;
  // Octets to the near side, as they are. Errors: as send().
  virtual Outcome send_octets(std::string_view octets) = 0;
  // May be called as often as one likes: a few a second go out.
  virtual void progress(const Progress& progress) = 0;

  // What the near side sent, in its order; octets come in pieces of up to 256 KiB. After the end, always `end`.
  struct Item {
    enum class Kind { value, octets, end };
    Kind kind = Kind::end;
    nlohmann::json value = {};
    std::string octets = {};
  };
  // Waits. Errors: as send().
  virtual Result<Item> receive() = 0;

  // To be asked between steps: an error when the near side left or was interrupted (Ctrl-C). Then the command ends
  // with that error, leaving what it did complete in itself.
  virtual Outcome check() = 0;
};

}  // namespace postkeep::admin
