// See imap.h.
#include "tests/bench/load/imap.h"

#include <charconv>
#include <stdexcept>

namespace postkeep::bench {

std::size_t literal_octets(std::string_view line) {
  if (line.empty() || line.back() != '}') return std::string_view::npos;
  const std::size_t open = line.rfind('{');
  if (open == std::string_view::npos) return open;
  std::size_t octets = 0;
  const char* const end = line.data() + line.size() - 1;
  const auto [stop, error] = std::from_chars(line.data() + open + 1, end, octets);
  return error == std::errc() && stop == end ? octets : std::string_view::npos;
}

std::string ImapClient::next_tag() { return "t" + std::to_string(++tags_); }

asio::awaitable<std::string> ImapClient::line() {
  std::string_view found;
  while (!stream_.take_line(found)) co_await stream_.fill();
  co_return std::string(found);
}

asio::awaitable<void> ImapClient::connect() {
  co_await stream_.connect(bench_.server(), bench_.tls());
  const std::string greeting = co_await line();
  if (!greeting.starts_with("* OK")) throw std::runtime_error("no greeting but " + greeting);
}

asio::awaitable<void> ImapClient::log_in(std::string user) {
  co_await connect();
  const std::string login = "LOGIN " + user + " " + bench_.options.password;
  co_await command(login);
  if (!bench_.options.compress) co_return;
  const std::string compress("COMPRESS DEFLATE");
  co_await command(compress);
  stream_.compress();
}

asio::awaitable<void> ImapClient::send(std::string_view text) { co_await stream_.send(text); }

asio::awaitable<Answer> ImapClient::command(std::string text) {
  const std::string tag = next_tag();
  const std::string sent = tag + " " + text + "\r\n";
  co_await stream_.send(sent);
  Answer got = co_await answer(tag);
  if (!got.tagged.starts_with("OK")) throw std::runtime_error(text.substr(0, 200) + ": " + got.tagged);
  co_return got;
}

asio::awaitable<void> ImapClient::pass_literal(std::size_t octets) {
  octets -= stream_.pass(octets);
  while (octets > 0) {
    co_await stream_.fill();
    octets -= stream_.pass(octets);
  }
}

asio::awaitable<Answer> ImapClient::answer(std::string tag) {
  tag += ' ';
  Answer got;
  std::string_view found;
  bool goes_on = false;  // the line continues a response that had a literal
  for (;;) {
    while (!stream_.take_line(found)) co_await stream_.fill();
    if (!goes_on && found.starts_with(tag)) {
      got.tagged = std::string(found.substr(tag.size()));
      co_return got;
    }
    if (!goes_on) {
      ++got.untagged;
      if (found.starts_with("* OK [")) note(found);
      if (found.starts_with("* BYE")) throw std::runtime_error("the server leaves: " + std::string(found));
    }
    const std::size_t octets = literal_octets(found);
    goes_on = octets != std::string_view::npos;
    if (!goes_on) continue;
    got.literals += octets;
    co_await pass_literal(octets);
  }
}

asio::awaitable<void> ImapClient::continuation() {
  for (;;) {
    const std::string got = co_await line();
    if (got.starts_with("+")) co_return;
    if (!got.starts_with("* ")) throw std::runtime_error("no continuation but " + got);
  }
}

void ImapClient::note(std::string_view line) {
  for (const auto& [code, name] : {std::pair("[UIDVALIDITY ", "uidvalidity"), std::pair("[HIGHESTMODSEQ ", "modseq")}) {
    const std::size_t at = line.find(code);
    if (at == std::string_view::npos) continue;
    const std::string_view value = line.substr(at + std::string_view(code).size());
    known[name] = std::string(value.substr(0, value.find(']')));
  }
}

}  // namespace postkeep::bench
