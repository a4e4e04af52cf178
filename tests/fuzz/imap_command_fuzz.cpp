// Fuzzes every parser of IMAP commands: each command in the input is framed and given to its verb's parser.
// What comes out must be a value or an error that can be told to a client.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "protocol/imap/command.h"
#include "protocol/imap/commands/append.h"
#include "protocol/imap/commands/authenticate.h"
#include "protocol/imap/commands/copy.h"
#include "protocol/imap/commands/enable.h"
#include "protocol/imap/commands/expunge.h"
#include "protocol/imap/commands/fetch.h"
#include "protocol/imap/commands/id.h"
#include "protocol/imap/commands/list.h"
#include "protocol/imap/commands/login.h"
#include "protocol/imap/commands/mailbox.h"
#include "protocol/imap/commands/notify.h"
#include "protocol/imap/commands/search.h"
#include "protocol/imap/commands/select.h"
#include "protocol/imap/commands/sort.h"
#include "protocol/imap/commands/status.h"
#include "protocol/imap/commands/store.h"
#include "protocol/imap/commands/thread.h"
#include "protocol/imap/framer.h"
#include "protocol/imap/responses/fetch.h"

using namespace postkeep;
using namespace postkeep::imap;

namespace {

template <class Parse>
std::function<void(Cursor&)> checked(Parse parse) {
  return [parse](Cursor& cursor) {
    const auto result = parse(cursor);
    if (result ? !cursor.at_end() : result.error().text.empty()) std::abort();
  };
}

// A name that a FETCH response would show must not be able to break the response.
void check_fetch(Cursor& cursor) {
  const auto args = parse_fetch(cursor);
  if (!args) return;
  for (const FetchItem& item : args->items) {
    if (response_name(item).empty()) std::abort();
  }
}

const std::map<std::string, std::function<void(Cursor&)>>& parsers() {
  static const std::map<std::string, std::function<void(Cursor&)>> table = {
      {"AUTHENTICATE", checked(parse_authenticate)},
      {"COPY", checked(parse_copy)},
      {"CREATE", checked(parse_create)},
      {"DELETE", checked(parse_mailbox_only)},
      {"ENABLE", checked(parse_enable)},
      {"EXPUNGE", checked(parse_uid_expunge)},
      {"FETCH", check_fetch},
      {"ID", checked(parse_id)},
      {"LIST", checked(parse_list)},
      {"LOGIN", checked(parse_login)},
      {"LSUB", checked(parse_lsub)},
      {"NOOP", checked(parse_nothing)},
      {"NOTIFY", checked(parse_notify)},
      {"RENAME", checked(parse_rename)},
      {"SEARCH", checked(parse_search)},
      {"SELECT", checked(parse_select)},
      {"SORT", checked(parse_sort)},
      {"STATUS", checked(parse_status)},
      {"STORE", checked(parse_store)},
      {"THREAD", checked(parse_thread)},
  };
  return table;
}

void check_command(const FramedCommand& command) {
  Cursor cursor(command);
  const auto head = parse_command_head(cursor);
  if (!head) {
    if (head.error().text.empty()) std::abort();
    return;
  }
  if (tag_of(command) != head->tag) std::abort();
  const auto parser = parsers().find(head->verb);
  if (parser != parsers().end()) parser->second(cursor);
  Cursor value(command);
  (void)value.skip_value();
}

void check_append(Framer& framer) {
  Cursor cursor(framer.partial());
  const auto head = parse_append_head(cursor);
  if (head && *head) {
    Cursor again(framer.partial());
    (void)parse_append_next(again, (*head)->first);
    (void)parse_append_end(again, (*head)->first);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Framer framer;
  framer.feed(std::string_view(reinterpret_cast<const char*>(data), size));
  for (auto event = framer.next(); event != Framer::Event::need_more; event = framer.next()) {
    if (event == Framer::Event::literal_due) {
      if (is_append(framer.partial())) check_append(framer);
      framer.buffer_literal();
    } else if (event == Framer::Event::command) {
      check_command(framer.take_command());
    } else if (event == Framer::Event::refused && framer.take_refusal().fatal) {
      return 0;
    }
  }
  return 0;
}
