// Fuzzes a session's way through its commands, as server/imap/session and dispatch go it: octets, framer, what the
// state allows, the command's parser, mailbox names as the session's version writes them, the reply. Every command that
// can be read succeeds here. The first octet says in which state and version the session begins and how the octets are
// cut. Held for every input: however it is cut, the same is answered; a reply is one line; a command that the state
// does not allow gets no "+" for its literal; what is held before login is little; no name changes on its way to the
// wire.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "protocol/imap/commands/append.h"
#include "protocol/imap/commands/authenticate.h"
#include "protocol/imap/commands/compress.h"
#include "protocol/imap/commands/copy.h"
#include "protocol/imap/commands/enable.h"
#include "protocol/imap/commands/expunge.h"
#include "protocol/imap/commands/fetch.h"
#include "protocol/imap/commands/id.h"
#include "protocol/imap/commands/list.h"
#include "protocol/imap/commands/login.h"
#include "protocol/imap/commands/mailbox.h"
#include "protocol/imap/commands/notify.h"
#include "protocol/imap/commands/quota.h"
#include "protocol/imap/commands/search.h"
#include "protocol/imap/commands/select.h"
#include "protocol/imap/commands/sort.h"
#include "protocol/imap/commands/status.h"
#include "protocol/imap/commands/store.h"
#include "protocol/imap/commands/thread.h"
#include "protocol/imap/framer.h"
#include "protocol/imap/responses/state.h"
#include "protocol/mail/mailbox_name.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/session_commands.h"

using namespace postkeep;
using namespace postkeep::imap;
using postkeep::fuzz::require;

namespace {

constexpr std::size_t piece_octets_max = 64;

FramerLimits limits_in(char state) {
  FramerLimits limits;
  if (state != 'n') return limits;
  limits.command_text_bytes_max = 8 * 1024;
  limits.literal_bytes_max = 4 * 1024;
  limits.command_literal_bytes_max = 8 * 1024;
  return limits;
}

// From the first octet to the last. Transcript: "+" for each time that the client is asked to go on, and the replies.
class Session {
 public:
  Session(char state, bool rev2, std::string_view octets, std::size_t piece_size)
      : state_(state), rev2_(rev2), rest_(octets), piece_size_(piece_size), framer_(limits_in(state)) {}

  std::string run();

  // What a command's parser may do to the session.
  Outcome take_name(const std::string& wire);
  void enter(char state);
  void enable_rev2() { rev2_ = true; }
  void leave_user() {
    enter('n');
    rev2_ = false;
  }
  void end() { ended_ = true; }
  // The next line that is no command; empty: there is none any more, or it is too long.
  std::optional<std::string> line(std::size_t octets_max);

 private:
  void serve(Framer::Event event);
  void look_at_literal();
  void dispatch(const FramedCommand& command);
  void refuse(const Refusal& refusal);
  void read_more();
  const fuzz::SessionCommand* allowed(const CommandHead& head) const;

  void run_append();
  std::optional<AppendMessage> append_piece(Error& error);
  void accept();
  void answer(const std::string& tag, const Outcome& outcome);

  char state_;
  bool rev2_;
  bool ended_ = false;
  std::string_view rest_;
  std::size_t piece_size_;
  Framer framer_;
  std::string transcript_;

