#include "server/admin/stream.h"

#include <atomic>
#include <csignal>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "server/admin/progress_bar.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;

// Of the command that SIGINT interrupts; shutdown(2) may be called in a signal handler.
std::atomic<const Channel*> interruptible = nullptr;

// SIGINT interrupts the channel's other side for as long as this lives; the second one does what it always did.
class InterruptBySignal {
 public:
  explicit InterruptBySignal(const Channel& channel) {
    interruptible = &channel;
    struct sigaction interrupt {};
    interrupt.sa_handler = [](int) {
      if (const Channel* target = interruptible) target->interrupt();
    };
    interrupt.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
    sigaction(SIGINT, &interrupt, &before_);
  }
  ~InterruptBySignal() {
    sigaction(SIGINT, &before_, nullptr);
    interruptible = nullptr;
  }
  InterruptBySignal(const InterruptBySignal&) = delete;
  InterruptBySignal& operator=(const InterruptBySignal&) = delete;

 private:
  struct sigaction before_ {};
};

// The thread that feeds. Its first error interrupts the far side, and is the command's.
class Feeder {
 public:
  Feeder(NearEnd& end, Channel& channel, ProgressBar& bar)
      : thread_([this, &end, &channel, &bar] { run(end, channel, bar); }) {}
  // The answer is there: what fails from now on fails for that.
  void expect_end() { ended_ = true; }
  // After the answer, so that nothing waits any more. Error: what the near end could not do.
  Outcome join() {
    thread_.join();
    return error_ ? Outcome(tl::unexpect, *error_) : Outcome();
  }

 private:
  void run(NearEnd& end, Channel& channel, ProgressBar& bar) {
    Feed feed(channel, bar);
    const Outcome fed = end.feed(feed);
    if (fed) {
      (void)channel.send_line({{"end", true}});  // who is gone is noticed where the answer is waited for
    } else {
      // An end of the far side is what the other thread sees, too, and knows more about.
      if (!feed.far_side_gone() && !ended_) error_ = fed.error();
      channel.interrupt();
    }
  }

  std::optional<Error> error_;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

Progress to_progress(const Json& fields) {
  Progress progress;
  progress.done = fields.value("done", std::uint64_t{0});
  progress.total = fields.value("total", std::uint64_t{0});
  progress.unit = fields.value("unit", "");
  progress.text = fields.value("text", "");
  return progress;
}

// Takes frames until the answer. After the near end's first error the rest is let go by.
Result<Json> take_pieces(NearEnd& end, Channel& channel, ProgressBar& bar) {
  std::optional<Error> failed;
  for (;;) {
    Channel::Frame frame = TRY(channel.receive());
    if (frame.line.contains("result") || frame.line.contains("error")) {
      if (failed) return tl::unexpected(*failed);
      return read_answer(frame.line);
    }
    if (frame.line.contains("progress")) {
      bar.show(to_progress(frame.line["progress"]));
    } else if (!failed) {
      if (end.prints()) bar.clear();
      const Outcome taken =
          frame.line.is_null() ? end.take_octets(frame.octets) : end.take(frame.line.value("value", Json()));
      if (!taken) {
        failed = taken.error();
        channel.interrupt();
      }
    }
  }
}

}  // namespace

Json run_far_side(Host& host, const Command& command, const Json& arguments, Channel& channel) {
  ChannelExchange exchange(channel);
  Json answer;
  try {
    answer = to_answer(command.stream(host, arguments, exchange));
  } catch (const std::exception& error) {  // a bug, or no memory: the server goes on
    answer = to_answer(failure(ErrorKind::server_bug, "The command failed unexpectedly", error.what()));
  }
  (void)channel.send_line(answer);  // nobody is left to be told if that fails
  return answer;
}

Outcome run_near_side(const Command& command, const Json& arguments, Channel& channel, NearSide& near) {
  const std::unique_ptr<NearEnd> end = command.near_end != nullptr ? command.near_end(command, arguments, near)
                                                                   : std::make_unique<PrintingEnd>(command, near);
  Result<Json> result = Json();
  Outcome fed;
  {
    const InterruptBySignal by_signal(channel);
    ProgressBar bar(near.err, ProgressBar::style_for(near));
    Feeder feeder(*end, channel, bar);
    result = take_pieces(*end, channel, bar);
    feeder.expect_end();
    end->stop();
    channel.cut();
    fed = feeder.join();
  }
  if (fed && result) return end->finish(*result);
  end->fail();
  return tl::unexpected(fed ? result.error() : fed.error());
}

Outcome run_both_sides(Host& host, const Command& command, const Json& arguments, NearSide& near,
                       const std::optional<server::Identity>& owner) {
  const auto [near_descriptor, far_descriptor] = TRY(Channel::make_pair());
  Channel near_channel(near_descriptor);
  Channel far_channel(far_descriptor);
  std::thread far([&] {
    const server::ActingAs user(owner);
    run_far_side(host, command, arguments, far_channel);
    far_channel.cut();
  });
  const Outcome done = run_near_side(command, arguments, near_channel, near);
  far.join();
  return done;
}

}  // namespace postkeep::admin
