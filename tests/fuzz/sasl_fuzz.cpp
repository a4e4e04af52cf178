// The SASL exchange of every mechanism: the first octet picks one and whether there is an initial response; the lines
// after it are what the client says.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "auth/exchange.h"

namespace {

postkeep::auth::KeyAnswer keys_of_nobody(const postkeep::auth::KeyRequest& wanted) {
  postkeep::auth::KeyAnswer answer;
  answer.keys = postkeep::auth::made_up_scram_keys(postkeep::Secret("secret"), wanted.login, 4096, wanted.hash);
  answer.if_wrong = "no such user";
  return answer;
}

postkeep::auth::Circumstances everything() {
  postkeep::auth::Circumstances all;
  all.channel = postkeep::auth::Channel::confidential;
  all.keys = all.sha_1_keys = all.anonymous = true;
  all.bindings.push_back(postkeep::auth::ChannelBinding{"tls-exporter", "binding"});
  all.certificate.emplace();
  all.certificate->subject = "CN=alice";
  all.allowed = ~postkeep::auth::MechanismSet{0};
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using postkeep::auth::Exchange;
  using State = Exchange::Progress::State;
  if (size == 0) return 0;
  const auto table = postkeep::auth::mechanisms();
  const auto& row = table[(data[0] >> 1) % table.size()];
  auto exchange = Exchange::start(row.name, everything());
  if (!exchange) std::abort();
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto next_line = [&text] {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() < text.size() ? line.size() + 1 : text.size());
    return line;
  };
  Exchange::Progress progress = (data[0] & 1) != 0 ? exchange->begin(next_line()) : exchange->begin(std::nullopt);
  while (progress.state == State::challenge || progress.state == State::look_up) {
    if (progress.state == State::look_up) {
      progress = exchange->supply(keys_of_nobody(progress.wanted));
    } else if (text.empty()) {
      break;
    } else {
      progress = exchange->respond(next_line());
    }
  }
  if (progress.state == State::proven) std::abort();  // no proof fits keys of nobody
  // What comes out is fit to be verified.
  const bool wants_password =
      row.by == postkeep::auth::ChecksBy::password || row.by == postkeep::auth::ChecksBy::digest;
  if (progress.state == State::credentials && wants_password &&
      (progress.credentials.login.empty() || progress.credentials.password.empty())) {
    std::abort();
  }
  if (progress.state == State::failed && progress.error.text.empty()) std::abort();
  return 0;
}
