// The SASL exchange of every mechanism: the first octet picks one and whether there is an initial response; the lines
// after it are what the client says.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "auth/exchange.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using postkeep::auth::Exchange;
  using State = Exchange::Progress::State;
  if (size == 0) return 0;
  const auto table = postkeep::auth::mechanisms();
  auto exchange = Exchange::start(table[(data[0] >> 1) % table.size()].name, postkeep::auth::Channel::confidential);
  if (!exchange) std::abort();
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto next_line = [&text] {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() < text.size() ? line.size() + 1 : text.size());
    return line;
  };
  Exchange::Progress progress = (data[0] & 1) != 0 ? exchange->begin(next_line()) : exchange->begin(std::nullopt);
  while (progress.state == State::challenge && !text.empty()) progress = exchange->respond(next_line());
  // What comes out is fit to be verified.
  if (progress.state == State::credentials &&
      (progress.credentials.login.empty() || progress.credentials.password.empty())) {
    std::abort();
  }
  if (progress.state == State::failed && progress.error.text.empty()) std::abort();
  return 0;
}
