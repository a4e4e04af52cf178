// NearEnd: the near side of a command that streams, in the process that was started: what it sends to the far side and
// what it does with the pieces that come back. Most commands only print them: PrintingEnd.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string_view>

#include "protocol/base/result.h"
#include "server/admin/channel.h"
#include "server/admin/commands.h"
#include "server/admin/progress_bar.h"

namespace postkeep::admin {

// Where a near end puts what the far side is to receive (Exchange::receive).
class Feed {
 public:
  Feed(Channel& channel, ProgressBar& bar) : channel_(channel), bar_(bar) {}
  // Wait while the far side is slow. Errors: unavailable when it is gone; the end is told by others then.
  Outcome send(const nlohmann::json& value) { return noted(channel_.send_line({{"value", value}})); }
  Outcome send_octets(std::string_view octets) { return noted(channel_.send_octets(octets)); }
  // All of a descriptor until its end. Errors: unavailable.
  Outcome send_all_of(int descriptor);
  // Where the near side knows better how far the command is. May be called as often as one likes.
  void progress(const Progress& progress) { bar_.show(progress); }
  // Whether it was the far side that an error came from.
  bool far_side_gone() const { return gone_; }

 private:
  Outcome noted(Outcome sent) {
    gone_ = gone_ || !sent;
    return sent;
  }
  bool gone_ = false;
  Channel& channel_;
  ProgressBar& bar_;
};

class NearEnd {
 public:
  virtual ~NearEnd() = default;

  // Sends what the far side asks for, on a thread of its own, beside take(). An error ends the command with it.
  virtual Outcome feed(Feed&) { return {}; }
  // No more pieces come, so feed() need not wait for any. Called on take()'s thread.
  virtual void stop() {}

  // A piece (Exchange::send), octets. An error ends the command with it.
  virtual Outcome take(const nlohmann::json& piece) = 0;
  virtual Outcome take_octets(std::string_view octets) = 0;
  // Whether the two write to the terminal, where the bar is.
  virtual bool prints() const { return true; }
  // The command ended well; its last result, null if it has none.
  virtual Outcome finish(const nlohmann::json& result) = 0;
  // Or it did not, and the error is about to be told.
  virtual void fail() {}
};

// Prints pieces, and the last result unless it is null, by the row's `print`; with --json one value a line. Octets go
// out as they are.
class PrintingEnd : public NearEnd {
 public:
  PrintingEnd(const Command& command, NearSide& near) : command_(command), near_(near) {}
  Outcome take(const nlohmann::json& piece) override;
  Outcome take_octets(std::string_view octets) override;
  Outcome finish(const nlohmann::json& result) override;

 protected:
  const Command& command_;
  NearSide& near_;
};

}  // namespace postkeep::admin
