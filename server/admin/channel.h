// Channel: the two directions of a streaming command over a connected Unix stream socket. Lines of JSON; a line
// {"octets": N} is followed by N octets as they are. Near to far: {"value": ...}, octets, {"end": true}. Far to near:
// {"value": ...}, octets, {"progress": {...}}, and last {"result": ...} or {"error": {...}}.
// Who shuts its sending side down before the end interrupts the other.
//
// Blocking. One thread may send while another receives; interrupt() and cut() may be called from any.
#pragma once

#include <chrono>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/base/result.h"
#include "server/admin/exchange.h"

namespace postkeep::admin {

inline constexpr std::size_t channel_line_octets_max = 16 * 1024 * 1024;
inline constexpr std::size_t channel_block_octets = 256 * 1024;  // the most that one {"octets": N} carries

class Channel {
 public:
  // Takes the descriptor; `received`: what was read from it already. Longer lines are refused: the server sets a
  // limit, whoever asked it takes any answer.
  explicit Channel(int descriptor, std::string received = {}, std::size_t line_octets_max = channel_line_octets_max);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  // Two ends of one channel within this process. Errors: unavailable.
  static Result<std::pair<int, int>> make_pair();

  // Wait while the other side is slow. Errors: unavailable (it is gone).
  Outcome send_line(const nlohmann::json& line);
  Outcome send_octets(std::string_view octets);

  struct Frame {
    nlohmann::json line;  // null: these are octets
    std::string octets;
  };
  // Waits. Errors: unavailable (it is gone), bad_syntax (it makes no sense).
  Result<Frame> receive();

  // The other side has interrupted or is gone, whatever of its lines waits to be received.
  bool interrupted() const;
  // Interrupts the other side; what it sends is received nevertheless.
  void interrupt() const;
  // Ends it for both; whoever waits in a call returns.
  void cut() const;
  int descriptor() const { return descriptor_; }

 private:
  Outcome send_all(std::string_view octets) const;
  Outcome fill();  // more into received_

  const int descriptor_;
  const std::size_t line_octets_max_;
  std::string received_;
  std::size_t taken_ = 0;  // of received_
};

// An Exchange over a channel.
class ChannelExchange final : public Exchange {
 public:
  explicit ChannelExchange(Channel& channel) : channel_(channel) {}
  Outcome send(const nlohmann::json& piece) override;
  Outcome send_octets(std::string_view octets) override;
  void progress(const Progress& progress) override;
  Result<Item> receive() override;
  Outcome check() override;

 private:
  Channel& channel_;
  bool ended_ = false;  // the near side has sent all
  std::chrono::steady_clock::time_point next_progress_ = {};
};

}  // namespace postkeep::admin
