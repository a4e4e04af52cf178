#include "protocol/imap/response_code.h"

#include <utility>

#include "protocol/base/ensure.h"
#include "protocol/base/seeded_fault.h"
#include "protocol/imap/writer.h"

namespace postkeep::imap {
namespace {

std::string with_number(std::string_view name, std::uint64_t number) {
  return std::string(name) + ' ' + std::to_string(number);
}

void append_run(std::string& out, Uid first, Uid last) {
  if (!out.empty()) out += ',';
  out += std::to_string(first.value());
  if (first != last) out += ':' + std::to_string(last.value());
}

}  // namespace

std::string_view to_wire(Condition condition) {
  switch (condition) {
    case Condition::ok:
      return "OK";
    case Condition::no:
      return "NO";
    case Condition::bad:
      return "BAD";
    case Condition::bye:
      return "BYE";
    case Condition::preauth:
      return "PREAUTH";
  }
  return "BAD";
}

Condition condition_of(ErrorKind kind) {
  return kind == ErrorKind::bad_syntax || kind == ErrorKind::client_bug ? Condition::bad : Condition::no;
}

ResponseCode ResponseCode::alert() { return ResponseCode("ALERT"); }
ResponseCode ResponseCode::parse() { return ResponseCode("PARSE"); }
ResponseCode ResponseCode::read_only() { return ResponseCode("READ-ONLY"); }
ResponseCode ResponseCode::read_write() { return ResponseCode("READ-WRITE"); }
ResponseCode ResponseCode::try_create() { return ResponseCode("TRYCREATE"); }
ResponseCode ResponseCode::uid_not_sticky() { return ResponseCode("UIDNOTSTICKY"); }
ResponseCode ResponseCode::closed() { return ResponseCode("CLOSED"); }
ResponseCode ResponseCode::not_saved() { return ResponseCode("NOTSAVED"); }
ResponseCode ResponseCode::no_modseq() { return ResponseCode("NOMODSEQ"); }

ResponseCode ResponseCode::capability(const std::vector<std::string>& capabilities) {
  std::string text = "CAPABILITY";
  for (const std::string& capability : capabilities) text += ' ' + capability;
  return ResponseCode(std::move(text));
}

ResponseCode ResponseCode::bad_charset(const std::vector<std::string>& supported) {
  if (supported.empty()) return ResponseCode("BADCHARSET");
  std::string text = "BADCHARSET (";
  for (const std::string& charset : supported) {
    if (text.back() != '(') text += ' ';
    text += charset;
  }
  return ResponseCode(text + ')');
}

ResponseCode ResponseCode::notification_overflow() { return ResponseCode("NOTIFICATIONOVERFLOW"); }

ResponseCode ResponseCode::bad_event(const std::vector<std::string>& supported) {
  ENSURE(!supported.empty(), "BADEVENT names at least one event");
  std::string text = "BADEVENT (";
  for (const std::string& event : supported) {
    if (text.back() != '(') text += ' ';
    text += event;
  }
  return ResponseCode(text + ')');
}

ResponseCode ResponseCode::permanent_flags(const Flags& flags, NewKeywords new_keywords) {
  std::string text = "PERMANENTFLAGS (" + flags.to_wire();
  if (new_keywords == NewKeywords::yes) text += flags.empty() ? "\\*" : " \\*";
  return ResponseCode(text + ')');
}

ResponseCode ResponseCode::uid_next(Uid uid) { return ResponseCode(with_number("UIDNEXT", uid.value())); }

ResponseCode ResponseCode::uid_validity(UidValidity validity) {
  return ResponseCode(with_number("UIDVALIDITY", validity.value()));
}

ResponseCode ResponseCode::unseen(SeqNum first_unseen) {
  return ResponseCode(with_number("UNSEEN", first_unseen.value()));
}

ResponseCode ResponseCode::highest_modseq(ModSeq modseq) {
  return ResponseCode(with_number("HIGHESTMODSEQ", modseq.value()));
}

ResponseCode ResponseCode::mailbox_id(MailboxId id) {
  return ResponseCode("MAILBOXID (" + postkeep::to_wire(id) + ')');
}

ResponseCode ResponseCode::append_uid(UidValidity validity, const UidSet& uids) {
  ENSURE(!uids.empty(), "APPENDUID names at least one UID");
  std::string set = uids.to_wire();
  if (seeded(Fault::append_uid_range) && uids.size() == 1) set += ':' + set;
  return ResponseCode(with_number("APPENDUID", validity.value()) + ' ' + set);
}

ResponseCode ResponseCode::copy_uid(UidValidity validity, const std::vector<Uid>& from, const std::vector<Uid>& to) {
  ENSURE(from.size() == to.size() && !from.empty(), "COPYUID pairs UIDs, at least one");
  std::string sources;
  std::string targets;
  std::size_t start = 0;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    const bool runs_on =
        i < from.size() && from[i].value() == from[i - 1].value() + 1 && to[i].value() == to[i - 1].value() + 1;
    if (runs_on) continue;
    append_run(sources, from[start], from[i - 1]);
    append_run(targets, to[start], to[i - 1]);
    start = i;
  }
  return ResponseCode(with_number("COPYUID", validity.value()) + ' ' + sources + ' ' + targets);
}

ResponseCode ResponseCode::modified(const UidSet& numbers) {
  ENSURE(!numbers.empty(), "MODIFIED names at least one message");
  return ResponseCode("MODIFIED " + numbers.to_wire());
}

std::optional<ResponseCode> ResponseCode::of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::bad_syntax:
      return std::nullopt;
    case ErrorKind::not_found:
      return ResponseCode("NONEXISTENT");
    case ErrorKind::already_exists:
      return ResponseCode("ALREADYEXISTS");
    case ErrorKind::no_permission:
      return ResponseCode("NOPERM");
    case ErrorKind::cannot:
      return ResponseCode("CANNOT");
    case ErrorKind::limit:
      return ResponseCode("LIMIT");
    case ErrorKind::too_big:
      return ResponseCode("TOOBIG");
    case ErrorKind::over_quota:
    case ErrorKind::quota_reached:
      return ResponseCode("OVERQUOTA");
    case ErrorKind::has_children:
      return ResponseCode("HASCHILDREN");
    case ErrorKind::use_attribute:
      return ResponseCode("USEATTR");
    case ErrorKind::bad_charset:
      return bad_charset({"US-ASCII", "UTF-8"});
    case ErrorKind::unknown_cte:
      return ResponseCode("UNKNOWN-CTE");
    case ErrorKind::expunge_issued:
      return ResponseCode("EXPUNGEISSUED");
    case ErrorKind::authentication_failed:
      return ResponseCode("AUTHENTICATIONFAILED");
    case ErrorKind::authorization_failed:
      return ResponseCode("AUTHORIZATIONFAILED");
    case ErrorKind::privacy_required:
      return ResponseCode("PRIVACYREQUIRED");
    case ErrorKind::in_use:
      return ResponseCode("INUSE");
    case ErrorKind::unavailable:
      return ResponseCode("UNAVAILABLE");
    case ErrorKind::corruption:
      return ResponseCode("CORRUPTION");
    case ErrorKind::client_bug:
      return ResponseCode("CLIENTBUG");
    case ErrorKind::server_bug:
      return ResponseCode("SERVERBUG");
  }
  return std::nullopt;
}

}  // namespace postkeep::imap