  bool in_append_ = false;
  std::optional<AppendMessage> message_;  // of the APPEND that is under way
  std::string append_tag_;
};

using Parser = std::function<Outcome(Session&, Cursor&)>;

// `then` is what becomes of the session where the command could be parsed.
template <class Parse, class Then>
Parser parsed(Parse parse, Then then) {
  return [parse, then](Session& session, Cursor& cursor) -> Outcome {
    auto arguments = parse(cursor);
    if (!arguments) return tl::unexpected<Error>(std::move(arguments).error());
    require(cursor.at_end());
    return then(session, *arguments);
  };
}

template <class Parse>
Parser parsed(Parse parse) {
  return parsed(parse, [](Session&, const auto&) { return Outcome(); });
}

template <class Then>
Parser bare(Then then) {
  return [then](Session& session, Cursor& cursor) -> Outcome {
    Outcome nothing = parse_nothing(cursor);
    if (nothing) then(session);
    return nothing;
  };
}

const auto only_name = [](Session& session, const auto& arguments) { return session.take_name(arguments.mailbox); };

Outcome select(Session& session, const SelectArgs& arguments) {
  session.enter('a');  // a failed SELECT leaves no mailbox selected
  Outcome named = session.take_name(arguments.mailbox);
  if (named) session.enter('s');
  return named;
}

Outcome rename(Session& session, const RenameArgs& arguments) {
  Outcome named = session.take_name(arguments.from);
  if (named) named = session.take_name(arguments.to);
  return named;
}

Outcome create(Session& session, const CreateArgs& arguments) {
  std::string name = arguments.mailbox;
  if (name.size() > 1 && name.back() == '/') name.pop_back();
  return session.take_name(name);
}

Outcome enable(Session& session, const EnableArgs& arguments) {
  const auto& words = arguments.capabilities;
  require(!words.empty());
  if (std::find(words.begin(), words.end(), "IMAP4REV2") != words.end()) session.enable_rev2();
  return {};
}

Outcome authenticate(Session& session, const AuthenticateArgs& arguments) {
  if (!arguments.initial_response) {
    const std::optional<std::string> line = session.line(limits::authenticate_line_bytes_max);
    if (!line) return failure(ErrorKind::bad_syntax, "No line");
    const auto response = parse_authenticate_line(*line);
    if (!response) return tl::unexpected<Error>(response.error());
    if (!*response) return failure(ErrorKind::bad_syntax, "Cancelled");
  }
  session.enter('a');
  return {};
}

Outcome log_in(Session& session, const LoginArgs&) {
  session.enter('a');
  return {};
}

Outcome fetch(Session&, const FetchArgs& arguments) {
  require(!arguments.items.empty() && arguments.items.size() <= limits::fetch_items_max);
  return {};
}

Outcome idle(Session& session, Cursor& cursor) {
  if (Outcome nothing = parse_nothing(cursor); !nothing) return nothing;
  const std::optional<std::string> line = session.line(limits::idle_line_bytes_max);
  if (line && *line == "DONE") return {};
  return failure(ErrorKind::bad_syntax, "Expected DONE");
}

Outcome append_without_literal(Session&, Cursor&) { return failure(ErrorKind::bad_syntax, "No literal"); }

const std::map<std::string_view, Parser>& parsers() {
  const auto stays = [](Session&) {};
  static const std::map<std::string_view, Parser> table = {
      {"APPEND", append_without_literal},
      {"REPLACE", append_without_literal},
      {"AUTHENTICATE", parsed(parse_authenticate, authenticate)},
      {"CAPABILITY", bare(stays)},
      {"CHECK", bare(stays)},
      {"CLOSE", bare([](Session& session) { session.enter('a'); })},
      {"COMPRESS", parsed(parse_compress)},
      {"COPY", parsed(parse_copy, only_name)},
      {"CREATE", parsed(parse_create, create)},
      {"DELETE", parsed(parse_mailbox_only, only_name)},
      {"ENABLE", parsed(parse_enable, enable)},
      {"EXAMINE", parsed(parse_select, select)},
      {"EXPUNGE", bare(stays)},
      {"FETCH", parsed(parse_fetch, fetch)},
      {"GETQUOTA", parsed(parse_get_quota)},
      {"GETQUOTAROOT", parsed(parse_mailbox_only, only_name)},
      {"ID", parsed(parse_id)},
      {"IDLE", idle},
      {"LIST", parsed(parse_list)},
      {"LOGIN", parsed(parse_login, log_in)},
      {"LOGOUT", bare([](Session& session) { session.end(); })},
      {"LSUB", parsed(parse_lsub)},
      {"MOVE", parsed(parse_copy, only_name)},
      {"NAMESPACE", bare(stays)},
      {"NOOP", bare(stays)},
      {"NOTIFY", parsed(parse_notify)},
      {"RENAME", parsed(parse_rename, rename)},
      {"SEARCH", parsed(parse_search)},
      {"SELECT", parsed(parse_select, select)},
      {"SETQUOTA", parsed(parse_set_quota)},
      {"SORT", parsed(parse_sort)},
      {"STARTTLS", bare(stays)},
      {"STATUS", parsed(parse_status, only_name)},
      {"STORE", parsed(parse_store)},
      {"SUBSCRIBE", parsed(parse_mailbox_only, only_name)},
      {"THREAD", parsed(parse_thread)},
      {"UNAUTHENTICATE", bare([](Session& session) { session.leave_user(); })},
      {"UID EXPUNGE", parsed(parse_uid_expunge)},
      {"UNSELECT", bare([](Session& session) { session.enter('a'); })},
      {"UNSUBSCRIBE", parsed(parse_mailbox_only, only_name)},
  };
  return table;
}

const Parser& parser_of(const fuzz::SessionCommand& command) {
  const bool is_uid_expunge = command.name == "EXPUNGE" && command.uid == UidForm::yes;
  return parsers().at(is_uid_expunge ? "UID EXPUNGE" : command.name);
}

std::string Session::run() {
  while (!ended_) {
    const Framer::Event event = framer_.next();
    if (event == Framer::Event::need_more || event == Framer::Event::streaming) {
      const FramerLimits held = limits_in(state_);
      require(framer_.memory_held() <=
              2 * (held.command_text_bytes_max + held.command_literal_bytes_max + piece_octets_max) + 8 * 1024);
    }
    serve(event);
  }
  return std::move(transcript_);
}

void Session::serve(Framer::Event event) {
  switch (event) {
    case Framer::Event::need_more:
      return read_more();
    case Framer::Event::streaming:
      require(in_append_);
      if (framer_.take_literal().empty() && framer_.literal_left() > 0) read_more();
      return;
    case Framer::Event::literal_due:
      return look_at_literal();
    case Framer::Event::command:
      return dispatch(framer_.take_command());
    case Framer::Event::refused:
      return refuse(framer_.take_refusal());
  }
}

void Session::read_more() {
  if (rest_.empty()) {
    ended_ = true;
    return;
  }
  const std::string_view piece = rest_.substr(0, piece_size_);
  framer_.feed(piece);
  rest_.remove_prefix(piece.size());
}

const fuzz::SessionCommand* Session::allowed(const CommandHead& head) const {
  const fuzz::SessionCommand* command = fuzz::find_session_command(head.verb, head.uid);
  return command != nullptr && command->states.find(state_) != std::string_view::npos ? command : nullptr;
}

void Session::accept() {
  if (framer_.continuation_due()) transcript_ += '+';
}

void Session::look_at_literal() {
  if (in_append_ && message_) return run_append();
  Cursor cursor(framer_.partial());
  const auto head = parse_command_head(cursor);
  if (!head || allowed(*head) == nullptr) {
    framer_.refuse_literal(Error(ErrorKind::bad_syntax, "Not now"));
    require(!framer_.continuation_due());
    return;
  }
  if (is_append(framer_.partial())) {
    append_tag_ = head->tag;
    return run_append();
  }
  framer_.buffer_literal();
  accept();
}

// The message whose literal is due. nullopt without an error: the literal is the mailbox's name.
std::optional<AppendMessage> Session::append_piece(Error& error) {
  Cursor cursor(framer_.partial());
  if (message_) {
    auto next = parse_append_next(cursor, *message_);
    if (next && *next) return std::move(**next);
    error = next ? Error(ErrorKind::bad_syntax, "Unexpected literal") : next.error();
    return std::nullopt;
  }
  auto head = parse_append_head(cursor);
  if (head && !*head) return std::nullopt;
  Outcome named = head ? take_name((*head)->mailbox) : Outcome(tl::unexpected<Error>(head.error()));
  if (named) return std::move((*head)->first);
  error = named.error();
  return std::nullopt;
}

void Session::run_append() {
  in_append_ = true;
  Error error(ErrorKind::bad_syntax, "");
  std::optional<AppendMessage> message = append_piece(error);
  if (message) {
    message_ = std::move(message);
    framer_.stream_literal();
    accept();
  } else if (error.text.empty()) {
    framer_.buffer_literal();
    accept();
  } else {
    framer_.refuse_literal(std::move(error));
    require(!framer_.continuation_due());
  }
}

void Session::dispatch(const FramedCommand& command) {
  require(command.texts.size() == command.literals.size() + 1);
  Cursor cursor(command);
  if (std::exchange(in_append_, false) && message_) {
    const std::optional<AppendMessage> message = std::exchange(message_, std::nullopt);
    return answer(append_tag_, parse_append_end(cursor, *message));
  }
  const auto head = parse_command_head(cursor);
  if (!head) return answer(tag_of(command).value_or("*"), tl::unexpected<Error>(head.error()));
  require(tag_of(command) == head->tag);
  const fuzz::SessionCommand* row = allowed(*head);
  if (row == nullptr) return answer(head->tag, failure(ErrorKind::bad_syntax, "Not now"));
  const Outcome outcome = parser_of(*row)(*this, cursor);
  answer(head->tag, outcome);
  ended_ = ended_ || (row->is_barrier && outcome);  // what follows is another stream of octets
}

void Session::refuse(const Refusal& refusal) {
  const bool was_append = std::exchange(in_append_, false) && message_;
  message_.reset();
  answer(was_append ? append_tag_ : refusal.tag.value_or("*"), tl::unexpected<Error>(refusal.error));
  ended_ = ended_ || refusal.fatal;
}

void Session::answer(const std::string& tag, const Outcome& outcome) {
  std::string reply;
  Writer writer(reply, rev2_ ? Utf8::yes : Utf8::no);
  if (outcome) {
    write_tagged(writer, tag, Condition::ok, std::nullopt, "Done");
  } else {
    require(!outcome.error().text.empty());
    write_tagged_error(writer, tag, outcome.error());
  }
  require(reply.starts_with(tag + " ") && reply.find_first_of("\r\n") == reply.size() - 2 && reply.ends_with("\r\n"));
  transcript_ += reply;
}

Outcome Session::take_name(const std::string& wire) {
  const auto encoding = rev2_ ? MailboxName::Encoding::utf8 : MailboxName::Encoding::modified_utf7;
  const Result<MailboxName> name = MailboxName::from_wire(wire, encoding, '/');
  if (!name) return tl::unexpected<Error>(name.error());
  const Result<MailboxName> again = MailboxName::from_wire(name->to_wire(encoding, '/'), encoding, '/');
  require(again && *again == *name);
  return {};
}

void Session::enter(char state) {
  state_ = state;
  framer_.set_limits(limits_in(state));
}

std::optional<std::string> Session::line(std::size_t octets_max) {
  transcript_ += '+';
  for (;;) {
    auto line = framer_.next_line(octets_max);
    if (!line) return std::nullopt;
    if (*line) return std::move(**line);
    read_more();
    if (ended_) return std::nullopt;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const char state = "nas"[data[0] % 3];
  const bool rev2 = state != 'n' && data[0] / 3 % 2 == 1;
  const std::size_t piece_size = 1 + data[0] / 6;
  const std::string_view octets = fuzz::text_of(data + 1, size - 1);
  const std::string whole = Session(state, rev2, octets, piece_octets_max).run();
  require(whole == Session(state, rev2, octets, piece_size).run());
  return 0;
}
