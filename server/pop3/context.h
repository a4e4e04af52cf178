// Context: what a POP3 command's handler may touch. Made and owned by the session; lives on its thread. Handlers return
// a Completion or an Error; dispatch.cpp makes the "+OK" and "-ERR" of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "protocol/line/line_framer.h"
#include "server/pop3/maildrop.h"
#include "server/pop3/read_ahead.h"
#include "server/runtime/awaits.h"
#include "server/runtime/services.h"

namespace postkeep::pop3 {

// RFC 1939 §3. The UPDATE state is what QUIT does.
enum class State : std::uint8_t { authorization = 1, transaction = 2 };

// A set of states.
class States {
 public:
  constexpr States(State state) : bits_(static_cast<std::uint8_t>(state)) {}  // NOLINT: meant to convert
  constexpr States operator|(States other) const { return States(static_cast<std::uint8_t>(bits_ | other.bits_)); }
  constexpr bool has(State state) const { return (bits_ & static_cast<std::uint8_t>(state)) != 0; }

 private:
  explicit constexpr States(std::uint8_t bits) : bits_(bits) {}
  std::uint8_t bits_;
};
constexpr States operator|(State a, State b) { return States(a) | States(b); }

// How a command ended: "+OK text", unless the handler has sent its own, as all do that answer in several lines; or
// "-ERR [code] text", for refusals by policy, which are no Error of anybody's.
struct Completion {
  enum class Kind : std::uint8_t { ok, sent, refused };
  Kind kind = Kind::ok;
  std::string_view code;  // of a refusal: a constant
  std::string text;

  Completion() = default;
  explicit Completion(std::string sentence) : text(std::move(sentence)) {}
  static Completion sent() {
    Completion done;
    done.kind = Kind::sent;
    return done;
  }
  static Completion refused(std::string_view response_code, std::string sentence) {
    Completion done(std::move(sentence));
    done.kind = Kind::refused;
    done.code = response_code;
    return done;
  }
};
using Answer = server::Awaitable<Result<Completion>>;

// The client closed its side: the session ends without a word, and deletes nothing.
class PeerLeft : public std::runtime_error {
 public:
  PeerLeft() : std::runtime_error("the client closed the connection") {}
};

// What the session does after the reply.
enum class Next { read_command, start_tls, log_out };

class Context {
 public:
  explicit Context(server::SessionContext& session);

  server::SessionContext& host;
  server::Services& services;
  server::Connection& connection;
  Logger& log;
  line::LineFramer framer;

  server::AccountPtr account;          // whose mail; null before login
  std::unique_ptr<Maildrop> maildrop;  // null before login
  std::optional<std::string> login;    // USER's, for the PASS that follows at once
  std::string apop_stamp;              // of the greeting; empty where APOP is not offered
  ReadAhead read_ahead;                // of RETR
  UidSet seen;                         // read by RETR, and not marked \Seen yet
  UidSet retrieved_uids;               // read by RETR, where they go with the session (pop3.expire_days is 0)
  bool utf8 = false;                   // after UTF8 (RFC 6856 §2.1)
  std::uint64_t retrieved = 0;         // messages, for the log
  Next next = Next::read_command;

  State state() const { return maildrop ? State::transaction : State::authorization; }
  server::Gateway& gateway() const { return services.gateway; }
  const Settings& settings() const { return *host.settings; }
  std::string& out() { return connection.output(); }

  // Sends what is to be sent, then waits for input and feeds the framer. Throws PeerLeft, ConnectionEnded.
  server::Awaitable<void> read_more();
  // RETR has sent this one.
  void note_retrieved(Uid uid);
  // Sets \Seen on what RETR has sent, and where messages expire the keyword by which they are known later. What fails
  // is logged and otherwise left.
  server::Awaitable<void> store_seen();

  // After PASS and AUTH: opens the maildrop. Errors are the storage's, and the session had better end.
  server::Awaitable<Outcome> enter_transaction(server::AccountPtr whose);
  // After STLS: nothing learnt in plaintext survives (RFC 2595 §4).
  void forget_everything();

 private:
  void set_limits();
};

}  // namespace postkeep::pop3
