// SessionHost: runs sessions. Takes accepted sockets from the listeners, puts each on a session thread, and owns the
// session's frame, connection and context until it is over. Every session is a child of its thread's TaskGroup.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/runtime/runtime.h"
#include "server/runtime/services.h"
#include "server/runtime/session_facts.h"
#include "server/runtime/task_group.h"

namespace postkeep::server {

enum class TlsMode { plain, implicit };  // implicit: TLS from the first byte (RFC 8314)

// What a listener serves.
struct Protocol {
  std::string_view name;  // "imap", "imaps", "lmtp": in the log and the ready line
  RunSession run;
  TlsMode tls = TlsMode::plain;
  std::string_view refusal;  // one line for whoever comes when all places are taken; not on implicit TLS
  bool needs_login = true;   // nothing can be had without one, so who is banned need not come in
};

class SessionHost {
 public:
  SessionHost(Services& services, Runtime& runtime);
  // Sessions must have ended: see shut_down().
  ~SessionHost();

  // Takes the descriptor: a session, or a refusal and the end. `protocol` lives as long as the host; `proxied`: the
  // peer is a program in front, which tells by a PROXY header who the client is. Any thread.
  void accept(int descriptor, Peer peer, const Protocol& protocol, bool proxied = false);
  // Asks the user's sessions to end after their current command. Any thread; does not wait.
  void end_sessions(const std::string& user);
  // The same for all sessions that `which` picks, which is called on their threads; returns how many. Blocking, not on
  // a session thread.
  using Which = std::function<bool(const SessionFacts&)>;
  std::size_t end_sessions_if(const Which& which);
  std::size_t sessions() const { return count_; }
  // Asks every session thread for a sign of life; whether all have given it since the last time. One thread only.
  void ask_threads();
  bool threads_answered() const;
  // All sessions, oldest first. Blocking, not on a session thread.
  std::vector<SessionFacts> list();

  // No new sessions; those that are there end after their current command, with a farewell; after `grace` they
  // are cut. Blocking; not on a session thread. Returns when none is left, or false after twice the grace.
  bool shut_down(std::chrono::milliseconds grace);

 private:
  // A session thread's sessions. Used on that thread only, but for `load`.
  struct Thread {
    explicit Thread(asio::io_context& context) : io(context), children(context.get_executor()) {}
    asio::io_context& io;
    TaskGroup children;
    std::list<SessionContext*> live;
    bool leaving = false;
    std::atomic<std::size_t> load{0};
    std::atomic<bool> answered{true};
  };
  asio::awaitable<void> run(Thread& thread, int descriptor, Peer peer, const Protocol& protocol, bool proxied,
                            Admission::Ticket ticket);
  asio::awaitable<void> serve(Thread& thread, Connection& connection, SessionContext& context, const Protocol& protocol,
                              bool proxied);
  // Learns who the client of a program in front is; a place for its address, or nothing if it may not come in.
  asio::awaitable<std::optional<Admission::Ticket>> admit_client(SessionContext& context, const Protocol& protocol);
  std::string reason_to_refuse(const Peer& peer, const Protocol& protocol);
  bool is_trusted_proxy(const Peer& peer);
  void note_refusal(const Peer& peer, const Protocol& protocol, const std::string& reason);
  ConnectionTimeouts timeouts() const;
  // `visit` for each session, on its thread; returns when it has been for all.
  void visit_sessions(const std::function<void(SessionContext&)>& visit);

  Services& services_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::atomic<std::size_t> count_{0};
};

}  // namespace postkeep::server
