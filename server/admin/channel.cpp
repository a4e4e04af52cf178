#include "server/admin/channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;

constexpr std::chrono::milliseconds between_progress{100};

tl::unexpected<Error> gone(const char* reason) {
  return failure(ErrorKind::unavailable, "The connection to the server broke", reason);
}

}  // namespace

Channel::Channel(int descriptor, std::string received, std::size_t line_octets_max)
    : descriptor_(descriptor), line_octets_max_(line_octets_max), received_(std::move(received)) {}

Channel::~Channel() { close(descriptor_); }

Result<std::pair<int, int>> Channel::make_pair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return failure(ErrorKind::unavailable, "No socket could be made", std::strerror(errno));
  }
  return std::make_pair(ends[0], ends[1]);
}

Outcome Channel::send_all(std::string_view octets) const {
  while (!octets.empty()) {
    const ssize_t sent = ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      octets.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd writable{descriptor_, POLLOUT, 0};
      poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return gone(std::strerror(errno));
    }
  }
  return {};
}

Outcome Channel::send_line(const Json& line) {
  return send_all(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

Outcome Channel::send_octets(std::string_view octets) {
  while (!octets.empty()) {
    const std::string_view block = octets.substr(0, channel_block_octets);
    TRY(send_all("{\"octets\":" + std::to_string(block.size()) + "}\n"));
    TRY(send_all(block));
    octets.remove_prefix(block.size());
  }
  return {};
}

Outcome Channel::fill() {
  constexpr std::size_t step = 64 * 1024;
  received_.erase(0, taken_);
  taken_ = 0;
  const std::size_t before = received_.size();
  received_.resize(before + step);
  for (;;) {
    const ssize_t got = recv(descriptor_, received_.data() + before, step, MSG_DONTWAIT);
    if (got > 0) {
      received_.resize(before + static_cast<std::size_t>(got));
      return {};
    }
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
      pollfd readable{descriptor_, POLLIN, 0};
      poll(&readable, 1, -1);
      continue;
    }
    received_.resize(before);
    return gone(got == 0 ? "it was closed" : std::strerror(errno));
  }
}

Result<Channel::Frame> Channel::receive() {
  const auto nonsense = [] { return failure(ErrorKind::bad_syntax, "What the other side sent makes no sense"); };
  std::size_t end = std::string::npos;
  std::size_t searched = 0;
  while ((end = received_.find('\n', taken_ + searched)) == std::string::npos) {
    searched = received_.size() - taken_;
    if (searched > line_octets_max_) return nonsense();
    TRY(fill());
  }
  const std::string_view text = std::string_view(received_).substr(taken_, end - taken_);
  Json line = Json::parse(text, nullptr, false);
  taken_ = end + 1;
  if (!line.is_object()) return nonsense();
  const auto octets = line.find("octets");
  if (octets == line.end()) return Frame{std::move(line), {}};
  const std::size_t size = octets->is_number_unsigned() ? octets->get<std::size_t>() : 0;
  if (size == 0 || size > channel_block_octets) return nonsense();
  while (received_.size() - taken_ < size) TRY(fill());
  Frame frame;
  frame.octets = received_.substr(taken_, size);
  taken_ += size;
  return frame;
}

bool Channel::interrupted() const {
  pollfd state{descriptor_, POLLRDHUP, 0};
  return poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void Channel::interrupt() const { shutdown(descriptor_, SHUT_WR); }

void Channel::cut() const { shutdown(descriptor_, SHUT_RDWR); }

Outcome ChannelExchange::send(const Json& piece) {
  TRY(check());
  return channel_.send_line({{"value", piece}});
}

Outcome ChannelExchange::send_octets(std::string_view octets) {
  TRY(check());
  return channel_.send_octets(octets);
}

void ChannelExchange::progress(const Progress& progress) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_progress_) return;
  next_progress_ = now + between_progress;
  const Json fields = {
      {"done", progress.done}, {"total", progress.total}, {"unit", progress.unit}, {"text", progress.text}};
  (void)channel_.send_line({{"progress", fields}});  // who is gone is noticed by the next check()
}

Result<Exchange::Item> ChannelExchange::receive() {
  if (ended_) return Item{};
  TRY(check());
  Result<Channel::Frame> frame = channel_.receive();
  if (!frame) {
    TRY(check());
    return tl::unexpected(frame.error());
  }
  if (frame->line.is_null()) return Item{Item::Kind::octets, {}, std::move(frame->octets)};
  if (frame->line.contains("value")) return Item{Item::Kind::value, std::move(frame->line["value"]), {}};
  if (!frame->line.contains("end")) return failure(ErrorKind::bad_syntax, "What the near side sent makes no sense");
  ended_ = true;
  return Item{};
}

Outcome ChannelExchange::check() {
  if (!channel_.interrupted()) return {};
  return failure(ErrorKind::unavailable, "Interrupted; what was done until then stays");
}

}  // namespace postkeep::admin
