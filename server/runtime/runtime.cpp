#include "server/runtime/runtime.h"

#include <pthread.h>

#include <utility>

namespace postkeep::server {

Runtime::IoThread::IoThread(std::unique_ptr<asio::io_context> owned)
    : context(std::move(owned)), work(asio::make_work_guard(*context)), thread([this] {
        pthread_setname_np(pthread_self(), "session");
        context->run();
      }) {}

Runtime::Runtime(Options options)
    : storage_(options.storage_threads, "storage"),
      auth_(options.auth_threads, "auth"),
      strangers_(options.stranger_threads, "strangers") {
  for (unsigned i = 0; i < options.io_threads; ++i) {
    // The hint says that one thread runs it, which spares locks; posting from others stays safe.
    io_.push_back(std::make_unique<IoThread>(std::make_unique<asio::io_context>(1)));
  }
}

Runtime::~Runtime() { join(); }

void Runtime::join() {
  // Jobs that still run answer to the session threads, so these go last.
  strangers_.join();
  auth_.join();
  storage_.join();
  for (const auto& io : io_) io->work.reset();
  for (const auto& io : io_) {
    if (io->thread.joinable()) io->thread.join();
  }
}

}  // namespace postkeep::server
