// Ahead: work that goes on elsewhere while the coroutine that wants its result does something else, such as sending
// what came before. The work owns all that it touches: whoever wanted its result may end first, and then the result is
// dropped.
#pragma once

#include <asio/bind_executor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "server/runtime/awaits.h"

namespace postkeep::server {

// Lives on one thread, that of `here`.
template <class Value>
class Ahead {
 public:
  // Starts `work` on `there` at once.
  template <class Executor>
  Ahead(const asio::any_io_executor& here, Executor there, Awaitable<Value> work)
      : state_(std::make_shared<State>(here)) {
    auto finish = [state = state_](std::exception_ptr failure, Value value) {
      state->failure = std::move(failure);
      state->value = std::move(value);
      state->ended.cancel();
    };
    asio::co_spawn(std::move(there), std::move(work), asio::bind_executor(here, std::move(finish)));
  }

  // Its result, once; rethrows what ended it.
  Awaitable<Value> get() { return wait(state_); }

 private:
  struct State {
    explicit State(const asio::any_io_executor& here) : ended(here) {}
    asio::basic_waitable_timer<std::chrono::steady_clock> ended;  // never expires; cancelled at the end
    std::optional<Value> value;
    std::exception_ptr failure;
  };

  static Awaitable<Value> wait(std::shared_ptr<State> state) {
    while (!state->value) {
      state->ended.expires_at(std::chrono::steady_clock::time_point::max());
      asio::error_code ignored;
      co_await state->ended.async_wait(into(ignored));
    }
    if (state->failure) std::rethrow_exception(state->failure);
    co_return std::move(*state->value);
  }

  std::shared_ptr<State> state_;
};

}  // namespace postkeep::server
