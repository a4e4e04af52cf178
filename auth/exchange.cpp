#include "auth/exchange.h"

#include "auth/limits.h"
#include "protocol/base/base64.h"

namespace postkeep::auth {

namespace {

Exchange::Progress failed(Error error, std::string_view farewell = {}) {
  Exchange::Progress progress;
  progress.state = Exchange::Progress::State::failed;
  progress.error = std::move(error);
  if (!farewell.empty()) progress.farewell = base64_encode(farewell);
  return progress;
}

Exchange::Progress challenge(std::string_view bytes) {
  Exchange::Progress progress;
  progress.state = Exchange::Progress::State::challenge;
  progress.challenge = base64_encode(bytes);
  return progress;
}

}  // namespace

Result<Exchange> Exchange::start(std::string_view mechanism, const Circumstances& circumstances) {
  const MechanismRow* row = find_mechanism(mechanism);
  if (row == nullptr) return failure(ErrorKind::cannot, "This authentication mechanism is not supported");
  TRY(check_usable(*row, circumstances));
  return Exchange(*row, circumstances);
}

Exchange::Progress Exchange::begin(std::optional<std::string_view> initial_response) {
  if (!initial_response) {
    const std::optional<std::string> own = mechanism_->first_challenge();
    return challenge(own ? std::string_view(*own) : row_->first_challenge);
  }
  return step(*initial_response == "=" ? std::string_view() : *initial_response);
}

Exchange::Progress Exchange::respond(std::string_view line) {
  if (line == "*") return failed(Error(ErrorKind::bad_syntax, "Authentication cancelled"));
  return step(line);
}

Exchange::Progress Exchange::step(std::string_view base64) {
  if (base64.size() > sasl_line_octets_max) {
    return failed(Error(ErrorKind::bad_syntax, "The authentication message is too long"));
  }
  const Result<std::string> message = base64_decode(base64);
  if (!message) return failed(Error(ErrorKind::bad_syntax, "The authentication message is not base64"));
  return progress(mechanism_->step(*message));
}

Exchange::Progress Exchange::supply(KeyAnswer answer) { return progress(mechanism_->supply(std::move(answer))); }

Exchange::Progress Exchange::progress(Step next) {
  if (auto* more = std::get_if<Challenge>(&next)) return challenge(more->bytes);
  if (auto* refusal = std::get_if<Refusal>(&next)) return failed(std::move(refusal->error), refusal->farewell);
  Progress progress;
  if (auto* wanted = std::get_if<KeyRequest>(&next)) {
    progress.state = Progress::State::look_up;
    progress.wanted = std::move(*wanted);
    login_ = progress.wanted.login;
  } else if (auto* proven = std::get_if<Proven>(&next)) {
    progress.state = Progress::State::proven;
    progress.identity = std::move(proven->identity);
  } else {
    progress.state = Progress::State::credentials;
    progress.credentials = std::move(std::get<Credentials>(next));
    login_ = progress.credentials.login;
  }
  return progress;
}

}  // namespace postkeep::auth
