// Reading while another coroutine writes: IDLE, and NOTIFY between commands. What is read is never interrupted; the
// writer is told to stop, and joined, whatever happens. All on the session's thread.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "server/imap/context.h"
#include "server/runtime/task_group.h"
#include "server/runtime/watch.h"

namespace postkeep::imap {

// Runs `read` to its end while `push` writes to the connection; then stops `watch`, at which `push` must end. Nothing
// else may write meanwhile. Throws what `read` throws, when `push` has ended; what `push` throws as TaskGroup::join().
template <class Value>
server::Awaitable<Value> read_beside(Context& context, std::shared_ptr<server::Watch> watch,
                                     server::Awaitable<void> push, server::Awaitable<Value> read) {
  server::TaskGroup children(context.connection.executor());
  children.spawn(std::move(push));
  std::optional<Value> value;
  std::exception_ptr failure;
  try {
    value = co_await std::move(read);
  } catch (...) {
    failure = std::current_exception();
  }
  watch->stop();
  co_await children.join();
  watch->restart();
  if (failure) std::rethrow_exception(failure);
  co_return std::move(*value);
}

}  // namespace postkeep::imap
