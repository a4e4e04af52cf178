#include "server/runtime/foreign_changes.h"

#include <utility>

#include "server/runtime/awaits.h"

namespace postkeep::server {

ForeignChanges::ForeignChanges(asio::io_context& io, storage::MailStore& mail, Gateway& gateway)
    : mail_(mail), gateway_(gateway), descriptor_(io.get_executor()), timer_(io.get_executor()) {
  const int descriptor = mail_.foreign_change_descriptor();
  if (descriptor >= 0) descriptor_.assign(descriptor);
}

ForeignChanges::~ForeignChanges() {
  if (descriptor_.is_open()) descriptor_.release();
}

void ForeignChanges::start(TaskGroup& group) {
  if (descriptor_.is_open()) group.spawn(watch());
  group.spawn(poll());
}

void ForeignChanges::stop() {
  stopping_ = true;
  if (descriptor_.is_open()) descriptor_.cancel();
  timer_.cancel();
}

asio::awaitable<void> ForeignChanges::watch() {
  while (!stopping_) {
    asio::error_code error;
    co_await descriptor_.async_wait(asio::posix::descriptor_base::wait_read, into(error));
    if (error) continue;  // stop(), which is all that cancels
    const auto changes = mail_.take_foreign_changes();
    gateway_.handle_foreign_changes(changes);
  }
}

asio::awaitable<void> ForeignChanges::poll() {
  while (!stopping_) {
    timer_.expires_after(gateway_.poll_interval());
    asio::error_code error;
    co_await timer_.async_wait(into(error));
    if (!stopping_) gateway_.poll_folders();
  }
}

}  // namespace postkeep::server
